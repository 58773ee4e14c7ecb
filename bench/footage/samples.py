"""Footage beside its truth, moment by moment: pure, what `bench.real_footage` counts."""

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
"""Between two moments that are scored: no multiple or part of the half second by which episodes are
sampled, so that each moment lies elsewhere between two samples."""

MANY: Final = 3
"""From so many characters on screen they are counted together."""


SIZES: Final = {"half the height or more": 0.5, "a quarter to half": 0.25, "under a quarter": 0.0}
"""Classes of places by the least height of each, a share of the picture's."""

UNSEEN: Final = "no place"
"""The class of those of whom the frame that was looked at last says nothing."""


@dataclass(frozen=True)
class Answer:
    """What a recogniser said of a label in a frame."""

    confidence: float
    height: float | None = None
    """Of the place where it was seen, as a share of the picture's; None if the model has none."""


@dataclass(frozen=True)
class Look:
    """A frame that was sampled, and what was said of it."""

    seconds: Fraction
    answers: Mapping[str, Answer]
    """By label, from the floor of what is stored on."""


@dataclass(frozen=True)
class Footage:
    """An episode, what is known of it, and what `castline tag` found; seconds from its start."""

    episode: Path
    duration_seconds: Fraction
    truth: Sequence[LabelledRange]
    clips: Sequence[LabelledRange]
    """The label is the clip's name."""
    found: Sequence[LabelledRange]
    looks: Sequence[Look]
    """In order."""


@dataclass(frozen=True)
class Sample:
    """A moment that is scored; of labels only those that count."""

    episode: Path
    clip: str
    """Its name; empty where clips have none."""
    seconds: Fraction
    true: AbstractSet[str]
    found: AbstractSet[str]
    answers: Mapping[str, Answer]
    """In the frame that was looked at last."""
    true_then: AbstractSet[str]
    """In that frame."""
    is_clip_new: bool
    """Whether that frame is of another clip."""

    @property
    def made_up(self) -> AbstractSet[str]:
        """The labels that were found and are not there."""
        return self.found - self.true

    @property
    def missed(self) -> AbstractSet[str]:
        """The labels that are there and were not found."""
        return self.true - self.found

    @property
    def border_made_up(self) -> AbstractSet[str]:
        """Those that a border explains: right when it was looked last, or said of another clip."""
        return self.made_up if self.is_clip_new else self.made_up & self.true_then

    @property
    def border_missed(self) -> AbstractSet[str]:
        """The same of what was missed: it was not there yet, or the clip was another."""
        return self.missed if self.is_clip_new else self.missed - self.true_then

    def size(self, label: str) -> str:
        """Return the class of SIZES that a label has in the frame that was looked at last.

        The place is the model's own, at whatever confidence: a truth tells who is there, not where.
        """
        answer = self.answers.get(label)
        if answer is None or answer.height is None:
            return UNSEEN
        height = answer.height
        return next(name for name, least in SIZES.items() if height >= least)

    def confidence(self, label: str) -> float:
        """Of a label in the frame that was looked at last; 0 below what is stored."""
        answer = self.answers.get(label)
        return answer.confidence if answer else 0.0


@dataclass(frozen=True)
class Borders:
    """Mistakes that the recogniser did not make: a border came after it looked last."""

    made_up: int
    """Pairs of sample and label."""
    missed: int
    """The same."""
    falsely_tagged: int
    """Samples where nobody known is on screen any more."""


def scored_seconds(duration_seconds: Fraction) -> list[Fraction]:
    """The moments that are scored: (k + 1/2) of the grid, from the first frame on."""
    half = GRID_SECONDS / 2
    count = max(0, -((half - duration_seconds) // GRID_SECONDS))
    return [half + number * GRID_SECONDS for number in range(count)]


def samples_of(footage: Footage, labels: AbstractSet[str]) -> tuple[list[Sample], int]:
    """Put truth and timeline side by side.

    Args:
        footage: what was tagged.
        labels: those that count; the others are as if nobody had named them.

    Returns:
        The samples, and how many more moments the truth says nothing about.
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
    """Count the pairs as if whoever reaches an onset in the last look were there, and nobody else.

    This is what the recogniser says of each frame alone; a timeline adds cuts, shots and durations.
    """
    found = [
        {name for name, said in each.answers.items() if said.confidence >= onset_of(name)}
        for each in samples
    ]
    return score_samples([each.true for each in samples], found)


def scores_by(samples: Sequence[Sample], class_of: Callable[[Sample], str]) -> dict[str, Score]:
    """The scores of classes of samples, by the names of those that there are."""
    classes: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        classes[class_of(sample)].append(sample)
    return {name: score(classes[name]) for name in sorted(classes)}


def number_on_screen(sample: Sample) -> str:
    """`0`, `1`, `2` or `3+`."""
    number = len(sample.true)
    return str(number) if number < MANY else f"{MANY}+"


def recall_by_size(samples: Sequence[Sample]) -> dict[str, tuple[int, int]]:
    """Of each class of sizes, how many pairs of sample and true label are found, of how many."""
    found: Counter[str] = Counter()
    there: Counter[str] = Counter()
    for sample in samples:
        for label in sample.true:
            size = sample.size(label)
            there[size] += 1
            found[size] += label in sample.found
    return {size: (found[size], there[size]) for size in (*SIZES, UNSEEN) if there[size]}


def clip_of(sample: Sample) -> str:
    """The episode's name and the clip's."""
    return f"{sample.episode.stem} {sample.clip}".rstrip()


def mean_over_true_labels(score: Score) -> tuple[float, float, int]:
    """F1 and recall in the mean over the labels that are on screen, and how many those are.

    A label that is nowhere on screen has no recall, and which of those are made up differs from
    model to model: with them in the mean, models would be measured on different labels.
    """
    counts = [
        each for each in score.per_label.values() if each.true_positives + each.false_negatives
    ]
    number = len(counts)
    f1, recall = sum(each.f1 for each in counts), sum(each.recall for each in counts)
    return f1 / max(number, 1), recall / max(number, 1), number


def at_borders(samples: Sequence[Sample]) -> Borders:
    """Count what is wrong because of what happened after the frame that was looked at last."""
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
