"""Compare two model versions on episodes with runs of both: seconds gained and lost."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from castline.asking.cast import names_of
from castline.asking.names import require_episode, require_selected_run
from castline.asking.thumbnails import Thumbnails
from castline.asking.timelines import labelled_ranges
from castline.tables import Row, plain
from db.engine import Transaction
from db.library.current import find_selection
from timeline.drawing.difference import LabelDifference, Span, differences, length
from timeline.drawing.difference_page import EpisodeDifference, difference_page, totals
from timeline.files import whole_file
from timeline.scoring.truth import ranges_within
from worker.installation import Installation

KINDS = ("gained", "lost", "unchanged")


@dataclass(frozen=True)
class LabelSpans(Row):
    """One label's time in an episode, as ranges of seconds; the three kinds never overlap."""

    label: str
    gained: tuple[Span, ...]
    """Ranges in the second model's timeline only."""
    lost: tuple[Span, ...]
    """Ranges in the first model's timeline only."""
    unchanged: tuple[Span, ...]

    @property
    def is_changed(self) -> bool:
        """Whether anything was gained or lost."""
        return bool(self.gained or self.lost)

    def to_dict(self) -> dict[str, Any]:
        """Return ranges and their durations, as plain values for JSON."""
        spans = {kind: getattr(self, kind) for kind in KINDS}
        return (
            {"label": self.label}
            | {f"{kind}_seconds": float(length(each)) for kind, each in spans.items()}
            | {kind: plain(each) for kind, each in spans.items()}
        )


@dataclass(frozen=True)
class EpisodeChange(Row):
    """The changes in one episode."""

    episode: str
    labels: tuple[LabelSpans, ...]


@dataclass(frozen=True)
class LabelSeconds(Row):
    """The seconds of one label over all episodes."""

    label: str
    gained_seconds: Fraction
    lost_seconds: Fraction
    unchanged_seconds: Fraction


@dataclass(frozen=True)
class EpisodesComparison(Row):
    """The changes if the second model's runs replace the first's."""

    first: str
    """NAME@VERSION of the first model."""
    second: str
    labels: tuple[LabelSeconds, ...]
    """Totals over all episodes, the largest change first."""
    episodes: tuple[EpisodeChange, ...]


def compare_on_episodes(
    installation: Installation,
    first: str,
    second: str,
    episodes: Sequence[str],
    *,
    page: Path | None,
) -> EpisodesComparison:
    """Compare two models on episodes; see `Library.compare_on_episodes`."""
    with installation.database.read() as connection:
        compared = [
            _compared(installation, connection, first, second, name)
            for name in dict.fromkeys(episodes)
        ]
        names = names_of(connection)
    found = [difference for _, difference in compared]
    models = compared[0][0]
    if page is not None:
        shown = names.shown(item.label for each in found for item in each.labels)
        with whole_file(page) as temporary:
            temporary.write_text(difference_page(*models, found, shown), encoding="utf-8")
    return EpisodesComparison(
        *models,
        tuple(
            LabelSeconds(item.label, item.gained, item.lost, item.unchanged)
            for item in totals(found)
        ),
        tuple(EpisodeChange(item.episode, tuple(map(_spans, item.labels))) for item in found),
    )


def _spans(found: LabelDifference) -> LabelSpans:
    return LabelSpans(found.label, found.gained, found.lost, found.unchanged)


def _compared(
    installation: Installation, connection: Transaction, first: str, second: str, name: str
) -> tuple[tuple[str, str], EpisodeDifference]:
    episode = require_episode(connection, name)
    selections = [find_selection(connection, None, reference) for reference in (first, second)]
    runs = [require_selected_run(connection, episode, each) for each in selections]
    # The part that both examined.
    start = episode.seconds_at(max(run.examined[0] for run in runs))
    end = episode.seconds_at(min(run.examined[1] for run in runs))
    before, after = (
        ranges_within(labelled_ranges(connection, episode, each), start, end) for each in selections
    )
    seen_by = [run.id for run in runs]  # gains were seen by one run, losses by the other
    thumbnails = Thumbnails(connection, installation, runs[1], episode, seen_by)
    difference = EpisodeDifference(episode.name, tuple(differences(before, after)), thumbnails.of)
    return (runs[0].model, runs[1].model), difference
