"""List, show and import model versions."""

from collections.abc import Sequence
from pathlib import Path

from castline.errors import castline_error
from castline.models.values import Imported, Model, Models, Promotion
from castline.tables import columns_of
from db.changes.promotions import PromotionRecord, list_promotions, sha256_in_use
from model.version.artifact import (
    MODEL_CARD,
    REPORT,
    ModelVersion,
    bundled_folder,
    find_model,
    list_models,
)
from worker.installation import Installation
from worker.settings import Settings


def models(installation: Installation) -> Models:
    """Return the installed model versions, the newest first."""
    found, unreadable = list_models([installation.settings.models_folder])
    sha256, promotions = _history(installation)
    rows = tuple(_shown(version, sha256, promotions) for version in found)
    told = tuple(filter(None, map(castline_error, unreadable)))
    return Models(rows, columns_of(Model), unreadable=told)


def model(installation: Installation, reference: str) -> Model:
    """Return one model version.

    Raises:
        ModelError: There is no such model version, or it cannot be read.
    """
    version = find_model(reference, [installation.settings.models_folder])
    return _shown(version, *_history(installation))


def import_model(settings: Settings, folder: Path) -> Imported:
    """Import a model version's folder; see `Library.import_model`."""
    from model.importing import import_model_version

    imported = import_model_version(folder, settings.models_folder)
    version = imported.version
    return Imported(version.manifest.reference, version.folder, imported.is_new)


def _history(installation: Installation) -> tuple[str, Sequence[PromotionRecord]]:
    """Return the SHA-256 of the model in use, and the promotions of all models."""
    with installation.database.read() as connection:
        in_use = sha256_in_use(connection, find_model(None).sha256)
        return in_use, list_promotions(connection)


def _shown(version: ModelVersion, sha256_in_use: str, history: Sequence[PromotionRecord]) -> Model:
    manifest = version.manifest
    report = version.folder / REPORT
    card = report / MODEL_CARD
    return Model(
        model=manifest.reference,
        name=manifest.name,
        version=manifest.version,
        sha256=version.sha256,
        folder=version.folder,
        is_default=version.sha256 == sha256_in_use,
        promotions=tuple(
            Promotion(
                each.promoted_at,
                each.requirement,
                each.is_forced,
                tuple(each.regressions),
                each.withdrawn_at,
            )
            for each in history
            if each.model_sha256 == version.sha256 and not each.is_bundled
        ),
        is_bundled=version.folder.parent == bundled_folder(),
        created_at=manifest.created_at,
        labels=manifest.labels,
        names=manifest.names.shown(manifest.labels),
        network=manifest.network,
        network_parameters=manifest.network_parameters,
        weights_bytes=version.weights_path.stat().st_size,
        preprocessing=manifest.preprocessing,
        regions=manifest.regions,
        closer_view=manifest.closer_view,
        glance_side=manifest.glance_side,
        glance_clear=manifest.glance_clear,
        loss=manifest.loss or None,
        temperature=manifest.temperature,
        onset=manifest.onset,
        offset=manifest.offset,
        label_thresholds=manifest.label_thresholds,
        metrics=manifest.metrics,
        training_data_sha256=manifest.training_data_sha256,
        licence=manifest.licence,
        report=report if report.is_dir() else None,
        model_card=card if card.is_file() else None,
    )
