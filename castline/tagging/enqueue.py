"""Turn an episode file into a run in the queue, in one transaction."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import TypeVar

from castline.errors import RequestError
from castline.tagging.parameters import parameters_in_use
from castline.tagging.parts import WHOLE, Part
from castline.tagging.thresholds import parameters_of_new_run
from db.changes.writes import create_run, register_episode, register_model_version
from db.engine import Database
from db.library.episodes import get_episode_by_sha256
from db.library.runs import get_run
from db.locks import lock_runs_of_episode
from db.records import EpisodeRecord, ModelVersionRecord, RunRecord
from db.states import Lane
from exact.picture_area import PictureArea
from exact.ranges import PtsRange, clip
from ingest.decoder.parent import Content, Decoder
from ingest.errors import DecoderLost, IngestError
from ingest.frames.chunks import ChunkRange, plan_chunks
from ingest.media.probe import Probe
from ingest.storage.remote_files import RemoteFiles, is_remote
from model.version.artifact import ModelVersion
from worker.parameters import RunParameters

VIDEO_SUFFIXES = frozenset(
    [
        ".mp4",
        ".m4v",
        ".mov",
        ".mkv",
        ".webm",
        ".avi",
        ".ts",
        ".m2ts",
        ".mts",
        ".flv",
        ".3gp",
        ".3g2",
        ".mj2",
    ]
)
"""Suffixes for which folders are searched: the containers that `ingest` opens. A file given
explicitly is opened whatever its name."""

RETRIES_AFTER_KILL = 3
"""The system's memory killer strikes again immediately where it struck; a person does not."""

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Enqueued:
    """A run, whether it was just created, and the old path of its episode's file, if that moved."""

    run: RunRecord
    is_new: bool
    moved_from: str | None


@dataclass(frozen=True)
class EpisodeFiles:
    """The files found for enqueuing."""

    paths: tuple[Path, ...]
    skipped: tuple[str, ...]
    """A line for each video file or folder that was skipped, and why."""


def find_episode_files(paths: Sequence[Path]) -> EpisodeFiles:
    """Return the files to enqueue: given files, and those in given folders, in order of name.

    A link to a file is taken as that file; a link to a folder is not followed, since it may lead
    to a cycle. Hidden files and folders, which systems leave behind, are skipped silently.

    Raises:
        RequestError: A folder contains no video file.
    """
    found: list[Path] = []
    skipped: list[str] = []
    for path in paths:
        if not os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises for names too long
            found.append(path)
            continue
        before = len(skipped)
        inside = list(_video_files(path, skipped))
        if not inside:
            looked_for = f"looked for {' '.join(sorted(VIDEO_SUFFIXES))}"
            reason = skipped[before] if len(skipped) > before else looked_for
            raise RequestError(f"{path}: no video file in this folder; {reason}")
        found.extend(inside)
    return EpisodeFiles(tuple(found), tuple(skipped))


def _video_files(folder: Path, skipped: list[str]) -> Iterator[Path]:
    """Yield the video files below a folder, at any depth."""
    levels = [iter(_entries(str(folder), skipped))]
    while levels:
        entry = next(levels[-1], None)
        if entry is None:
            levels.pop()
        elif reason := _why_skipped(entry):
            skipped.append(f"{entry.path}: skipped, {reason}")
        elif entry.is_dir(follow_symlinks=False):
            levels.append(iter(_entries(entry.path, skipped)))
        elif _has_suffix(entry) and not entry.is_dir():
            yield Path(entry.path)


def _has_suffix(entry: os.DirEntry[str]) -> bool:
    return Path(entry.name).suffix.lower() in VIDEO_SUFFIXES


def _why_skipped(entry: os.DirEntry[str]) -> str | None:
    """Return why a file or folder cannot be used, or None if it can or is irrelevant."""
    is_link_to_take = entry.is_symlink() and _has_suffix(entry)
    try:
        entry.stat(follow_symlinks=is_link_to_take)
    except OSError as error:
        what = "what the link leads to " if is_link_to_take else ""
        return f"{what}cannot be read ({error.strerror})"
    return None


def _entries(folder: str, skipped: list[str]) -> list[os.DirEntry[str]]:
    """Return the entries of a folder that are not hidden, in order of name."""
    try:
        with os.scandir(folder) as entries:
            shown = [entry for entry in entries if not entry.name.startswith(".")]
    except OSError as error:
        skipped.append(f"{folder}: skipped, cannot be read ({error.strerror})")
        return []
    return sorted(shown, key=lambda entry: entry.name)


