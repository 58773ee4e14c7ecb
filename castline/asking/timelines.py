"""Read an episode's appearances as the exact ranges that `timeline` works with."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from db.engine import Transaction
from db.library.current import CURRENT, RunSelection
from db.library.episodes import get_episode_by_sha256, list_episodes
from db.library.places import tags_of_appearances
from db.library.repeats import repeat_ranges
from db.library.runs import ended_chunks
from db.questions.appearances import ANY_SEASON, Season, find_appearances
from db.questions.spans import EpisodeSpan, label_ranges, selected_spans
from db.records import AppearanceRecord, EpisodeRecord, RunRecord
from exact.ranges import PtsRanges, difference, fill_gaps, holds, lasting, union
from model.labels import Names
from timeline.export.formats import Entry, ExportedTimeline, Sighting, smoothed
from timeline.scoring.detection import Detection
from timeline.scoring.truth import LabelledRange

if TYPE_CHECKING:
    from timeline.expressions import Expression

EPISODES_AT_ONCE = 8, 64
"""Episodes whose ranges are read together, at first and at most: few are read in vain where the
first ones suffice, and few queries are needed where many must be read."""


@dataclass(frozen=True)
class FoundRange:
    """A half-open range of an episode in which a set expression holds."""

    episode: str
    episode_id: int
    start_pts: int
    end_pts: int
    start_seconds: Fraction
    """Exact seconds from the episode's first frame, as is the end."""
    end_seconds: Fraction
    appearance: AppearanceRecord | None
    """The appearance with this range, if the expression is a single label and no gap was filled."""


def find_matches(
    connection: Transaction,
    expression: "Expression",
    *,
    episode_id: int | None = None,
    season: Season = ANY_SEASON,
    min_seconds: Fraction = Fraction(0),
    gap_seconds: Fraction = Fraction(0),
    selection: RunSelection = CURRENT,
) -> Iterator[FoundRange]:
    """Yield the ranges in which a set expression holds, by episode and time, read on demand.

    Args:
        connection: An open transaction.
        expression: The expression, with labels as they are stored.
        episode_id: Only in this episode.
        season: Only in this season.
        min_seconds: Only ranges that last at least this long, once gaps are filled.
        gap_seconds: Gaps of at most this length are filled, unless a part was not examined.
        selection: The runs to read; the current ones by default.
    """
    from timeline.expressions import always_shown, evaluate, labels_of

    spans = selected_spans(
        connection,
        episode_id=episode_id,
        season=season,
        showing=always_shown(expression),
        selection=selection,
    )
    for some in _growing(spans):
        run_ids = [span.run_id for span in some]
        ranges = label_ranges(connection, run_ids, labels_of(expression), selection.whole_layer)
        records = _records(connection, run_ids, expression, selection)
        repeats = skipped_ranges(connection, [span.episode_id for span in some], selection)
        for span in some:
            left_out = union([*span.missing, *repeats.get(span.episode_id, ())])
            examined = difference([span.examined], left_out)
            found = evaluate(expression, ranges[span.run_id], examined)
            found = fill_gaps(found, gap_seconds / span.time_base, examined)
            for start_pts, end_pts in lasting(found, min_seconds / span.time_base):
                yield FoundRange(
                    span.name,
                    span.episode_id,
                    start_pts,
                    end_pts,
                    (start_pts - span.start_pts) * span.time_base,
                    (end_pts - span.start_pts) * span.time_base,
                    records.get((span.run_id, start_pts, end_pts)),
                )


def skipped_ranges(
    connection: Transaction, episode_ids: Sequence[int], selection: RunSelection
) -> dict[int, PtsRanges]:
    """Return by episode the ranges that a question leaves out since they recur elsewhere."""
    return repeat_ranges(connection, episode_ids) if selection.skip_repeats else {}


def _growing(spans: Iterator[EpisodeSpan]) -> Iterator[list[EpisodeSpan]]:
    count, most = EPISODES_AT_ONCE
    while some := list(islice(spans, count)):
        yield some
        count = min(2 * count, most)


def _records(
    connection: Transaction,
    run_ids: Sequence[int],
    expression: "Expression",
    selection: RunSelection,
) -> dict[tuple[int, int, int], AppearanceRecord]:
    """Return appearances by run, start and end, if the expression is a single label."""
    from timeline.expressions import Label

    if not isinstance(expression, Label):
        return {}
    # Where repeats are left out, one run after the other is read several times as fast as all.
    selections = (
        [replace(selection, run_id=run_id, model_sha256=None) for run_id in run_ids]
        if selection.skip_repeats
        else [selection]
    )
    return {
        (item.run_id, item.appearance.start_pts, item.appearance.end_pts): item.appearance
        for one in selections
        for item in find_appearances(
            connection, run_ids=run_ids, label=expression.name, selection=one
        )
    }


def labelled_ranges(
    connection: Transaction, episode: EpisodeRecord, selection: RunSelection = CURRENT
) -> list[LabelledRange]:
    """Return the appearances of an episode's shown run, in seconds from its first frame."""
    found = find_appearances(connection, episode_id=episode.id, selection=selection)
    return [
        LabelledRange(
            label=item.appearance.label,
            start_seconds=episode.seconds_at(item.appearance.start_pts),
            end_seconds=episode.seconds_at(item.appearance.end_pts),
        )
        for item in found
    ]


