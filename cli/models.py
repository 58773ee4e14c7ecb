"""Model versions: list, show, import; the others are in `cli.comparing` and `cli.promoting`."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.comparing import compare
from cli.console import Json, print_json, print_table, say, say_error
from cli.promoting import promote, rollback
from cli.report import EXIT_PARTIAL
from db.promotions import PromotionRecord, list_promotions, promoted_sha256
from model.artifact import MODEL_CARD, REPORT, bundled_folder, find_model, list_models
from model.labels import UNKNOWN
from worker.workplace import open_workplace

if TYPE_CHECKING:
    from model.artifact import ModelVersion
    from worker.settings import Settings

Reference = Annotated[
    str, typer.Argument(metavar="NAME[@VERSION]", help="A model; NAME is its newest version.")
]


def add_commands(app: typer.Typer) -> None:
    """Adds this group's commands."""
    group = typer.Typer(help="The recognisers that are here.", no_args_is_help=True)
    group.command("list")(list_all)
    group.command()(show)
    group.command("import")(import_folder)
    group.command()(compare)
    group.command()(promote)
    group.command()(rollback)
    app.add_typer(group, name="models")


def list_all(context: typer.Context, as_json: Json = False) -> None:
    """List the model versions that are here, the newest first.

    Example: castline models list
    """
    settings: Settings = context.obj
    found, unreadable = list_models([settings.models_folder])
    life = _life(settings)
    if as_json:
        print_json([_model_json(version, life) for version in found])
    else:
        print_table(
            ("model", "labels", "accuracy", "macro-F1", "created", "promoted", "default", "folder"),
            [
                (
                    version.manifest.reference,
                    str(len(version.manifest.labels)),
                    _figure(version, "accuracy"),
                    _figure(version, "macro_f1"),
                    version.manifest.created_at[:10],
                    _promoted(life.of(version)),
                    "yes" if life.is_in_use(version) else "",
                    str(version.folder),
                )
                for version in found
            ],
            numbers="labels accuracy macro-F1",
        )
    for error in unreadable:
        say_error(error)
    raise typer.Exit(EXIT_PARTIAL if unreadable else 0)


def show(context: typer.Context, model: Reference, as_json: Json = False) -> None:
    """Show a model version: what it knows, its thresholds, its figures, where its report is.

    Example: castline models show springfield
    """
    version = find_model(model, [context.obj.models_folder])
    life = _life(context.obj)
    content = _model_json(version, life)
    if as_json:
        print_json(content)
        return
    manifest = version.manifest
    rows = [
        ("sha256", version.sha256),
        ("created", manifest.created_at),
        ("folder", content["folder"]),
        ("report", content["report"] or "none"),
        ("model card", content["model_card"] or "none"),
        ("network", f"{manifest.network}, weights of {content['weights_bytes'] / 1e6:.1f} MB"),
        *((f"  {name}", str(value)) for name, value in manifest.network_parameters.items()),
        ("preprocessing", manifest.preprocessing),
        ("regions", ", ".join(manifest.regions)),
        (
            "closer view",
            f"{manifest.closer_view:g} of the side" if manifest.closer_view else "none",
        ),
        (
            "glance",
            f"at {manifest.glance_side} px, {manifest.glance_clear:g} is enough"
            if manifest.glance_side
            else "none",
        ),
        ("loss", manifest.loss or "not written down"),
        ("temperature", f"{manifest.temperature:.3f}"),
        ("training data", f"sha256 {manifest.training_data_sha256}"),
        ("terms", manifest.licence),
        *((name, f"{value:.6g}") for name, value in manifest.metrics.items()),
    ]
    rows += [("promoted", _describe(each)) for each in life.of(version)]
    heading = "used by default" if content["is_default"] else ""
    print_table((manifest.reference, heading), rows)
    say("")
    _print_thresholds(version)


def import_folder(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="A model version's folder.", show_default=False)],
) -> None:
    """Take over a model version's folder from elsewhere, once it was checked.

    Example: castline models import downloads/springfield-4
    """
    from model.importing import import_model_version

    imported = import_model_version(folder, context.obj.models_folder)
    reference, place = imported.version.manifest.reference, imported.version.folder
    if imported.is_new:
        say(f"{reference}: imported to {place}; use it with --model {reference}")
    else:
        say(f"{reference}: is there already, in {place}")


