"""Writes other than those of the queue: episodes, model versions, runs, tags, appearances.

Each function takes an open connection: the caller decides what shares its transaction. Registering
is idempotent, also from many processes concurrently: it returns the same row.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, bindparam, delete, func, insert, select, update

from db.changes.appearances import FoundInRun, replace_appearances
from db.changes.corrections import forget_raw
from db.changes.episodes import move_episode
from db.changes.showing import update_current_run
from db.engine import insert_ignoring_conflict
from db.errors import NotFoundError
from db.library.episode_rows import episode_values
from db.library.episodes import get_episode
from db.locks import lock_episodes, lock_run
from db.queue.claims import database_now, first_token
from db.records import (
    AppearanceRecord,
    Claim,
    EpisodeRecord,
    ModelVersionRecord,
    TagRecord,
)
from db.rows import insert_rows
from db.schema import chunk, episode, model_version, run, tag
from db.states import OPEN_CHUNK_STATES, OPEN_RUN_STATES, ChunkState, Lane, RunState
from exact.ranges import PtsRange, PtsRanges, dump_ranges


def register_episode(connection: Connection, record: EpisodeRecord) -> int:
    """Return the id of the episode with this content, which is added if it is new, and locked.

    The name, path and stamp of an existing episode are updated.
    """
    values = episode_values(record) | {"added_at": database_now(connection)}
    known_id = _insert_once(connection, episode, values, ("sha256",))
    lock_episodes(connection, [known_id])
    known = get_episode(connection, known_id)
    if known.uri != record.uri:
        move_episode(connection, known, record.uri, record.name, record.file_stamp)
    elif known.file_stamp != record.file_stamp:
        connection.execute(
            update(episode).where(episode.c.id == known_id).values(file_stamp=record.file_stamp)
        )
    return known_id


def register_model_version(connection: Connection, record: ModelVersionRecord) -> int:
    """Return the id of the model version with this SHA-256, which is added if it is new."""
    values = {
        "name": record.name,
        "version": record.version,
        "sha256": record.sha256,
        "labels": json.dumps(record.labels, ensure_ascii=False),
        "names": json.dumps(dict(record.names), ensure_ascii=False, sort_keys=True),
        "preprocessing": record.preprocessing,
        "metrics": json.dumps(record.metrics, sort_keys=True),
        "created_at": record.created_at,
    }
    return _insert_once(connection, model_version, values, ("sha256",))


def create_run(
    connection: Connection,
    *,
    episode_id: int,
    model_version_id: int,
    params: str,
    params_hash: str,
    chunks: Sequence[tuple[int, int]],
    missing: PtsRanges,
    part: PtsRange | None = None,
    lane: Lane = Lane.BULK,
) -> tuple[int, bool]:
    """Return the run of a model version over an episode with these parameters; create it if new.

    Its parameters are in use from now on.

    Args:
        connection: A connection inside a write transaction.
        episode_id: The episode, which is locked with its runs.
        model_version_id: The model version, which is locked.
        params: The parameters, as JSON with sorted keys.
        params_hash: Their hash, equal for equal parameters and parts.
        chunks: Half-open [start_pts, end_pts) of each chunk, in order of time.
        missing: Ranges of the examined part that are missing from the file.
        part: The range to examine; None for the whole episode.
        lane: Lane of a new run; an existing `bulk` run becomes `interactive` on request.

    Returns:
        The run's id, and whether it is new.
    """
    key = {
        "episode_id": episode_id,
        "model_version_id": model_version_id,
        "params_hash": params_hash,
    }
    found = _find_id(connection, run, key)
    if found is not None:
        changed = {"asked": _next_asked(episode_id)}
        if lane == Lane.INTERACTIVE:
            changed["lane"] = lane
        connection.execute(update(run).where(run.c.id == found).values(changed))
        return found, False
    values = key | {
        "asked": _next_asked(episode_id),
        "params": params,
        "state": RunState.QUEUED,
        "lane": lane,
        "chunks_total": len(chunks),
        "chunks_done": 0,
        "frames": 0,
        "decode_errors": 0,
        "missing": dump_ranges(missing),
        "part_start_pts": part[0] if part else None,
        "part_end_pts": part[1] if part else None,
        "queued_at": database_now(connection),
    }
    statement = insert_ignoring_conflict(connection, run).values(values).returning(run.c.id)
    run_id = connection.execute(statement).scalar_one_or_none()
    if run_id is None:  # another process was faster
        return _require_id(connection, run, key), False
    connection.execute(
        insert(chunk),
        [
            {
                "run_id": run_id,
                "number": number,
                "start_pts": start_pts,
                "end_pts": end_pts,
                "state": ChunkState.QUEUED,
                "attempts": 0,
                "losses": 0,
                "token": first_token(),
                "frames_decoded": 0,
                "decode_errors": 0,
                "missing": "[]",
            }
            for number, (start_pts, end_pts) in enumerate(chunks)
        ],
    )
    return run_id, True


def _next_asked(episode_id: int) -> Any:
    other = run.alias("other")
    latest = select(func.coalesce(func.max(other.c.asked), 0) + 1)
    return latest.where(other.c.episode_id == episode_id).scalar_subquery()


def replace_tags(connection: Connection, tags: Mapping[Claim, Sequence[TagRecord]]) -> None:
    """Replace the tags of the chunks' time ranges by these; idempotent."""
    connection.execute(
        _DELETE_TAGS,
        [
            {"of_run": claim.run_id, "start_pts": claim.start_pts, "end_pts": claim.end_pts}
            for claim in tags
        ],
    )
    rows = [
        (
            claim.run_id,
            *(one.pts, one.label, one.region, one.confidence, one.seconds),
            *(one.place.shares if one.place else _NO_PLACE),
        )
        for claim, found in tags.items()
        for one in found
    ]
    insert_rows(connection, tag, _TAG_COLUMNS, rows)


