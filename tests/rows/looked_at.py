"""Runs whose frames were looked at, as their chunks tell it: samples, cuts and tags, made up."""

import json
from collections.abc import Mapping, Sequence

import numpy as np
from sqlalchemy import insert, update

from db.engine import Database
from db.records import EpisodeRecord, ModelVersionRecord
from db.schema import chunk, run, tag
from exact.place import Place
from ingest.cuts import SIGNATURE_BYTES, Cuts, Frames
from tests.rows.records import PARAMS, made_episode, make_run
from worker.steps.finish import finish_run_if_complete

EVERY_MS = 500
"""Two samples a second, in the time base of made episodes."""

Seen = Mapping[str, Sequence[tuple[int, int, float]]]
"""By label start and end in milliseconds, and the confidence."""


def looked_at(
    database: Database,
    seen: Seen,
    *,
    cuts: Sequence[int] = (),
    episode: EpisodeRecord | None = None,
    model: ModelVersionRecord | None = None,
    params: str = PARAMS,
    places: Mapping[str, Place] | None = None,
    more_tags: Seen | None = None,
) -> int:
    """A run that ended as a worker ends it, with a tag of each label at each of its samples.

    Args:
        database: To write to.
        seen: Who is seen, from 0.6 on so surely that it is an appearance.
        cuts: The first pts of shots, multiples of EVERY_MS.
        episode: By default the made one.
        model: By default the made one.
        params: Of the run.
        places: Where labels are.
        more_tags: More of the same, as of labels that are too unsure to appear.

    Returns:
        The run's number.
    """
    record = episode or made_episode()
    samples = list(range(record.start_pts, record.end_pts, EVERY_MS))
    whole = ((record.start_pts, record.end_pts),)
    run_id = make_run(database, record, model, whole, params=params)
    shots = np.searchsorted(np.array([*cuts]), samples, side="right")
    signatures = np.repeat((shots % 2 * 200).astype(np.uint8)[:, None], SIGNATURE_BYTES, 1)
    with database.write() as connection:
        connection.execute(
            update(chunk)
            .where(chunk.c.run_id == run_id)
            .values(
                state="tagged",
                sampled_pts=json.dumps(samples),
                cuts=Cuts.among(Frames(tuple(samples), signatures)).to_json(),
            )
        )
        rows = [
            _tag(run_id, pts, label, confidence, (places or {}).get(label))
            for each in (seen, more_tags or {})
            for label, spans in each.items()
            for start, end, confidence in spans
            for pts in samples
            if start <= pts < end
        ]
        if rows:
            connection.execute(insert(tag), rows)
        connection.execute(update(run).where(run.c.id == run_id).values(chunks_done=1))
        assert finish_run_if_complete(connection, run_id)
    return run_id


def _tag(
    run_id: int, pts: int, label: str, confidence: float, place: Place | None
) -> dict[str, object]:
    x, y, width, height = place.shares if place else (None, None, None, None)
    return {
        "run_id": run_id,
        "pts": pts,
        "label": label,
        "region": "full",
        "confidence": confidence,
        "seconds": pts / 1000,
        "place_x": x,
        "place_y": y,
        "place_width": width,
        "place_height": height,
    }
