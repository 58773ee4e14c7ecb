"""Plan the runs of a model over known episodes, from the stored frames."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Literal

from castline.asking.files import is_gone
from castline.tagging.enqueue import model_record
from castline.tagging.parameters import every_seconds_in_use
from castline.tagging.thresholds import parameters_of_new_run, thresholds_in_use
from db.changes.writes import create_run, register_model_version, retry_run
from db.engine import Transaction
from db.library.all_runs import LibraryEntry, chunk_ranges, list_library, untagged_chunks
from db.library.runs import get_run
from db.locks import lock_episodes, lock_runs_of_episode
from db.records import EpisodeRecord, RunRecord
from db.states import RunState
from exact.ranges import PtsRanges
from ingest.frames.chunks import plan_chunks
from ingest.storage.frame_store import FrameStore
from model.version.artifact import ModelVersion
from worker.installation import Installation
from worker.parameters import RunParameters

Which = Literal["missing", "stale", "all"]
"""Episodes without a finished run; episodes whose current run has another model than the one in use
or other parameters; every episode."""


@dataclass(frozen=True)
class Rerun:
    """An episode over which a model is to be run."""

    episode: EpisodeRecord
    reason: str
    """The reason, as text."""
    run: RunRecord | None
    """The run, if it was started before."""
    parameters: RunParameters
    """The parameters in use."""
    chunks: PtsRanges
    """Half-open ranges [start_pts, end_pts): the chunks of an earlier run, whose frames are
    stored."""
    is_stored: bool
    """Whether all its frames are in the frame store."""
    is_gone: bool
    """Whether it cannot run, since the file that it needs is not at its path."""
    frames: float
    """Estimated number of frames left to classify."""

    @property
    def is_done(self) -> bool:
        """Whether the run itself ended well before and only has to become current."""
        return self.run is not None and self.run.state is RunState.DONE


def plan_reruns(
    installation: Installation,
    version: ModelVersion,
    which: Which,
    episode_ids: Collection[int] | None = None,
    since: datetime | None = None,
) -> list[Rerun]:
    """Find the runs to make, without changing anything.

    Args:
        installation: The installation.
        version: The model version to run, with the parameters in use.
        which: The kind of episodes, see `Which`.
        episode_ids: Only these episodes; None for all.
        since: Only episodes that were added at this time or later.

    Returns:
        The planned runs.

    Raises:
        StorageUnreachable: The frame store is on storage that does not answer.
    """
    is_stored = _finder(installation.frames)
    with installation.database.read() as connection:
        thresholds = thresholds_in_use(connection, version)
        entries = [
            entry
            for entry in list_library(connection)
            if (episode_ids is None or entry.episode.id in episode_ids)
            and (since is None or entry.added_at >= since)
        ]
        every_seconds = every_seconds_in_use(connection)
        wanted = [
            (entry, own.with_thresholds(thresholds))
            for entry in entries
            for own in [RunParameters.for_model(version.manifest, every_seconds[entry.episode.id])]
        ]
        return [
            _rerun(installation, connection, entry, reason, version, parameters, is_stored)
            for entry, parameters in wanted
            if (reason := _reason(entry, which, version, parameters)) is not None
        ]


def enqueue_rerun(installation: Installation, rerun: Rerun, version: ModelVersion) -> RunRecord:
    """Create the run, or queue its unfinished work again; a finished run stays unchanged."""
    with installation.database.write() as connection:
        lock_episodes(connection, [rerun.episode.id])
        lock_runs_of_episode(connection, rerun.episode.id)
        model_version_id = register_model_version(connection, model_record(version))
        parameters = parameters_of_new_run(connection, version, rerun.parameters)
        run_id, _ = create_run(
            connection,
            episode_id=rerun.episode.id,
            model_version_id=model_version_id,
            params=parameters.to_json(),
            params_hash=parameters.hash,
            chunks=rerun.chunks,
            missing=rerun.episode.missing,
        )
        retry_run(connection, run_id)
        return get_run(connection, run_id)


def _reason(
    entry: LibraryEntry, which: Which, version: ModelVersion, parameters: RunParameters
) -> str | None:
    """Return why an episode is to be run again; None if it is not."""
    missing, stale = _why_missing(entry), _why_stale(entry, version, parameters)
    if which == "all":
        return missing or stale or "all"
    return missing if which == "missing" else stale


def _why_missing(entry: LibraryEntry) -> str | None:
    shown = entry.current
    if not entry.runs:
        return "never run"
    if shown is not None and shown.part is not None:
        return "only a part was examined"
    if shown is not None and shown.state is RunState.DONE:
        return None
    latest = shown or entry.runs[-1]
    return f"{latest.state}: {latest.error}" if latest.error else latest.state


def _why_stale(entry: LibraryEntry, version: ModelVersion, parameters: RunParameters) -> str | None:
    shown = entry.current
    if shown is None:
        return None
    if shown.model_sha256 != version.sha256:
        return f"by {shown.model}"
    return None if shown.params == parameters.to_json() else "other parameters"


def _rerun(
    installation: Installation,
    connection: Transaction,
    entry: LibraryEntry,
    reason: str,
    version: ModelVersion,
    parameters: RunParameters,
    is_stored: Callable[[Path], bool],
) -> Rerun:
    wanted = (version.sha256, parameters.to_json())
    whole = [run for run in entry.runs if run.part is None]
    run = next((run for run in whole if (run.model_sha256, run.params) == wanted), None)
    chunks = _chunks(installation, connection, entry, run, parameters.every_seconds)
    store, episode = installation.frames, entry.episode
    paths = [
        store.path_for(episode.sha256, parameters.every_seconds, start, end, episode.area)
        for start, end in chunks
    ]
    left = untagged_chunks(connection, run.id) / run.chunks_total if run else 1.0
    all_stored = all(map(is_stored, paths))
    is_done = run is not None and run.state is RunState.DONE
    return Rerun(
        episode=episode,
        reason=reason,
        run=run,
        parameters=parameters,
        chunks=chunks,
        is_stored=all_stored,
        is_gone=not (all_stored or is_done) and is_gone(episode),
        frames=float(episode.duration_seconds / parameters.every_seconds) * left,
    )


def _finder(store: FrameStore) -> Callable[[Path], bool]:
    """Return a function that tells whether a frame store file exists, here or on shared storage."""

    @cache
    def names() -> frozenset[str]:
        return frozenset(file.name for file in store.kept_files.entries())

    return lambda path: (
        path.is_file() or (store.shared is not None and store.name_of(path) in names())
    )


def _chunks(
    installation: Installation,
    connection: Transaction,
    entry: LibraryEntry,
    run: RunRecord | None,
    every_seconds: Fraction,
) -> PtsRanges:
    """Return the chunks of the run itself, of one that stored the wanted frames, or new ones."""
    if run is not None:
        return chunk_ranges(connection, run.id)
    sampled = [
        earlier
        for earlier in entry.runs
        if earlier.part is None
        and RunParameters.from_json(earlier.params).every_seconds == every_seconds
    ]
    if sampled:
        # Of the runs with the most chunks done, the latest.
        best = max(sampled, key=lambda run: (run.chunks_done / run.chunks_total, run.id))
        return chunk_ranges(connection, best.id)
    episode = entry.episode
    planned = plan_chunks(
        episode.start_pts,
        episode.end_pts,
        episode.key_pts,
        episode.time_base,
        Fraction(installation.settings.chunk_seconds),
    )
    return tuple((item.start_pts, item.end_pts) for item in planned)
