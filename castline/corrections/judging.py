"""Turn a person's verdict on an answer into corrections: exact ranges of an episode's content."""

import getpass
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction
from math import ceil

from castline.asking.names import require_label, require_selected_run, require_tagged_episode
from castline.asking.times import ROUNDING, Time, asked_times, exact_seconds
from castline.corrections.records import COLUMNS, shown
from castline.corrections.values import Judged
from castline.errors import NotFoundError, RequestError
from db.changes.corrections import add_corrections
from db.engine import Transaction
from db.library.corrections import list_corrections
from db.library.current import CURRENT
from db.library.runs import raw_appearances, run_appearances
from db.locks import lock_episodes
from db.queue.claims import database_now
from db.records import AppearanceRecord, CorrectionRecord, EpisodeRecord, RunRecord
from exact.ranges import PtsRange, PtsRanges, difference, intersection
from exact.verdicts import Verdict
from model.labels import UNKNOWN, label_of, require_label_of
from timeline.appearances.corrections import (
    Correction,
    claims_of,
    settled,
    standing,
)
from timeline.times import format_time
from worker.installation import Installation
from worker.steps.correcting import correct_runs, correction_of
from worker.steps.finish import cuts_of_run


@dataclass(frozen=True)
class Said:
    """A verdict as the user expressed it."""

    label: str | None = None
    """The label whose appearance is judged."""
    at: Time | None = None
    """Judge the shot at this time."""
    from_: Time | None = None
    to: Time | None = None
    whole: bool = False
    """Judge the whole appearance at `at`, across shots."""
    is_: str | None = None
    """The correct label."""
    wrong: bool = False
    """No known character is on screen."""
    right: bool = False
    add: str | None = None
    """A label that was missed."""
    start: Time | None = None
    """The appearance starts here."""
    end: Time | None = None
    new: bool = False
    """Whether the given label may be a new one."""
    author: str | None = None
    """Author; None for the user of this machine."""
    reason: str = ""

    def __post_init__(self) -> None:
        trims = self.start is not None or self.end is not None
        if sum((self.is_ is not None, self.wrong, self.right, self.add is not None, trims)) != 1:
            raise RequestError(
                "correct: say one thing: --is OTHER, --wrong, --right, --add LABEL, or --start"
                " and --end"
            )
        if (self.label is None) != (self.add is not None):
            raise RequestError("correct: name whose appearance it is, or whom to --add")
        if (self.at is None) == (self.from_ is None and self.to is None):
            raise RequestError("correct: say when: --at TIME, or --from TIME --to TIME")
        if self.at is None and (self.from_ is None or self.to is None):
            raise RequestError("correct: a range has two ends; give --from and --to")
        if self.at is None and (trims or self.whole):
            raise RequestError("correct: --start, --end and --whole are of an appearance; say --at")

    @property
    def verdict(self) -> Verdict:
        """The kind of the verdict."""
        if self.is_ is not None:
            return Verdict.RELABEL
        if self.add is not None:
            return Verdict.ADD
        if self.wrong:
            return Verdict.WRONG
        return Verdict.RIGHT if self.right else Verdict.TRIM


def correct(installation: Installation, episode: str, said: Said) -> Judged:
    """Record a verdict on an episode; see `Library.correct`."""
    author = said.author or user()
    with installation.database.read() as connection:  # may hash a file to identify its episode
        known = require_tagged_episode(connection, episode)
    with installation.database.write() as connection:
        # Serialises people who judge one episode: each sees the corrections of the other.
        lock_episodes(connection, [known.id])
        bench = _Bench(connection, known, require_selected_run(connection, known, CURRENT))
        made = bench.judge(said)
        earlier = list_corrections(connection, [known.sha256])
        records = _new_records(made, earlier, bench, author, said.reason, database_now(connection))
        add_corrections(connection, records)
        if records:
            correct_runs(connection, [known])
    rows = tuple(shown(record, known, stands=True) for record in records)
    return Judged(rows, COLUMNS, is_known=not rows)


