"""Exact ranges of labels by episode, on which set expressions are evaluated."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from typing import Any

from sqlalchemy import Connection, Row, select

from db.failures import reading_rows
from db.library.current import CURRENT, RunSelection, selected_runs
from db.library.layers import CORRECTED, Layer
from db.library.runs import part_of
from db.questions.appearances import ANY_SEASON, Season
from db.schema import episode, run
from exact.ranges import PtsRange, PtsRanges, load_ranges


@dataclass(frozen=True)
class EpisodeSpan:
    """An episode with a shown run: the range it examined, in pts, and what is missing from it."""

    episode_id: int
    run_id: int
    name: str
    time_base: Fraction
    start_pts: int
    """Of the episode."""
    examined: PtsRange
    missing: PtsRanges


def selected_spans(
    connection: Connection,
    *,
    episode_id: int | None = None,
    season: Season = ANY_SEASON,
    showing: Collection[str] = (),
    selection: RunSelection = CURRENT,
) -> Iterator[EpisodeSpan]:
    """Yield the episodes with a shown run, by name; callers mostly take a few of many.

    Args:
        connection: An open connection.
        episode_id: Only this one.
        season: Only of this season.
        showing: Only those in which these labels appear, and each two of them together somewhere.
        selection: The runs; the current ones by default.
    """
    runs = selected_runs(selection)
    query = (
        select(
            runs.c.episode_id,
            runs.c.run_id,
            episode.c.name,
            episode.c.time_base_num,
            episode.c.time_base_den,
            episode.c.start_pts,
            episode.c.end_pts,
            run.c.missing,
            run.c.part_start_pts,
            run.c.part_end_pts,
        )
        .join(episode, episode.c.id == runs.c.episode_id)
        .join(run, run.c.id == runs.c.run_id)
        .order_by(episode.c.name, episode.c.id)
    )
    if episode_id is not None:
        query = query.where(runs.c.episode_id == episode_id)
    query = query.where(*season.conditions)
    # The stored totals choose a few episodes too many where repeats are left out, but fast.
    run_label, run_pair = selection.whole_layer.run_label, selection.whole_layer.run_pair
    for label in showing if len(showing) == 1 else ():
        query = query.join(run_label, run_label.c.run_id == runs.c.run_id)
        query = query.where(run_label.c.label == label)
    for label, other in combinations(sorted(showing), 2):
        pair = run_pair.alias()
        query = query.join(pair, pair.c.run_id == runs.c.run_id)
        query = query.where(pair.c.label == label, pair.c.other == other)
    return map(_span, connection.execute(query).all())


@reading_rows()
def _span(row: Row[*tuple[Any, ...]]) -> EpisodeSpan:
    return EpisodeSpan(
        row.episode_id,
        row.run_id,
        row.name,
        Fraction(row.time_base_num, row.time_base_den),
        row.start_pts,
        part_of(row.part_start_pts, row.part_end_pts) or (row.start_pts, row.end_pts),
        load_ranges(row.missing),
    )


def label_ranges(
    connection: Connection,
    run_ids: Sequence[int],
    labels: Collection[str],
    layer: Layer = CORRECTED,
) -> dict[int, dict[str, list[tuple[int, int]]]]:
    """Return half-open (start_pts, end_pts) of appearances by run and label, in order of time."""
    appearance = layer.appearance
    query = (
        select(
            appearance.c.run_id, appearance.c.label, appearance.c.start_pts, appearance.c.end_pts
        )
        .where(appearance.c.run_id.in_(run_ids), appearance.c.label.in_(sorted(labels)))
        .order_by(appearance.c.run_id, appearance.c.label, appearance.c.start_pts)
    )
    found: dict[int, dict[str, list[tuple[int, int]]]] = {run_id: {} for run_id in run_ids}
    for run_id, label, start_pts, end_pts in connection.execute(query).all():
        found[run_id].setdefault(label, []).append((start_pts, end_pts))
    return found
