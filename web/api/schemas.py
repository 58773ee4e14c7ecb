"""The documents of the API. Fields may be added; existing fields keep their names and meanings."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from castline.tables import Row

Seconds = Annotated[float, Field(ge=0, le=10**7, allow_inf_nan=False)]
"""Seconds from an episode's first frame."""

Name = Annotated[str, Field(min_length=1, max_length=200)]
"""A label or a display name, in any spelling."""


class Document(BaseModel):
    """A document that is made from a value of `castline`."""

    model_config = ConfigDict(extra="ignore")

    @classmethod
    def of(cls, value: Row) -> Self:
        """Return the document of a value."""
        return cls.model_validate(value.to_dict())


class Problem(BaseModel):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str = Field(description="One line that says what, where and what to do.")
    position: int | None = Field(None, description="Of a mistake in an expression, from 0.")
    errors: list[dict[str, Any]] | None = Field(None, description="Each invalid parameter or field")


class CastMember(Document):
    """A label, and how long it is on screen."""

    label: str
    seconds: float


class Episode(Document):
    """An episode."""

    episode: str = Field(description="File name, with as many folders as tell files apart.")
    episode_id: int
    series: str | None
    season: int | None
    number: int | None
    title: str | None
    sha256: str = Field(description="SHA-256 of the content.")
    duration_seconds: float
    width: int
    height: int
    frame_rate: str = Field(description="A fraction, such as 24000/1001.")
    added_at: datetime
    model: str | None = Field(description="NAME@VERSION of the current run.")
    labels: int
    cast: list[CastMember]
    state: str | None = Field(description="State of the run that was enqueued last.")
    run_id: int | None
    chunks_done: int
    chunks_total: int
    current_run: int | None


class Episodes(BaseModel):
    """A page of episodes."""

    items: list[Episode]
    next: str | None = Field(description="Value of `after` for the next page; null on the last.")
    total: int


class EpisodeDetails(Episode):
    """An episode, its file, and what its current run examined."""

    container: str
    codec: str
    area: tuple[float, float, float, float] = Field(
        description="Left, top, width and height of the active picture, as shares of the picture."
    )
    unexamined: list[tuple[float, float]]
    every_seconds: float | None


class Place(BaseModel):
    """A place in the active picture: centre and extent, as shares of it."""

    x: float
    y: float
    width: float
    height: float


class Appearance(Document):
    """An appearance."""

    episode: str
    episode_id: int
    label: str
    start_seconds: float
    end_seconds: float
    start_pts: int
    end_pts: int
    frames: int
    mean_confidence: float
    max_confidence: float
    is_corrected: bool
    place: Place | None


class Appearances(BaseModel):
    """The appearances in an episode."""

    items: list[Appearance]
    unexamined: list[tuple[float, float]] = Field(description="Parts that were not examined.")


class Contact(Document):
    """The contact sheets of an episode."""

    columns: int
    width: int
    height: int
    sheets: list[list[float]] = Field(description="For each sheet the seconds of its pictures.")


class Label(Document):
    """A label with its display name."""

    label: str
    name: str


class Match(Document):
    """A range in which an expression holds."""

    episode: str
    episode_id: int
    label: str | None
    expression: str
    start_seconds: float
    end_seconds: float
    start_pts: int
    end_pts: int
    mean_confidence: float | None
    max_confidence: float | None


class Matches(BaseModel):
    """The ranges in which an expression holds."""

    items: list[Match]
    expression: str = Field(description="As it was understood, with complete labels.")
    next: str | None = Field(description="Value of `after` for the next page; null on the last.")


class ScreenTime(Document):
    """The screen time of a character."""

    label: str
    seconds: float
    appearances: int
    episodes: int


class SharedTime(Document):
    """The time that two characters share the screen."""

    label: str
    other: str
    seconds: float
    times: int
    episodes: int


class Quarantined(BaseModel):
    """A chunk that was given up."""

    start_seconds: float
    end_seconds: float
    attempts: int
    error: str