@dataclass(frozen=True)
class _Life:
    """What became of the model versions that are here."""

    sha256_in_use: str
    promotions: tuple[PromotionRecord, ...]

    def is_in_use(self, version: "ModelVersion") -> bool:
        """Whether new runs use it unless told otherwise."""
        return version.sha256 == self.sha256_in_use

    def of(self, version: "ModelVersion") -> list[PromotionRecord]:
        """Its promotions, oldest first."""
        return [each for each in self.promotions if each.model_sha256 == version.sha256]


def _life(settings: "Settings") -> _Life:
    with open_workplace(settings) as place, place.database.read() as connection:
        sha256 = promoted_sha256(connection) or find_model(None).sha256
        return _Life(sha256, tuple(list_promotions(connection)))


def _promoted(promotions: list[PromotionRecord]) -> str:
    standing = [each for each in promotions if each.withdrawn_at is None]
    if not standing:
        return ""
    return f"{standing[-1].promoted_at:%Y-%m-%d}{' by force' if standing[-1].is_forced else ''}"


def _describe(promotion: PromotionRecord) -> str:
    parts = [f"{promotion.promoted_at:%Y-%m-%d %H:%M} UTC"]
    if promotion.requirement:
        parts.append(f"required {promotion.requirement}")
    if promotion.is_forced:
        parts += ["by force", *promotion.regressions]
    if promotion.withdrawn_at:
        parts.append(f"rolled back {promotion.withdrawn_at:%Y-%m-%d %H:%M} UTC")
    return "; ".join(parts)


def _figure(version: "ModelVersion", name: str) -> str:
    value = version.manifest.metrics.get(name)
    return "" if value is None else f"{value:.3f}"


def _print_thresholds(version: "ModelVersion") -> None:
    manifest = version.manifest
    common = (manifest.onset, manifest.offset)
    rows = []
    for label in manifest.labels:
        if label == UNKNOWN:
            continue  # never a tag
        onset, offset = manifest.label_thresholds.get(label, common)
        own = "own" if label in manifest.label_thresholds else ""
        rows.append((manifest.names[label], label, f"{onset:.3f}", f"{offset:.3f}", own))
    print_table(("character", "label", "onset", "offset", ""), rows, numbers="onset offset")


def _model_json(version: "ModelVersion", life: _Life) -> dict[str, Any]:
    manifest = version.manifest
    report = version.folder / REPORT
    card = report / MODEL_CARD
    return {
        "model": manifest.reference,
        "name": manifest.name,
        "version": manifest.version,
        "sha256": version.sha256,
        "folder": str(version.folder),
        "is_default": life.is_in_use(version),
        "promotions": [
            {
                "promoted_at": each.promoted_at.isoformat(),
                "requirement": each.requirement,
                "is_forced": each.is_forced,
                "regressions": list(each.regressions),
                "withdrawn_at": each.withdrawn_at.isoformat() if each.withdrawn_at else None,
            }
            for each in life.of(version)
        ],
        "is_bundled": version.folder.parent == bundled_folder(),
        "created_at": manifest.created_at,
        "labels": list(manifest.labels),
        "names": manifest.names.shown(manifest.labels),
        "network": manifest.network,
        "network_parameters": dict(manifest.network_parameters),
        "weights_bytes": version.weights_path.stat().st_size,
        "preprocessing": manifest.preprocessing,
        "regions": list(manifest.regions),
        "closer_view": manifest.closer_view,
        "glance_side": manifest.glance_side,
        "glance_clear": manifest.glance_clear,
        "loss": manifest.loss or None,
        "temperature": manifest.temperature,
        "onset": manifest.onset,
        "offset": manifest.offset,
        "label_thresholds": {label: list(p) for label, p in manifest.label_thresholds.items()},
        "metrics": dict(manifest.metrics),
        "training_data_sha256": manifest.training_data_sha256,
        "licence": manifest.licence,
        "report": str(report) if report.is_dir() else None,
        "model_card": str(card) if card.is_file() else None,
    }
