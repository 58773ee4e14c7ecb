"""What people said, as it is shown and taken elsewhere."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from castline.tables import Row, Table
from exact.verdicts import Verdict
from timeline.appearances.doubts import Kind

Status: TypeAlias = Literal["agrees", "needed", "contradicted", "replaced", "untagged"]
"""How a correction stands to what the shown run found by itself."""


@dataclass(frozen=True)
class Correction(Row):
    """What a person said of a label over a half-open range of an episode's content."""

    key: str
    """By which it is undone; its first digits do."""
    episode: str | None
    """None where its content is not in this library."""
    sha256: str
    """Of the content."""
    verdict: Verdict
    label: str
    other: str | None
    """Who it is, where it is another one."""
    start_seconds: float | None
    """From the episode's first frame, as the end; None where the content is not here."""
    end_seconds: float | None
    start_pts: int
    """In the content's own time base, as the end."""
    end_pts: int
    part_start_seconds: float | None
    """Of a trimmed one: from where it is on screen, as the end."""
    part_end_seconds: float | None
    part_start_pts: int | None
    part_end_pts: int | None
    author: str
    reason: str
    model: str | None
    """NAME@VERSION of whose answer was judged; None where there was none."""
    confidence: float | None
    """How sure that was."""
    made_at: datetime
    supersedes: str | None
    """The key of what is undone, or of what this contradicts."""
    stands: bool
    """Whether it counts: it was not undone."""


@dataclass(frozen=True, repr=False)
class Judged(Table[Correction]):
    """What was said now."""

    is_known: bool = False
    """Whether all of it had been said before by the same person: nothing was added."""


@dataclass(frozen=True)
class Imported(Row):
    """What came of a file of corrections."""

    added: int
    known: int
    """Those that were here already."""
    episodes: int
    """Contents of this library that the new ones speak of."""
    elsewhere: int
    """Contents that are not here: what was said of them counts once they are tagged."""


@dataclass(frozen=True)
class Stated(Row):
    """A correction beside what the shown run found by itself."""

    correction: Correction
    status: Status
    shown_model: str | None
    """NAME@VERSION of the run that is shown."""
    found_confidence: float | None
    """How sure that run is of the label that was judged, where it sees it."""


DoubtKind: TypeAlias = Kind
"""Why an answer is worth a look."""

AUDIT_MOMENTS = 100
"""Of an audit: they tell a precision of 0.9 to 0.06 on either side."""


@dataclass(frozen=True)
class Doubt(Row):
    """An answer that is worth a person's look."""

    kind: DoubtKind
    episode: str
    sha256: str
    """Of its content."""
    label: str
    other: str | None
    """Who it may be instead."""
    start_seconds: float
    end_seconds: float
    at_seconds: float
    """A moment well inside, to look at."""
    start_pts: int
    end_pts: int
    confidence: float
    worth: float
    """From 0 to 1; comparable within a kind alone."""
