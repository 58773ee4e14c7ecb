"""What a claimed chunk is about: all that its step needs to know, read at once."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from sqlalchemy import Connection, select

from db.episodes import episode_record
from db.records import Claim, EpisodeRecord, ExtractedChunk
from db.runs import extracted_record
from db.schema import chunk, episode, model_version, run

Found: TypeAlias = tuple[str, ExtractedChunk]
"""The parameters of another run, as JSON, and what its extraction said."""


@dataclass(frozen=True)
class ClaimedChunk:
    """A claimed chunk, its run and its episode."""

    claim: Claim
    params: str
    """The run's parameters, as JSON."""
    model_sha256: str
    episode: EpisodeRecord
    sampled_pts: tuple[int, ...]
    """What its extraction said; empty before."""


def claimed_chunks(connection: Connection, claims: Sequence[Claim]) -> list[ClaimedChunk]:
    """All that is known of claimed chunks, in the order of the claims."""
    rows = connection.execute(
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
        .where(chunk.c.id.in_([claim.chunk_id for claim in claims]))
    )
    found = {row.chunk_id: row for row in rows}
    episodes = {row.id: row for row in found.values()}
    records = {episode_id: episode_record(row) for episode_id, row in episodes.items()}
    return [
        ClaimedChunk(
            claim,
            row.params,
            row.model_sha256,
            records[row.id],
            tuple(json.loads(row.sampled_pts or "[]")),
        )
        for claim in claims
        for row in [found[claim.chunk_id]]
    ]


def extracted_before(
    connection: Connection, claims: Sequence[Claim]
) -> Mapping[int, Sequence[Found]]:
    """Extractions of the very ranges of claimed chunks by other runs of their episodes.

    Returns:
        Of the ids of chunks that have some: what was found, latest first.
    """
    mine, my_run = chunk.alias("mine"), run.alias("my_run")
    rows = connection.execute(
        select(chunk, run.c.params, mine.c.id.label("mine"))
        .join(run, run.c.id == chunk.c.run_id)
        .join(my_run, my_run.c.episode_id == run.c.episode_id)
        .join(mine, mine.c.run_id == my_run.c.id)
        .where(
            mine.c.id.in_([claim.chunk_id for claim in claims]),
            run.c.id != my_run.c.id,
            chunk.c.start_pts == mine.c.start_pts,
            chunk.c.end_pts == mine.c.end_pts,
            chunk.c.state.in_(("extracted", "tagged")),
        )
        .order_by(run.c.id.desc())
    )
    found: dict[int, list[Found]] = defaultdict(list)
    for row in rows:
        found[row.mine].append((row.params, extracted_record(row)))
    return found
