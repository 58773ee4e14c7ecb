"""Public values that describe corrections."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias

from castline.tables import Row, Table
from exact.verdicts import Verdict
from timeline.appearances.doubts import Kind

Status: TypeAlias = Literal["agrees", "needed", "contradicted", "replaced", "untagged"]
"""How a correction compares with the raw result of the shown run."""


@dataclass(frozen=True)
class Correction(Row):
    """A verdict on a label over a half-open range of an episode's content."""

    key: str
    """Key by which it is undone; the first digits suffice."""
    episode: str | None
    """Name of the episode; None where its content is not in this library."""
    sha256: str
    """SHA-256 of the content."""
    verdict: Verdict
    label: str
    other: str | None
    """The correct label, if it is another one."""
    start_seconds: float | None
    """Seconds from the episode's first frame, as is the end; None where the content is not here."""
    end_seconds: float | None
    start_pts: int
    """In the content's own time base, as is the end."""
    end_pts: int
    part_start_seconds: float | None
    """For a trimmed appearance: the start of the part on screen, as is the end."""
    part_end_seconds: float | None
    part_start_pts: int | None
    part_end_pts: int | None
    author: str
    reason: str
    model: str | None
    """NAME@VERSION of the judged model; None where there was none."""
    confidence: float | None
    """Confidence of the judged answer."""
    made_at: datetime
    supersedes: str | None
    """Key of the correction that is undone or contradicted."""
    stands: bool
    """Whether it counts, because it was not undone."""


@dataclass(frozen=True, repr=False)
class Judged(Table[Correction]):
    """The corrections recorded by one call."""

    is_known: bool = False
    """Whether the same person had recorded all of it before, so that nothing was added."""


@dataclass(frozen=True)
class Imported(Row):
    """The result of importing a file of corrections."""

    added: int
    known: int
    """Number of corrections that already existed."""
    episodes: int
    """Number of contents in this library with new corrections."""
    elsewhere: int
    """Number of contents that are not here: their corrections count once they are tagged."""


@dataclass(frozen=True)
class Stated(Row):
    """A correction compared with the raw result of the shown run."""

    correction: Correction
    status: Status
    shown_model: str | None
    """NAME@VERSION of the shown run's model."""
    found_confidence: float | None
    """That run's confidence in the judged label, where it has tags of it."""


DoubtKind: TypeAlias = Kind
"""Why an answer is worth reviewing."""

AUDIT_MOMENTS = 100
"""Default size of an audit, which measures a precision of 0.9 to 0.06 on either side."""


@dataclass(frozen=True)
class Doubt(Row):
    """An answer worth reviewing."""

    kind: DoubtKind
    episode: str
    sha256: str
    """SHA-256 of the content."""
    label: str
    other: str | None
    """The label that may be correct instead."""
    start_seconds: float
    end_seconds: float
    at_seconds: float
    """A time well inside the range, to look at."""
    start_pts: int
    end_pts: int
    confidence: float
    worth: float
    """From 0 to 1; comparable only within a kind."""
    episode_id: int
    """Number of the episode in this library."""


@dataclass(frozen=True)
class AuditMoment(Row):
    """A label at a randomly drawn time, and the verdict on it."""

    episode: str
    label: str
    at_seconds: float
    confidence: float
    """Confidence of the appearance."""
    is_right: bool | None
    """Whether it is right; None if it was not judged yet."""


@dataclass(frozen=True, repr=False)
class Audit(Table[AuditMoment]):
    """The precision of answers, estimated from a random sample.

    Its moments are drawn from all times at which labels are shown, so that each second has the same
    weight, in an appearance of any length.
    """

    judged: int = 0
    right: int = 0
    precision: float | None = None
    """Share of right ones among the judged moments; None before any was judged."""
    low: float = 0.0
    """Lower limit of the 95 % confidence interval of the precision."""
    high: float = 1.0

    def to_dict(self) -> dict[str, Any]:
        """Return the figures and the moments, as plain values for JSON."""
        return {
            "moments": len(self),
            "judged": self.judged,
            "right": self.right,
            "precision": self.precision,
            "low": self.low,
            "high": self.high,
            "sample": self.to_dicts(),
        }
