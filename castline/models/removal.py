"""Remove model versions on a user's request, with all their runs."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from castline.errors import RequestError
from castline.models.in_use import sha256_in_use
from castline.tables import Row
from castline.upkeep.pruning import RUNS_AT_ONCE, size_of_model
from db.changes.pruning import count_rows, needed_promotions
from db.changes.removing import (
    episodes_showing,
    remove_model,
    remove_runs_of_model,
    runs_of_model,
)
from model.version.artifact import ModelVersion, bundled_folder, find_model
from worker.installation import Installation


@dataclass(frozen=True)
class ModelRemoval(Row):
    """A model version to remove, and what is removed with it."""

    model: str
    """NAME@VERSION of the model."""
    folder: Path
    """Its folder."""
    size_bytes: int
    """Size of the folder."""
    runs: tuple[int, ...]
    """Numbers of its runs."""
    episodes_shown: int
    """Number of episodes that show one of its runs, and then those of another model or none."""
    tags: int
    """Number of tags of its runs."""
    appearances: int
    """Number of appearances of its runs."""


def plan_removal(installation: Installation, reference: str) -> ModelRemoval:
    """Return what removing a model version would remove; change nothing.

    Raises:
        ModelError: There is no such model version.
        RequestError: It is the bundled one, the one in use, or the one of the next rollback.
    """
    version = _removable(installation, reference)
    with installation.database.read() as connection:
        run_ids = runs_of_model(connection, version.sha256)
        rows = count_rows(connection, run_ids)
        shown = episodes_showing(connection, run_ids)
    return ModelRemoval(
        version.manifest.reference,
        version.folder,
        size_of_model(version),
        tuple(run_ids),
        len(shown),
        rows.tags,
        rows.appearances,
    )


def remove(installation: Installation, reference: str) -> None:
    """Remove a model version with its runs and its folder.

    Raises:
        ModelError: There is no such model version.
        RequestError: It is the bundled one, the one in use, or the one of the next rollback.
    """
    version = _removable(installation, reference)
    with installation.database.read() as connection:
        run_ids = runs_of_model(connection, version.sha256)
    for start in range(0, len(run_ids), RUNS_AT_ONCE):
        with installation.database.write() as connection:
            remove_runs_of_model(connection, run_ids[start : start + RUNS_AT_ONCE])
    with installation.database.write() as connection:
        remove_runs_of_model(connection, runs_of_model(connection, version.sha256))
        remove_model(connection, version.sha256)
    shutil.rmtree(version.folder)
    version.compiled_path.unlink(missing_ok=True)


def _removable(installation: Installation, reference: str) -> ModelVersion:
    version = find_model(reference, [installation.settings.models_folder])
    name = version.manifest.reference
    if version.folder.parent == bundled_folder():
        raise RequestError(f"{name}: comes with Castline; it cannot be removed")
    if version.sha256 == sha256_in_use(installation):
        raise RequestError(
            f"{name}: is in use; first run: castline models promote of another, or castline models"
            " rollback"
        )
    with installation.database.read() as connection:
        needed = needed_promotions(connection)
    if version.sha256 in {item.model_sha256 for item in needed}:
        raise RequestError(
            f"{name}: castline models rollback goes back to it; promote another model first"
        )
    return version
