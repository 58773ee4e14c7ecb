"""Apply people's corrections to the appearances that a model found.

A correction states over a half-open range that labels are on screen, or that they are not. Where
several cover one moment the latest counts; elsewhere the model's result stands. So a correction
holds for every run over the same content, whatever the run found. Pure.
"""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import fsum

from exact.ranges import PtsRange, difference
from exact.verdicts import Verdict
from timeline.errors import TimelineError

SAID = 1.0
"""The confidence of a correction."""


@dataclass(frozen=True, slots=True)
class Correction:
    """One verdict of a person; immutable."""

    key: str
    """Key by which others refer to it."""
    verdict: Verdict
    label: str
    start_pts: int
    end_pts: int
    other: str | None = None
    """The correct label, if it is another one."""
    part: PtsRange | None = None
    """The part of the range in which it is on screen, if not all of it."""
    supersedes: str | None = None
    """Key of an earlier correction that is undone or contradicted."""

    def __post_init__(self) -> None:
        where = f"correction of {self.label} from pts {self.start_pts} to {self.end_pts}"
        if self.start_pts >= self.end_pts:
            raise TimelineError(f"{where}: it must end after its start")
        if (self.other is not None) != (self.verdict is Verdict.RELABEL):
            raise TimelineError(f"{where}: another label belongs to relabel, and to nothing else")
        if self.other == self.label:
            raise TimelineError(f"{where}: the other label is the same one")
        if (self.part is not None) != (self.verdict is Verdict.TRIM):
            raise TimelineError(f"{where}: a part belongs to trim, and to nothing else")
        if self.part and not self.start_pts <= self.part[0] < self.part[1] <= self.end_pts:
            raise TimelineError(f"{where}: the part {self.part} must lie inside, and not be empty")
        if self.verdict is Verdict.UNDO and self.supersedes is None:
            raise TimelineError(f"{where}: what is undone must be named")


@dataclass(frozen=True, slots=True)
class Claim:
    """The statement that a label is or is not on screen over a half-open range."""

    label: str
    start_pts: int
    end_pts: int
    is_shown: bool
    key: str
    """Key of the correction."""


@dataclass(frozen=True, slots=True)
class CorrectedAppearance:
    """A label over a half-open range, with corrections applied."""

    label: str
    start_pts: int
    end_pts: int
    frames: int
    """Sampled frames that show it, by the model or by a correction; 0 where none was sampled."""
    mean_confidence: float
    max_confidence: float
    is_corrected: bool
    """Whether a correction decided it, or one of its borders."""


@dataclass(frozen=True)
class Sampled:
    """The model's results at each sampled frame."""

    pts: Sequence[int] = ()
    """The pts of all sampled frames, ascending."""
    confidences: Mapping[str, Mapping[int, float]] = field(default_factory=dict)
    """Confidences by label and pts, where there is a tag."""

    def inside(self, start_pts: int, end_pts: int) -> Sequence[int]:
        """Return the sampled frames of a half-open range."""
        return self.pts[bisect_left(self.pts, start_pts) : bisect_left(self.pts, end_pts)]


def not_undone(corrections: Sequence[Correction]) -> list[Correction]:
    """Return the corrections that are not undone, including undoings that are not undone.

    Args:
        corrections: Corrections in order of creation, which is kept.
    """
    undone: set[str] = set()
    found: list[Correction] = []
    for one in reversed(corrections):
        if one.key in undone:
            continue
        found.append(one)
        if one.verdict is Verdict.UNDO and one.supersedes:
            undone.add(one.supersedes)
    return found[::-1]


def standing(corrections: Sequence[Correction]) -> list[Correction]:
    """Return the corrections that count and concern labels, in order of creation."""
    return [one for one in not_undone(corrections) if one.verdict is not Verdict.UNDO]


def claims_of(correction: Correction) -> tuple[Claim, ...]:
    """Return the statements of a correction on its labels."""
    label, key = correction.label, correction.key
    start, end = correction.start_pts, correction.end_pts
    match correction.verdict:
        case Verdict.RIGHT | Verdict.ADD:
            return (Claim(label, start, end, is_shown=True, key=key),)
        case Verdict.WRONG:
            return (Claim(label, start, end, is_shown=False, key=key),)
        case Verdict.RELABEL:
            assert correction.other is not None
            return (
                Claim(label, start, end, is_shown=False, key=key),
                Claim(correction.other, start, end, is_shown=True, key=key),
            )
        case Verdict.TRIM:
            assert correction.part is not None
            rest = difference([(start, end)], [correction.part])
            return (
                *(Claim(label, *outside, is_shown=False, key=key) for outside in rest),
                Claim(label, *correction.part, is_shown=True, key=key),
            )
        case Verdict.UNDO:
            return ()


