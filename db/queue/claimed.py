"""The details of a claimed chunk that its step needs, read in one query."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from sqlalchemy import Connection, and_, bindparam, select

from db.failures import reading_rows
from db.library.episode_rows import episode_record
from db.library.runs import extracted_record
from db.records import Claim, EpisodeRecord, ExtractedChunk
from db.schema import chunk, episode, model_version, run
from db.states import ChunkState

Found: TypeAlias = tuple[str, ExtractedChunk]
"""The parameters of another run, as JSON, and the result of its extraction."""


@dataclass(frozen=True)
class ClaimedChunk:
    """A claimed chunk, its run and its episode."""

    claim: Claim
    params: str
    """The run's parameters, as JSON."""
    model_sha256: str
    episode: EpisodeRecord
    sampled_pts: tuple[int, ...]
    """The sampled frames from its extraction; empty before."""
    found: tuple[Found, ...]
    """For a chunk to extract: extractions of exactly the same range by other runs of the episode,
    the latest first. Empty if the chunk failed before: they may have caused the failure."""


@reading_rows()
def claimed_chunks(connection: Connection, claims: Sequence[Claim]) -> list[ClaimedChunk]:
    """Return the details of claimed chunks that still exist, in the order of the claims."""
    chunk_ids = [claim.chunk_id for claim in claims]
    rows = {row.chunk_id: row for row in connection.execute(_CLAIMED, {"chunk_ids": chunk_ids})}
    episodes = {row.id: row for row in rows.values()}
    records = {episode_id: episode_record(row) for episode_id, row in episodes.items()}
    found = _extracted_before(connection, claims)
    return [
        ClaimedChunk(
            claim,
            row.params,
            row.model_sha256,
            records[row.id],
            tuple(json.loads(row.sampled_pts or "[]")),
            tuple(found.get(claim.chunk_id, ())),
        )
        for claim, row in ((claim, rows.get(claim.chunk_id)) for claim in claims)
        if row is not None
    ]


_ARE_CLAIMED = chunk.c.id.in_(bindparam("chunk_ids", expanding=True))

_CLAIMED = (
    select(
        chunk.c.id.label("chunk_id"),
        chunk.c.sampled_pts,
        run.c.params,
        model_version.c.sha256.label("model_sha256"),
        episode,
    )
    .join(run, run.c.id == chunk.c.run_id)
    .join(model_version, model_version.c.id == run.c.model_version_id)
    .join(episode, episode.c.id == run.c.episode_id)
    .where(_ARE_CLAIMED)
)


def _extracted_before(
    connection: Connection, claims: Sequence[Claim]
) -> Mapping[int, Sequence[Found]]:
    """Return other runs' extractions, by a chunk's id."""
    fresh = [one.chunk_id for one in claims if one.state is ChunkState.QUEUED and one.attempts == 1]
    found: dict[int, list[Found]] = defaultdict(list)
    for row in connection.execute(_BEFORE, {"chunk_ids": fresh}) if fresh else ():
        found[row.claimed_id].append((row.params, extracted_record(row)))
    return found


_other, _other_run = chunk.alias("other"), run.alias("other_run")

_BEFORE = (
    select(
        _other.c.sampled_pts,
        _other.c.frames_decoded,
        _other.c.decode_errors,
        _other.c.missing,
        _other.c.cuts,
        _other_run.c.params,
        chunk.c.id.label("claimed_id"),
    )
    .join(_other_run, _other_run.c.id == _other.c.run_id)
    .join(run, and_(run.c.episode_id == _other_run.c.episode_id, run.c.id != _other_run.c.id))
    .join(
        chunk,
        and_(
            chunk.c.run_id == run.c.id,
            chunk.c.start_pts == _other.c.start_pts,
            chunk.c.end_pts == _other.c.end_pts,
        ),
    )
    .where(_ARE_CLAIMED, _other.c.state.in_((ChunkState.EXTRACTED, ChunkState.TAGGED)))
    .order_by(_other_run.c.id.desc())
)
