"""Keep the models of unfinished runs across upgrades, and report missing ones."""

from collections.abc import Sequence
from contextlib import suppress
from shlex import quote

from db.records import RunRecord
from model.errors import ModelError
from model.version.artifact import ModelVersion, bundled_folder, list_models
from worker.settings import Settings


def keep_model(settings: Settings, version: ModelVersion) -> None:
    """Copy a bundled model version into the library before a run of it is created.

    The next version of Castline may bundle another model instead. If the copy fails, the run is
    created all the same, and `absent_models` reports it if the model ever goes missing.
    """
    if version.folder.parent == bundled_folder():
        from model.importing import copy_model_version

        with suppress(ModelError, OSError):
            copy_model_version(version, settings.models_folder)


def absent_models(settings: Settings, runs: Sequence[RunRecord]) -> list[str]:
    """Return a line with the remedy for each missing model of open runs."""
    waiting: dict[str, tuple[str, list[RunRecord]]] = {}
    for run in runs:
        if run.is_open:
            waiting.setdefault(run.model_sha256, (run.model, []))[1].append(run)
    if not waiting:
        return []
    here = {version.sha256 for version in list_models([settings.models_folder])[0]}
    return [
        _told(model, sha256, of_it)
        for sha256, (model, of_it) in waiting.items()
        if sha256 not in here
    ]


def _told(model: str, sha256: str, runs: Sequence[RunRecord]) -> str:
    first = runs[0]
    numbers = ", ".join(str(run.id) for run in runs[:3]) + (", ..." if len(runs) > 3 else "")
    return (
        f"{model} ({sha256[:12]}) is not here, and {len(runs)} unfinished"
        f" {'run waits' if len(runs) == 1 else 'runs wait'} for it ({numbers}): castline models"
        f" import its folder, or castline cancel {first.id} and castline rerun --all"
        f" {quote(first.episode)}"
    )