def settled(corrections: Iterable[Correction]) -> dict[str, list[Claim]]:
    """Resolve corrections, so that the latest counts at each moment.

    Args:
        corrections: The standing corrections, in order of creation.

    Returns:
        Claims by label, ascending, none of which overlap.
    """
    found: dict[str, list[Claim]] = {}
    for correction in corrections:
        for claim in claims_of(correction):
            earlier = found.get(claim.label, [])
            rest = [part for each in earlier for part in _outside(each, claim)]
            found[claim.label] = sorted([*rest, claim], key=lambda each: each.start_pts)
    return found


def _outside(claim: Claim, later: Claim) -> Iterator[Claim]:
    whole = [(claim.start_pts, claim.end_pts)]
    for start_pts, end_pts in difference(whole, [(later.start_pts, later.end_pts)]):
        yield Claim(claim.label, start_pts, end_pts, claim.is_shown, claim.key)


def corrected(
    appearances: Iterable[CorrectedAppearance],
    claims: Mapping[str, Sequence[Claim]],
    sampled: Sampled,
) -> list[CorrectedAppearance]:
    """Apply corrections to the appearances of a model.

    A correction of one label affects no other. A range confirmed by a correction merges with the
    model's ranges that it touches. Confidence is the mean over the sampled frames: 1 where a
    correction applies, the model's elsewhere; where no frame was sampled, that of the original
    range.

    Args:
        appearances: Raw appearances of one run; those of one label do not overlap.
        claims: Claims by label, from `settled`.
        sampled: The sampled frames of the run, and the tags of these labels.

    Returns:
        Appearances by start, then label; those without corrections are unchanged.
    """
    found: list[CorrectedAppearance] = []
    raw: dict[str, list[CorrectedAppearance]] = {label: [] for label in claims}
    for one in appearances:
        raw.get(one.label, found).append(one)
    for label, own in raw.items():
        found += _of_label(label, own, claims[label], sampled)
    return sorted(found, key=lambda one: (one.start_pts, one.label))


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of a label's time: from a correction, or left of the model's range."""

    start_pts: int
    end_pts: int
    source: CorrectedAppearance | None


def _of_label(
    label: str, raw: Sequence[CorrectedAppearance], claims: Sequence[Claim], sampled: Sampled
) -> Iterator[CorrectedAppearance]:
    spoken_of = [(claim.start_pts, claim.end_pts) for claim in claims]
    pieces = [_Piece(claim.start_pts, claim.end_pts, None) for claim in claims if claim.is_shown]
    for one in raw:
        for start_pts, end_pts in difference([(one.start_pts, one.end_pts)], spoken_of):
            pieces.append(_Piece(start_pts, end_pts, one))
    for joined in _joined(sorted(pieces, key=lambda piece: piece.start_pts)):
        yield _appearance(label, joined, sampled)


def _joined(pieces: Iterable[_Piece]) -> Iterator[list[_Piece]]:
    """Merge pieces that touch, if one of the two comes from a correction."""
    current: list[_Piece] = []
    for piece in pieces:
        if current and (
            current[-1].end_pts != piece.start_pts or (current[-1].source and piece.source)
        ):
            yield current
            current = []
        current.append(piece)
    if current:
        yield current


def _appearance(label: str, pieces: Sequence[_Piece], sampled: Sampled) -> CorrectedAppearance:
    start_pts, end_pts = pieces[0].start_pts, pieces[-1].end_pts
    source = pieces[0].source
    if len(pieces) == 1 and source and (source.start_pts, source.end_pts) == (start_pts, end_pts):
        return source
    seen = [confidence for piece in pieces for confidence in _confidences(label, piece, sampled)]
    if seen:
        largest = max(seen)
        # The mean of equal numbers may come out one rounding above them.
        mean = min(fsum(seen) / len(seen), largest)
    else:
        sources = [piece.source for piece in pieces]
        mean = max(one.mean_confidence if one else SAID for one in sources)
        largest = max(one.max_confidence if one else SAID for one in sources)
    return CorrectedAppearance(label, start_pts, end_pts, len(seen), mean, largest, True)


def _confidences(label: str, piece: _Piece, sampled: Sampled) -> Iterator[float]:
    tags = sampled.confidences.get(label, {})
    for pts in sampled.inside(piece.start_pts, piece.end_pts):
        if piece.source is None:
            yield SAID
        elif pts in tags:
            yield tags[pts]


def said_at(claims: Collection[Claim], pts: int) -> Claim | None:
    """Return the claim that covers a time; None where there is none."""
    return next((each for each in claims if each.start_pts <= pts < each.end_pts), None)