def user() -> str:
    """Return the name of the user of this machine."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without a name, as in some containers
        return "unknown"


class _Bench:
    """An episode as it is shown, for judging."""

    def __init__(self, connection: Transaction, episode: EpisodeRecord, run: RunRecord) -> None:
        self._connection = connection
        self.episode = episode
        self.run = run
        self.raw = raw_appearances(connection, run.id)
        self._appearances = run_appearances(connection, run.id)
        self._cuts = cuts_of_run(connection, run.id)

    def judge(self, said: Said) -> list[Correction]:
        """Return the corrections for a verdict, one per range."""
        if said.verdict is Verdict.ADD:
            assert said.add is not None
            return [self._added(self._label(said.add, said), said)]
        assert said.label is not None
        label = require_label(self._connection, said.label)
        if said.verdict is Verdict.TRIM:
            return [self._trimmed(label, said)]
        other = None
        if said.is_ is not None and label_of(said.is_) != UNKNOWN:
            other = self._label(said.is_, said)
            if other == label:
                raise RequestError(f"--is {said.is_}: it is {label} already; say --right")
        verdict = Verdict.WRONG if other is None and said.is_ is not None else said.verdict
        return [
            _correction(verdict, label, part, other=other)
            for part in self._judged_parts(label, verdict, said)
        ]

    def confidence(self, label: str, within: PtsRange) -> float | None:
        """Return the model's confidence in a label within a range; None where it has no tag."""
        found = [
            one.mean_confidence
            for one in self.raw
            if one.label == label and one.start_pts < within[1] and within[0] < one.end_pts
        ]
        return max(found, default=None)

    def _label(self, name: str, said: Said) -> str:
        """Return the given label; a new one only if it is allowed."""
        try:
            return require_label(self._connection, name)
        except NotFoundError as error:
            if said.new:
                return require_label_of(name, "correct")
            raise NotFoundError(f"{error}; --new takes it as a new label") from error

    def _judged_parts(self, label: str, verdict: Verdict, said: Said) -> PtsRanges:
        own = [(one.start_pts, one.end_pts) for one in self._appearances if one.label == label]
        if said.at is not None:
            found = self._appearance_at(label, said.at)
            whole = (found.start_pts, found.end_pts)
            return (
                (whole,)
                if said.whole
                else intersection([whole], [self._shot(self._pts_at(said.at))])
            )
        asked = self._range(said)
        if verdict is Verdict.WRONG:  # the absence of any label may be recorded for future runs
            return (asked,)
        parts = intersection(sorted(own), [asked])
        if not parts:
            raise RequestError(
                f"{self.episode.name}: {label} is not on screen from {said.from_} to {said.to};"
                " castline who says when"
            )
        return parts

    def _added(self, label: str, said: Said) -> Correction:
        if said.at is None:
            asked = self._range(said)
        elif self._cuts is None:
            raise RequestError(
                f"{self.episode.name}: no shots are known of its run; give --from and --to"
            )
        else:
            asked = self._shot(self._pts_at(said.at))
        own = [(one.start_pts, one.end_pts) for one in self._appearances if one.label == label]
        if not difference([asked], sorted(own)):
            raise RequestError(
                f"{self.episode.name}: {label} is on screen then already; --right confirms it"
            )
        return _correction(Verdict.ADD, label, asked)

    def _trimmed(self, label: str, said: Said) -> Correction:
        assert said.at is not None
        found = self._appearance_at(label, said.at)
        start, end = (
            old if time is None else self._exact_pts(time)
            for time, old in ((said.start, found.start_pts), (said.end, found.end_pts))
        )
        if start >= end:
            raise RequestError(
                f"{self.episode.name}: {label} would end before its start; from"
                f" {self._shown(found.start_pts)} to {self._shown(found.end_pts)} it is now"
            )
        judged = min(start, found.start_pts), max(end, found.end_pts)
        if (start, end) == (found.start_pts, found.end_pts):
            raise RequestError(
                f"{self.episode.name}: {label} starts and ends there already; --right confirms it"
            )
        return _correction(Verdict.TRIM, label, judged, part=(start, end))

    def _appearance_at(self, label: str, at: Time) -> AppearanceRecord:
        pts = self._pts_at(at)
        for one in self._appearances:
            if one.label == label and one.start_pts <= pts < one.end_pts:
                return one
        raise RequestError(
            f"{self.episode.name}: {label} is not on screen at {at}; castline who --at {at} says"
            f" who is, --add {label} adds it"
        )

    def _shot(self, pts: int) -> PtsRange:
        """Return the shot that contains a time; the whole episode where no cuts are known."""
        cuts = self._cuts or ()
        start = max((cut for cut in cuts if cut <= pts), default=self.episode.start_pts)
        end = min((cut for cut in cuts if cut > pts), default=self.episode.end_pts)
        return start, end

    def _pts_at(self, at: Time) -> int:
        moment = exact_seconds(at)
        if moment >= self.episode.duration_seconds:
            raise self._past_the_end(at)
        # A table rounds start times down; at the printed start the label counts as on screen.
        pts = self.episode.start_pts + int((moment + ROUNDING) / self.episode.time_base)
        return min(pts, self.episode.end_pts - 1)

    def _range(self, said: Said) -> PtsRange:
        assert said.from_ is not None
        assert said.to is not None
        asked_times(None, said.from_, said.to)  # refuses an empty range
        start, end = self._exact_pts(said.from_), self._exact_pts(said.to)
        if start >= self.episode.end_pts:
            raise self._past_the_end(said.from_)
        if start >= end:
            raise RequestError(f"--from {said.from_} --to {said.to}: no frame lies between them")
        return start, end

    def _exact_pts(self, time: Time) -> int:
        """Return a border: an existing one that a table prints like this, else the next pts."""
        asked = exact_seconds(time)
        borders = {self.episode.start_pts, self.episode.end_pts, *(self._cuts or ())}
        for one in (*self._appearances, *self.raw):
            borders |= {one.start_pts, one.end_pts}
        nearest = min(borders, key=lambda pts: abs(self._seconds(pts) - asked))
        if abs(self._seconds(nearest) - asked) <= ROUNDING:
            return nearest
        pts = self.episode.start_pts + ceil(asked / self.episode.time_base)
        return min(pts, self.episode.end_pts)

    def _seconds(self, pts: int) -> Fraction:
        return (pts - self.episode.start_pts) * self.episode.time_base

    def _shown(self, pts: int) -> str:
        return format_time(self._seconds(pts))

    def _past_the_end(self, time: Time) -> NotFoundError:
        ends = format_time(self.episode.duration_seconds)
        return NotFoundError(
            f"{self.episode.name}: ends at {ends}, so that nothing is at {time}; give a time"
            " before that"
        )


