"""An episode's timeline as a page draws it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote_plus

from castline.asking.values import Appearance
from castline.text import format_clock

ROUNDING_SECONDS = 0.0006
"""Addresses hold milliseconds."""

STEPS_SECONDS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
"""Steps of the axis that people read easily."""

MOST_TICKS = 10


# A timeline holds thousands of bars, few labels, and few seconds.
_quoted = lru_cache(1024)(quote_plus)
_clock = lru_cache(16384)(format_clock)


@dataclass(frozen=True)
class Bar:
    """An appearance in its lane."""

    appearance: Appearance
    name: str
    is_selected: bool

    @property
    def address(self) -> str:
        """The query of the page that plays and judges it."""
        found = self.appearance
        label = _quoted(found.label)
        return f"label={label}&t={found.start_seconds:.3f}&to={found.end_seconds:.3f}"

    @property
    def strength(self) -> str:
        """Opacity: even a doubtful appearance can be seen."""
        return f"{0.3 + 0.7 * self.appearance.mean_confidence:.2f}"

    @property
    def text(self) -> str:
        """What it says to somebody who does not see it."""
        found = self.appearance
        start, end = _clock(int(found.start_seconds)), _clock(int(found.end_seconds))
        return f"{self.name} {start}-{end} ({found.mean_confidence:.0%})"


@dataclass(frozen=True)
class Lane:
    """All appearances of one character."""

    label: str
    name: str
    seconds: float
    bars: tuple[Bar, ...]


def lanes_of(
    appearances: Iterable[Appearance],
    names: Mapping[str, str],
    selected: Appearance | None,
) -> list[Lane]:
    """Return a lane for each character, the longest on screen first."""
    by_label: dict[str, list[Bar]] = {}
    for found in appearances:
        name = names.get(found.label, found.label)
        by_label.setdefault(found.label, []).append(Bar(found, name, found == selected))
    lanes = [
        Lane(label, bars[0].name, sum(bar.appearance.seconds for bar in bars), tuple(bars))
        for label, bars in by_label.items()
    ]
    return sorted(lanes, key=lambda lane: (-lane.seconds, lane.name))


def selected_of(
    appearances: Iterable[Appearance], label: str, at: float | None
) -> Appearance | None:
    """Return the appearance of a label at a time."""
    if at is None:
        return None
    for found in appearances:
        starts = found.start_seconds - ROUNDING_SECONDS
        if found.label == label and starts <= at < found.end_seconds:
            return found
    return None


def ticks_of(duration_seconds: float) -> list[int]:
    """Return the times of the axis: at most ten, a round number of seconds apart."""
    fitting = (step for step in STEPS_SECONDS if duration_seconds / step <= MOST_TICKS)
    step = next(fitting, STEPS_SECONDS[-1])
    return list(range(0, int(duration_seconds) + 1, step))