def detections(
    connection: Transaction, episode: EpisodeRecord, selection: RunSelection = CURRENT
) -> list[Detection]:
    """Return the appearances of an episode's selected run, each with its mean confidence."""
    found = find_appearances(connection, episode_id=episode.id, selection=selection)
    ranges = labelled_ranges(connection, episode, selection)
    return [
        Detection(each, item.appearance.mean_confidence)
        for each, item in zip(ranges, found, strict=True)
    ]


@dataclass(frozen=True)
class Wanted:
    """The parts of timelines to export."""

    labels: tuple[str, ...] = ()
    """Only these labels; none means all."""
    expression: "Expression | None" = None
    """Export the ranges of this expression, named by its text, instead of appearances."""
    min_seconds: Fraction = Fraction(0)
    """Only ranges that last at least this long, once gaps are filled."""
    gap_seconds: Fraction = Fraction(0)
    """Gaps of at most this length are filled."""
    chapter_seconds: Fraction = Fraction(0)
    """Least duration of chapters."""
    sightings: bool = False
    """Also read all sampled frames, and the sightings in them."""


def timeline_to_export(
    connection: Transaction,
    episode: EpisodeRecord,
    run: RunRecord,
    wanted: Wanted,
    names: Names,
    selection: RunSelection = CURRENT,
    *,
    name: str,
) -> ExportedTimeline:
    """Return the timeline of an episode's run in the form that the export formats take.

    Args:
        connection: an open transaction.
        episode: as it is stored.
        run: which of its runs.
        wanted: which ranges.
        names: what people call labels.
        selection: whether corrections are left out, and repeats.
        name: what the episode is called.
    """
    selection = replace(selection, run_id=run.id, model_sha256=None)
    repeats = skipped_ranges(connection, [episode.id], selection).get(episode.id, ())
    examined = difference([(episode.start_pts, episode.end_pts)], union([*run.missing, *repeats]))
    entries = list(
        _entries_of_labels(connection, episode, selection, wanted.labels)
        if wanted.expression is None
        else _entries_of_expression(connection, episode, selection, wanted.expression)
    )
    if wanted.min_seconds or wanted.gap_seconds:
        gap_pts, shortest_pts = (
            seconds / episode.time_base for seconds in (wanted.gap_seconds, wanted.min_seconds)
        )
        entries = smoothed(entries, examined, gap_pts, shortest_pts)
    timeline = ExportedTimeline(
        name=name,
        path=episode.uri,
        sha256=episode.sha256,
        model=run.model,
        time_base=episode.time_base,
        start_pts=episode.start_pts,
        end_pts=episode.end_pts,
        frame_rate=episode.frame_rate,
        rate_varies=episode.rate_varies,
        examined=run.examined,
        missing=run.missing,
        entries=entries,
        width=episode.width,
        height=episode.height,
        picture_width=episode.area.width,
        picture_height=episode.area.height,
        names=(names.shown(entry.label for entry in entries) if wanted.expression is None else {}),
        shortest_chapter_seconds=wanted.chapter_seconds,
        **asdict(episode.called),
    )
    if not wanted.sightings:
        return timeline
    tagged, _ = ended_chunks(connection, run.id)
    return replace(
        timeline,
        sampled_pts=sorted(
            {pts for part in tagged for pts in part.sampled_pts if not holds(repeats, pts)}
        ),
        sightings=_sightings(connection, selection, wanted.labels),
    )


def _sightings(
    connection: Transaction, selection: RunSelection, labels: Sequence[str]
) -> list[Sighting]:
    assert selection.run_id is not None
    return [
        Sighting(found.pts, found.label, found.confidence, found.place)
        for found in tags_of_appearances(connection, selection.run_id, selection.layer)
        if not labels or found.label in labels
    ]


def _entries_of_labels(
    connection: Transaction, episode: EpisodeRecord, selection: RunSelection, labels: Sequence[str]
) -> Iterator[Entry]:
    for item in find_appearances(
        connection, episode_id=episode.id, places=True, selection=selection
    ):
        found = item.appearance
        if not labels or found.label in labels:
            yield Entry(
                *(found.label, found.start_pts, found.end_pts),
                *(found.mean_confidence, item.place),
            )


def _entries_of_expression(
    connection: Transaction,
    episode: EpisodeRecord,
    selection: RunSelection,
    expression: "Expression",
) -> Iterator[Entry]:
    from timeline.expressions import format_expression

    text = format_expression(expression)
    places = {
        item.appearance: item.place
        for item in find_appearances(
            connection, episode_id=episode.id, places=True, selection=selection
        )
    }
    for match in find_matches(connection, expression, episode_id=episode.id, selection=selection):
        found = match.appearance
        if found is None:
            yield Entry(text, match.start_pts, match.end_pts)
        else:
            yield Entry(text, match.start_pts, match.end_pts, found.mean_confidence, places[found])


def episode_of_file(connection: Transaction, path: Path) -> EpisodeRecord | None:
    """Return the episode with a file's content, whatever its name; None if it was never added.

    Only a file of an episode's size is hashed, so that other files cost nothing.
    """
    if not path.is_file():
        return None
    if path.stat().st_size not in {item.size_bytes for item in list_episodes(connection)}:
        return None
    with path.open("rb") as file:
        return get_episode_by_sha256(connection, hashlib.file_digest(file, "sha256").hexdigest())
