"""Rules that decide when an appearance starts and ends."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from timeline.errors import TimelineError


@dataclass(frozen=True, slots=True)
class ShotRules:
    """Additional rules inside a shot, where cuts are known."""

    sure: float
    """Confidence from which a single look makes an appearance, even if other looks of its shot do
    not."""
    link_seconds: Fraction
    """The longest gap that is filled where a label is seen again at about the same place."""

    def __post_init__(self) -> None:
        if not 0 < self.sure <= 1:
            raise TimelineError(f"rules: sure is {self.sure}; it must be above 0 and up to 1")
        if self.link_seconds < 0:
            raise TimelineError(f"rules: link_seconds is {self.link_seconds}; it must be 0 or more")


@dataclass(frozen=True, slots=True)
class Rules:
    """Rules that decide when an appearance starts and ends."""

    onset: float
    """Confidence from which a label is on screen."""
    offset: float
    """Confidence below which a label is no longer on screen; at most the onset."""
    min_duration_on_seconds: Fraction = Fraction(0)
    """Shorter appearances are dropped."""
    min_duration_off_seconds: Fraction = Fraction(0)
    """Shorter gaps between two appearances of a label are filled."""
    label_thresholds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Onset and offset of labels that have their own."""
    shots: ShotRules | None = None
    """Rules inside shots; None for runs from before they existed, which ignore cuts."""

    def __post_init__(self) -> None:
        _check_thresholds("rules", self.onset, self.offset)
        for label, (onset, offset) in self.label_thresholds.items():
            _check_thresholds(f"rules of {label}", onset, offset)
        for name in ("min_duration_on_seconds", "min_duration_off_seconds"):
            if getattr(self, name) < 0:
                raise TimelineError(f"rules: {name} is {getattr(self, name)}; it must be 0 or more")

    def thresholds(self, label: str) -> tuple[float, float]:
        """Return onset and offset of a label: its own where it has them."""
        return self.label_thresholds.get(label, (self.onset, self.offset))


def _check_thresholds(where: str, onset: float, offset: float) -> None:
    # An offset of 0 would never end an appearance, since no confidence is below it.
    if not 0 < offset <= onset <= 1:
        raise TimelineError(
            f"{where}: onset {onset} and offset {offset} must keep 0 < offset <= onset <= 1"
        )