def enqueue_episode(
    path: Path,
    *,
    database: Database,
    decoder: Decoder,
    version: ModelVersion,
    parameters: RunParameters | None,
    chunk_seconds: int,
    part: Part = WHOLE,
    lane: Lane = Lane.BULK,
    on_progress: Callable[[int], None] | None = None,
    url: str | None = None,
) -> Enqueued:
    """Probe a file and create its run, or find the existing run.

    The same content under any name is the same episode; with the same model version and parameters
    it is the same run, so the operation is idempotent. Nothing is written unless the file can be
    used. `part` is the part to examine; `url` is the episode's address if the file is a copy from
    shared storage; `parameters` None are the parameters in use. Thresholds that a user set for the
    model version replace those in the parameters.

    Returns:
        The run, whether it is new, and the old path of a file that moved.

    Raises:
        IngestError: The file cannot be used.
        DatabaseError: The database cannot be used.
    """
    probe = retry_on_kill(lambda: decoder.probe(path, on_progress))
    with database.read() as connection:
        known = get_episode_by_sha256(connection, probe.sha256)
        if parameters is None:
            number = known.id if known else None
            parameters = parameters_in_use(connection, version.manifest, number)
    area = known.area if known else find_picture_area(decoder, probe)
    record = _episode_record(probe, area, url)
    moved_from = None
    if known and known.uri != record.uri:
        if _is_where_it_was(known, decoder):
            # A copy: the episode keeps its path, since copies are what people delete.
            record = replace(record, uri=known.uri, file_stamp=known.file_stamp)
        else:
            moved_from = known.uri
    examined = part.range_in(probe)
    chunks = chunks_of(probe, chunk_seconds, examined)
    with database.write() as connection:
        episode_id = register_episode(connection, record)
        lock_runs_of_episode(connection, episode_id)
        model_version_id = register_model_version(connection, model_record(version))
        parameters = parameters_of_new_run(connection, version, parameters)
        run_id, is_new = create_run(
            connection,
            episode_id=episode_id,
            model_version_id=model_version_id,
            params=parameters.to_json(),
            params_hash=parameters.hash_over(examined),
            chunks=[(item.start_pts, item.end_pts) for item in chunks],
            missing=record.missing if examined is None else clip(record.missing, *examined),
            part=examined,
            lane=lane,
        )
        return Enqueued(get_run(connection, run_id), is_new, moved_from)


def chunks_of(
    probe: Probe, chunk_seconds: int, examined: PtsRange | None = None
) -> tuple[ChunkRange, ...]:
    """Plans an episode's chunks; who plans them so finds the frames that tagging has stored.

    The chunks of a part, which starts at a key frame, are those of the episode, clipped.
    """
    start_pts, end_pts = examined or (probe.start_pts, probe.end_pts)
    planned = plan_chunks(
        probe.start_pts,
        probe.end_pts,
        thinned_key_pts(probe.key_pts, probe.time_base),
        probe.time_base,
        Fraction(chunk_seconds),
    )
    return tuple(
        ChunkRange(max(item.start_pts, start_pts), min(item.end_pts, end_pts))
        for item in planned
        if item.start_pts < end_pts and start_pts < item.end_pts
    )


def find_picture_area(decoder: Decoder, probe: Probe) -> PictureArea:
    """Find an episode's picture area; the whole frame where its keyframes are damaged.

    Raises:
        DecoderLost: The decoder was killed repeatedly.
        VideoError: The file was replaced by another one.
    """
    # A file whose keyframes crash the decoder may still be tagged in part, with its bars. A kill is
    # not a reason for this: the area is permanent, and other bars lead to other tags.
    try:
        return retry_on_kill(lambda: decoder.find_picture_area(probe))
    except DecoderLost as lost:
        if lost.killed:
            raise
        return probe.whole_frame
    except IngestError:
        decoder.prove(Path(probe.path), Content.of(probe))  # a replaced file is not damaged
        return probe.whole_frame


def retry_on_kill(ask: Callable[[], Answer]) -> Answer:
    """Retry when another process killed the decoder, which proves nothing against the file.

    Raises:
        DecoderLost: It was killed repeatedly, or lost in another way.
    """
    for _ in range(RETRIES_AFTER_KILL):
        try:
            return ask()
        except DecoderLost as lost:
            if not lost.killed:
                raise
    return ask()


def _is_where_it_was(episode: EpisodeRecord, decoder: Decoder) -> bool:
    if is_remote(episode.uri):
        folder, _, name = episode.uri.rpartition("/")
        return RemoteFiles(folder).has(name)
    try:
        decoder.prove(Path(episode.uri), Content.of(episode))
    except DecoderLost:
        raise
    except IngestError:
        return False
    return True


def _episode_record(probe: Probe, area: PictureArea, url: str | None) -> EpisodeRecord:
    kept = replace(probe, key_pts=thinned_key_pts(probe.key_pts, probe.time_base))
    if url:  # what lies there is known by its content alone
        kept = replace(kept, name=url.rpartition("/")[2], file_stamp="")
    return EpisodeRecord.of(kept, uri=url or probe.path, area=area)


def thinned_key_pts(key_pts: tuple[int, ...], time_base: Fraction) -> tuple[int, ...]:
    """Keep keyframes at least a second apart: a file of only keyframes would fill the database."""
    kept: list[int] = []
    for pts in key_pts:
        if not kept or (pts - kept[-1]) * time_base >= 1:
            kept.append(pts)
    return tuple(kept)


def model_record(version: ModelVersion) -> ModelVersionRecord:
    """Return the database record of a model version."""
    manifest = version.manifest
    return ModelVersionRecord(
        name=manifest.name,
        version=manifest.version,
        sha256=version.sha256,
        labels=manifest.labels,
        names=manifest.names,
        preprocessing=manifest.preprocessing,
        metrics=dict(manifest.metrics),
        created_at=datetime.fromisoformat(manifest.created_at),
    )