def _correction(
    verdict: Verdict,
    label: str,
    within: PtsRange,
    *,
    other: str | None = None,
    part: PtsRange | None = None,
) -> Correction:
    return Correction(uuid.uuid4().hex, verdict, label, *within, other, part)


def _new_records(
    made: Sequence[Correction],
    earlier: Sequence[CorrectionRecord],
    bench: _Bench,
    author: str,
    reason: str,
    now: datetime,
) -> list[CorrectionRecord]:
    """Return the new records, without earlier ones of the same person that still stand."""
    stand = standing([correction_of(record) for record in earlier])
    authors = {record.key: record.author for record in earlier}
    said = {replace(one, key="", supersedes=None) for one in stand if authors[one.key] == author}
    moment = moment_after(earlier, now)
    return [
        CorrectionRecord(
            key=one.key,
            sha256=bench.episode.sha256,
            verdict=one.verdict,
            label=one.label,
            start_pts=one.start_pts,
            end_pts=one.end_pts,
            other=one.other,
            part=one.part,
            supersedes=_contradicted(one, stand),
            author=author,
            reason=reason,
            model=bench.run.model,
            confidence=bench.confidence(one.label, (one.start_pts, one.end_pts)),
            made_at=moment,
        )
        for one in made
        if replace(one, key="") not in said
    ]


def moment_after(earlier: Sequence[CorrectionRecord], now: datetime) -> datetime:
    """Return the current time, or one later than all records of a content: clocks differ."""
    step = timedelta(microseconds=1)
    return max([now, *(record.made_at + step for record in earlier)])


def _contradicted(correction: Correction, stand: Sequence[Correction]) -> str | None:
    """Return the key of the latest correction that this one contradicts somewhere."""
    held = settled(stand)
    opposed = {
        old.key
        for new in claims_of(correction)
        for old in held.get(new.label, ())
        if old.is_shown != new.is_shown
        and old.start_pts < new.end_pts
        and new.start_pts < old.end_pts
    }
    return next((one.key for one in reversed(stand) if one.key in opposed), None)
