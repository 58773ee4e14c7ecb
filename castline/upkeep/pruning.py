"""Remove unreferenced data: runs from the database, stored frames, model folders."""

import math
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from castline.tables import Row
from castline.tagging.enqueue import model_record
from db.changes.pruning import (
    RunRows,
    count_rows,
    frames_in_use,
    prunable_models,
    prunable_runs,
    remove_models,
    remove_runs,
)
from db.engine import Transaction
from db.library.episodes import get_episode
from db.records import EpisodeRecord, RunRecord
from model.version.artifact import ModelVersion, find_model, models_in
from worker.installation import Installation
from worker.parameters import RunParameters

RUNS_AT_ONCE = 50
"""A transaction with their 130,000 tags takes a second or two, during which others wait."""


@dataclass(frozen=True)
class Pruning(Row):
    """The items to remove."""

    runs: tuple[RunRecord, ...]
    rows: RunRows
    frames: tuple[str, ...]
    """Names of files in the frame store."""
    frames_bytes: int
    model_sha256s: tuple[str, ...]
    """SHA-256 of the model versions."""
    models: tuple[ModelVersion, ...]
    """Those of them with a local folder."""
    models_bytes: int

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to remove."""
        return not (self.runs or self.frames or self.model_sha256s)

    def to_dict(self) -> dict[str, Any]:
        """Return the output of `castline prune --json`, described in docs/reference/json.md."""
        return {
            "runs": [
                {"run": run.id, "episode": run.episode, "model": run.model, "state": run.state}
                for run in self.runs
            ],
            "tags": self.rows.tags,
            "appearances": self.rows.appearances,
            "frames": len(self.frames),
            "frames_bytes": self.frames_bytes,
            "models": [
                {"model": item.manifest.reference, "folder": str(item.folder)}
                for item in self.models
            ],
            "models_bytes": self.models_bytes,
        }


def plan_pruning(installation: Installation) -> Pruning:
    """Find unreferenced data, without changing anything."""
    # Listed before the database is read: a file that comes later belongs to a run that is read.
    files = {file.name: file.size_bytes for file in installation.frames.kept_files.entries()}
    bundled = model_record(find_model(None))
    with installation.database.read() as connection:
        runs = prunable_runs(connection, bundled)
        run_ids = [run.id for run in runs]
        rows = count_rows(connection, run_ids)
        sha256s = prunable_models(connection, run_ids, bundled)
        kept = set(_kept_files(installation, connection, run_ids))
    frames = tuple(sorted(name for name in files if name.endswith(".zip") and name not in kept))
    models = tuple(
        version
        for version in models_in(installation.settings.models_folder)
        if version.sha256 in sha256s
    )
    return Pruning(
        runs=tuple(runs),
        rows=rows,
        frames=frames,
        frames_bytes=sum(files[name] for name in frames),
        model_sha256s=tuple(sha256s),
        models=models,
        models_bytes=sum(map(size_of_model, models)),
    )


def prune(installation: Installation, pruning: Pruning) -> None:
    """Remove the planned items, except those that came into use since; idempotent.

    Raises:
        OSError: A file or folder cannot be removed; earlier ones are gone.
        StorageUnreachable: The frame store is on storage that does not answer.
    """
    ids = [run.id for run in pruning.runs]
    bundled = model_record(find_model(None))
    for start in range(0, len(ids), RUNS_AT_ONCE):
        with installation.database.write() as connection:
            remove_runs(connection, ids[start : start + RUNS_AT_ONCE], bundled)
    with installation.database.read() as connection:
        kept = set(_kept_files(installation, connection, []))
    remove_frames(installation, [name for name in pruning.frames if name not in kept])
    with installation.database.write() as connection:
        gone = remove_models(connection, pruning.model_sha256s, bundled)
    for version in pruning.models:
        if version.sha256 in gone:
            shutil.rmtree(version.folder)
            version.compiled_path.unlink(missing_ok=True)


def remove_frames(installation: Installation, names: Iterable[str]) -> None:
    """Removes files of the frame store, here and for all machines.

    Raises:
        StorageUnreachable: The frame store lies on storage that does not answer.
    """
    for name in names:
        installation.frames.kept_files.evict(name, unless_used_since=math.inf)
        copy = installation.frames.folder / name  # of what lies on shared storage
        copy.unlink(missing_ok=True)
        _remove_empty(copy.parent, installation.frames.folder)


def _kept_files(
    installation: Installation, connection: Transaction, pruned_run_ids: Sequence[int]
) -> Iterator[str]:
    """Yield the names of the frame store's files that belong to the kept runs."""
    store = installation.frames
    episodes: dict[int, EpisodeRecord] = {}
    for episode_id, params, start_pts, end_pts in frames_in_use(connection, pruned_run_ids):
        if episode_id not in episodes:
            episodes[episode_id] = get_episode(connection, episode_id)
        episode = episodes[episode_id]
        every_seconds = RunParameters.from_json(params).every_seconds
        path = store.path_for(episode.sha256, every_seconds, start_pts, end_pts, episode.area)
        yield store.name_of(path)


def _remove_empty(folder: Path, top: Path) -> None:
    """Remove a folder and its parents, as long as they are empty."""
    with suppress(OSError):  # it is not empty, or another process removed it
        while folder != top:
            folder.rmdir()
            folder = folder.parent


def size_of_model(version: ModelVersion) -> int:
    """Return the size of a model version's files in bytes."""
    return sum(map(_size, (*version.folder.rglob("*"), version.compiled_path)))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:
        return 0  # removed in the meantime
