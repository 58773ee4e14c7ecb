"""Compare footage with its truth, moment by moment; pure functions for `bench.real_footage`."""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

from timeline.scoring.score import Score, score_samples
from timeline.scoring.truth import LabelledRange

GRID_SECONDS: Final = Fraction(37, 100)
"""Interval between two scored moments: neither a multiple nor a divisor of the half second between
samples, so that each moment lies elsewhere between two samples."""

MANY: Final = 3
"""Samples with at least this many characters on screen are counted together."""


SIZES: Final = {"half the height or more": 0.5, "a quarter to half": 0.25, "under a quarter": 0.0}
"""Size classes by least height, as a share of the picture's height."""

UNSEEN: Final = "no place"
"""The class of labels without a prediction in the last classified frame."""


@dataclass(frozen=True)
class Answer:
    """A classifier's prediction of a label in a frame."""

    confidence: float
    height: float | None = None
    """Height of its box, as a share of the picture's; None if the model predicts none."""


@dataclass(frozen=True)
class Look:
    """A sampled frame and its predictions."""

    seconds: Fraction
    """Time of the frame."""
    answers: Mapping[str, Answer]
    """By label; confidences below the storage floor are missing."""


@dataclass(frozen=True)
class Footage:
    """An episode, its truth, and the output of `castline tag`; seconds from its start."""

    episode: Path
    duration_seconds: Fraction
    truth: Sequence[LabelledRange]
    """Ranges in which labels are on screen."""
    clips: Sequence[LabelledRange]
    """The label is the clip's name."""
    found: Sequence[LabelledRange]
    """Ranges of the timeline."""
    looks: Sequence[Look]
    """In order."""


@dataclass(frozen=True)
class Sample:
    """A scored moment, with only the labels that count."""

    episode: Path
    clip: str
    """Name of the clip; empty if clips have none."""
    seconds: Fraction
    true: AbstractSet[str]
    """Labels on screen by the truth."""
    found: AbstractSet[str]
    """Labels on screen by the timeline."""
    answers: Mapping[str, Answer]
    """Predictions in the last classified frame."""
    true_then: AbstractSet[str]
    """Labels truly on screen in that frame."""
    is_clip_new: bool
    """Whether that frame belongs to another clip."""

    @property
    def made_up(self) -> AbstractSet[str]:
        """The false positives."""
        return self.found - self.true

    @property
    def missed(self) -> AbstractSet[str]:
        """The false negatives."""
        return self.true - self.found

    @property
    def border_made_up(self) -> AbstractSet[str]:
        """False positives due to a border: true in the last classified frame, or another clip's."""
        return self.made_up if self.is_clip_new else self.made_up & self.true_then

    @property
    def border_missed(self) -> AbstractSet[str]:
        """False negatives due to a border: absent in the last classified frame, or another clip."""
        return self.missed if self.is_clip_new else self.missed - self.true_then

    def size(self, label: str) -> str:
        """Return the class of SIZES of a label in the last classified frame.

        The size comes from the model's own box, at any confidence: the truth has labels without
        boxes.
        """
        answer = self.answers.get(label)
        if answer is None or answer.height is None:
            return UNSEEN
        height = answer.height
        return next(name for name, least in SIZES.items() if height >= least)

    def confidence(self, label: str) -> float:
        """Return a label's confidence in the last classified frame; 0 below the storage floor."""
        answer = self.answers.get(label)
        return answer.confidence if answer else 0.0


@dataclass(frozen=True)
class Borders:
    """Mistakes due to a border after the last classified frame, not to the classifier."""

    made_up: int
    """Number of pairs of sample and label."""
    missed: int
    """Number of pairs of sample and label."""
    falsely_tagged: int
    """Number of samples after which no known character is on screen any more."""