class Run(Document):
    """A run and its progress."""

    run: int
    episode: str
    episode_id: int
    model: str
    state: str
    is_current: bool
    is_at_work: bool
    lacks: list[str] = Field(description="Steps that no living worker does.")
    chunks_done: int
    chunks_total: int
    frames: int
    decode_errors: int
    missing_seconds: list[tuple[float, float]]
    error: str | None
    queued_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    quarantined: list[Quarantined]


class Runs(BaseModel):
    """All runs with work left, and a page of those that ended."""

    open: list[Run]
    ended: list[Run]
    next: int | None = Field(description="Value of `before` for the next page; null on the last.")


class Worker(Document):
    """A process that works on the queue."""

    host: str
    pid: int
    steps: list[str]


class NewIntake(BaseModel):
    """Which file or folder to enqueue."""

    model_config = ConfigDict(extra="forbid")

    path: str = Field(
        min_length=1, max_length=4096, description="A file or folder under the media roots."
    )
    model: Annotated[str, Field(max_length=200)] | None = Field(None, description="NAME[@VERSION]")
    lane: Literal["interactive", "bulk"] = "interactive"


class Intake(BaseModel):
    """A request to enqueue a file or a folder, and what became of it."""

    id: int
    path: str
    model: str | None
    lane: str
    state: Literal["waiting", "reading", "done", "refused"]
    reading: str = Field(description="Name of the file that is read now.")
    runs: list[int]
    new: int = Field(description="Number of runs that did not exist before.")
    refused: list[str] = Field(description="A line for each file that cannot be used.")
    skipped: list[str] = Field(description="A line for each file in a folder that was skipped.")
    notice: str | None = Field(description="Why workers were not told; they will find the runs.")


class RunState(BaseModel):
    """The state of a run after a request to cancel or retry it."""

    run: int
    state: str


class NewCorrection(BaseModel):
    """A verdict on an answer: exactly one of `is`, `wrong`, `right`, `add`, or a new start or end.

    The range is either an appearance at a time (`at`), or `from` and `to`.
    """

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    label: Name | None = Field(None, description="Whose appearance is judged; null with `add`.")
    at: Seconds | None = None
    from_: Seconds | None = Field(None, alias="from")
    to: Seconds | None = None
    whole: bool = Field(False, description="The whole appearance at `at`, not only its shot.")
    is_: Name | None = Field(None, alias="is", description="The correct label.")
    wrong: bool = False
    right: bool = False
    add: Name | None = Field(None, description="A label that was missed.")
    start: Seconds | None = Field(None, description="The appearance at `at` starts here.")
    end: Seconds | None = Field(None, description="The appearance at `at` ends here.")
    new: bool = Field(False, description="Take a label that nothing knows yet.")
    author: Annotated[str, Field(max_length=100)] | None = None
    reason: Annotated[str, Field(max_length=1000)] = ""

    @model_validator(mode="after")
    def _check_range(self) -> Self:
        if self.from_ is not None and self.to is not None and self.from_ >= self.to:
            raise ValueError("the range must end after its start")
        return self


class Correction(Document):
    """A correction."""

    key: str
    episode: str | None
    sha256: str
    verdict: str
    label: str
    other: str | None
    start_seconds: float | None
    end_seconds: float | None
    start_pts: int
    end_pts: int
    author: str
    reason: str
    model: str | None
    confidence: float | None
    made_at: datetime
    supersedes: str | None
    stands: bool


class Corrections(BaseModel):
    """Corrections, the latest first."""

    items: list[Correction]
    has_more: bool


class Doubt(Document):
    """An answer that is worth a look."""

    kind: Literal["unsure", "isolated", "confused", "stranger", "missed"]
    episode: str
    episode_id: int
    label: str
    other: str | None = Field(description="The label that may be correct instead.")
    start_seconds: float
    end_seconds: float
    at_seconds: float = Field(description="A time well inside the range, to look at.")
    start_pts: int
    end_pts: int
    confidence: float
    worth: float = Field(description="From 0 to 1; comparable only within a kind.")


class Doubts(BaseModel):
    """The answers of an episode that are most worth a look, and were not judged yet."""

    items: list[Doubt]
    has_more: bool


class Judged(BaseModel):
    """The corrections that a verdict made; none if the same person had said it before."""

    items: list[Correction]