_DELETE_TAGS = delete(tag).where(
    tag.c.run_id == bindparam("of_run"),
    tag.c.pts >= bindparam("start_pts"),
    tag.c.pts < bindparam("end_pts"),
)

_NO_PLACE = (None, None, None, None)

_TAG_COLUMNS = (
    *("run_id", "pts", "label", "region", "confidence", "seconds"),
    *("place_x", "place_y", "place_width", "place_height"),
)


def finish_run(
    connection: Connection,
    *,
    run_id: int,
    episode_id: int,
    state: RunState,
    frames: int,
    decode_errors: int,
    missing: PtsRanges,
    error: str | None,
    appearances: Sequence[AppearanceRecord],
) -> None:
    """End a run of a locked episode: write raw appearances, its state and the current run."""
    connection.execute(
        update(run)
        .where(run.c.id == run_id)
        .values(
            state=state,
            keeps_partial=False,
            frames=frames,
            decode_errors=decode_errors,
            missing=dump_ranges(missing),
            error=error,
            ended_at=database_now(connection),
        )
    )
    forget_raw(connection, [run_id])
    episode_of_run = get_episode(connection, episode_id)
    replace_appearances(connection, [FoundInRun(run_id, episode_of_run, appearances)])
    update_current_run(connection, episode_id, run_id)


def cancel_run(connection: Connection, run_id: int) -> RunState:
    """Stop an open run; later writes of its workers are refused.

    Returns:
        The state of the run now.

    Raises:
        NotFoundError: There is no such run.
    """
    state = _lock_required_run(connection, run_id)
    if state not in OPEN_RUN_STATES:
        return state
    connection.execute(
        update(run)
        .where(run.c.id == run_id)
        .values(state=RunState.CANCELLED, ended_at=database_now(connection))
    )
    connection.execute(
        update(chunk)
        .where(chunk.c.run_id == run_id, chunk.c.state.in_(OPEN_CHUNK_STATES))
        .values(worker=None, lease_until=None, token=chunk.c.token + 1)
    )
    return RunState.CANCELLED


def retry_run(connection: Connection, run_id: int) -> int:
    """Queue the unfinished chunks of a cancelled, failed or partial run again.

    Returns:
        The number of chunks queued; 0 leaves the run unchanged.

    Raises:
        NotFoundError: There is no such run.
    """
    if _lock_required_run(connection, run_id) in OPEN_RUN_STATES:
        return 0
    undone = (*OPEN_CHUNK_STATES, ChunkState.QUARANTINED)
    quarantined = connection.execute(
        update(chunk)
        .where(chunk.c.run_id == run_id, chunk.c.state == ChunkState.QUARANTINED)
        .values(state=ChunkState.QUEUED)
    ).rowcount
    offered = connection.execute(
        update(chunk)
        .where(chunk.c.run_id == run_id, chunk.c.state.in_(undone))
        .values(attempts=0, losses=0, error=None, worker=None, lease_until=None)
    ).rowcount
    if offered:
        connection.execute(
            update(run)
            .where(run.c.id == run_id)
            .values(
                state=RunState.QUEUED,
                keeps_partial=run.c.keeps_partial | (run.c.state == RunState.PARTIAL),
                error=None,
                ended_at=None,
                chunks_done=run.c.chunks_done - quarantined,
            )
        )
    return offered


def _lock_required_run(connection: Connection, run_id: int) -> RunState:
    state = lock_run(connection, run_id)
    if state is None:
        raise NotFoundError(f"run {run_id}: there is no such run; castline status lists them")
    return state


def _insert_once(
    connection: Connection, table: Table, values: dict[str, Any], unique: tuple[str, ...]
) -> int:
    key = {name: values[name] for name in unique}
    found = _find_id(connection, table, key)
    if found is not None:
        return found
    connection.execute(insert_ignoring_conflict(connection, table).values(values))
    return _require_id(connection, table, key)


def _find_id(connection: Connection, table: Table, key: Mapping[str, object]) -> int | None:
    wanted = select(table.c.id).where(*(table.c[name] == value for name, value in key.items()))
    found = connection.execute(wanted).scalar_one_or_none()
    return None if found is None else int(found)


def _require_id(connection: Connection, table: Table, key: Mapping[str, object]) -> int:
    found = _find_id(connection, table, key)
    assert found is not None, f"{table.name} was just written"
    return found