def scored_seconds(duration_seconds: Fraction) -> list[Fraction]:
    """Return the scored moments: (k + 1/2) of the grid, from the first frame on."""
    half = GRID_SECONDS / 2
    count = max(0, -((half - duration_seconds) // GRID_SECONDS))
    return [half + number * GRID_SECONDS for number in range(count)]


def samples_of(footage: Footage, labels: AbstractSet[str]) -> tuple[list[Sample], int]:
    """Align truth and timeline.

    Args:
        footage: The tagged footage.
        labels: The labels that count; others are ignored.

    Returns:
        The samples, and the number of moments that the truth does not cover.
    """
    moments = scored_seconds(footage.duration_seconds)
    told = [time for time in moments if _on_at(footage.truth, time)]
    looked = [look.seconds for look in footage.looks]
    samples = []
    for time in told:
        number = max(bisect_right(looked, time) - 1, 0)
        last = footage.looks[number] if looked else Look(time, {})
        clip = _clip_at(footage, time)
        samples.append(
            Sample(
                episode=footage.episode,
                clip=clip,
                seconds=time,
                true=_on_at(footage.truth, time) & labels,
                found=_on_at(footage.found, time) & labels,
                answers={name: said for name, said in last.answers.items() if name in labels},
                true_then=_on_at(footage.truth, last.seconds) & labels,
                is_clip_new=clip != _clip_at(footage, last.seconds),
            )
        )
    return samples, len(moments) - len(told)


def score(samples: Sequence[Sample]) -> Score:
    """Count the pairs of sample and label."""
    return score_samples([each.true for each in samples], [each.found for each in samples])


def score_of_looks(samples: Sequence[Sample], onset_of: Callable[[str], float]) -> Score:
    """Count the pairs by the labels that reach their onsets in the last classified frame.

    This scores the classifier on single frames; a timeline adds cuts, shots and durations.
    """
    found = [
        {name for name, said in each.answers.items() if said.confidence >= onset_of(name)}
        for each in samples
    ]
    return score_samples([each.true for each in samples], found)


def scores_by(samples: Sequence[Sample], class_of: Callable[[Sample], str]) -> dict[str, Score]:
    """Return the scores of classes of samples, by the names of the classes that occur."""
    classes: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        classes[class_of(sample)].append(sample)
    return {name: score(classes[name]) for name in sorted(classes)}


def number_on_screen(sample: Sample) -> str:
    """Return `0`, `1`, `2` or `3+`."""
    number = len(sample.true)
    return str(number) if number < MANY else f"{MANY}+"


def recall_by_size(samples: Sequence[Sample]) -> dict[str, tuple[int, int]]:
    """Return, for each size class, the number of true labels found, and of all true labels."""
    found: Counter[str] = Counter()
    there: Counter[str] = Counter()
    for sample in samples:
        for label in sample.true:
            size = sample.size(label)
            there[size] += 1
            found[size] += label in sample.found
    return {size: (found[size], there[size]) for size in (*SIZES, UNSEEN) if there[size]}


def clip_of(sample: Sample) -> str:
    """Return the names of the episode and the clip."""
    return f"{sample.episode.stem} {sample.clip}".rstrip()


def mean_over_true_labels(score: Score) -> tuple[float, float, int]:
    """Return the mean F1 and recall over the labels on screen, and the number of these labels.

    A label that is never on screen has no recall, and the set of falsely reported labels differs
    between models: with them in the mean, models would be measured on different labels.
    """
    counts = [
        each for each in score.per_label.values() if each.true_positives + each.false_negatives
    ]
    number = len(counts)
    f1, recall = sum(each.f1 for each in counts), sum(each.recall for each in counts)
    return f1 / max(number, 1), recall / max(number, 1), number


def at_borders(samples: Sequence[Sample]) -> Borders:
    """Count the mistakes due to changes after the last classified frame."""
    return Borders(
        made_up=sum(len(each.border_made_up) for each in samples),
        missed=sum(len(each.border_missed) for each in samples),
        falsely_tagged=sum(
            bool(each.found) and each.border_made_up == each.found
            for each in samples
            if not each.true
        ),
    )


def _clip_at(footage: Footage, time: Fraction) -> str:
    return min(_on_at(footage.clips, time), default="")


def _on_at(ranges: Sequence[LabelledRange], time: Fraction) -> frozenset[str]:
    return frozenset(each.label for each in ranges if each.start_seconds <= time < each.end_seconds)
