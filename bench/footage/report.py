"""Format the metrics of footage as Markdown and as JSON."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from bench.footage.samples import (
    MANY,
    SIZES,
    UNSEEN,
    Sample,
    at_borders,
    clip_of,
    mean_over_true_labels,
    number_on_screen,
    recall_by_size,
    score,
    score_of_looks,
    scores_by,
)
from castline.asking.scoring import counts_json
from timeline.scoring.score import LabelScore, Score

NUMBERS: Final = {"1": "one", "2": "two", f"{MANY}+": "three or more"}
"""Classes of samples, by the number of known characters on screen."""


@dataclass(frozen=True)
class Scored:
    """The samples of all footage, for one choice of labels."""

    labels: frozenset[str]
    not_known: frozenset[str]
    """Those of the labels that the model does not know."""
    samples: Sequence[Sample]
    untold: int
    """Number of moments that were left out, since the truth does not cover them."""
    onset_of: Callable[[str], float]
    """Maps a label to the confidence from which the model reports it."""

    @property
    def name(self) -> str:
        """Heading of its column."""
        return f"{len(self.labels)} labels"


def figures_table(choices: Sequence[Scored]) -> str:
    """Return the main table, a column for each choice of labels."""
    columns = [dict(_figures(choice)) for choice in choices]
    rows = [(name, *(column[name] for column in columns)) for name in columns[0]]
    return _table(("figure", *(choice.name for choice in choices)), rows)


def labels_table(choice: Scored) -> str:
    """Return a row for each label on screen or falsely reported, most frequent first."""
    counts = sorted(
        score(choice.samples).per_label.items(), key=lambda each: (-_there(each[1]), each[0])
    )
    rows = [
        (
            f"{label} (not known)" if label in choice.not_known else label,
            str(_there(each)),
            _ratio(each.recall) if _there(each) else "",
            _ratio(each.precision) if each.true_positives + each.false_positives else "",
            str(each.false_positives),
        )
        for label, each in counts
    ]
    return _table(("label", "samples", "recall", "precision", "made up"), rows)


def clips_table(choice: Scored) -> str:
    """Return a row for each clip with a mistake, the most mistakes first."""
    is_one = len({sample.episode for sample in choice.samples}) == 1
    clips = scores_by(choice.samples, lambda each: each.clip if is_one else clip_of(each))
    wrong = {name: each for name, each in clips.items() if _mistakes(each)}
    rows = [
        (
            name,
            str(each.samples),
            _ratio(each.micro_f1),
            _named(each, "false_negatives"),
            _named(each, "false_positives"),
            f"{each.false_tag_samples} of {each.samples_with_nobody}",
        )
        for name, each in sorted(wrong.items(), key=lambda item: (-_mistakes(item[1]), item[0]))
    ]
    return _table(("clip", "samples", "F1", "missed", "made up", "falsely tagged"), rows)


def choice_json(choice: Scored) -> dict[str, Any]:
    """Return all metrics of a choice of labels."""
    whole = score(choice.samples)
    f1, recall, number = mean_over_true_labels(whole)
    return {
        "labels": sorted(choice.labels),
        "labels_not_known": sorted(choice.not_known),
        "samples_left_out": choice.untold,
        **_score_json(whole),
        "by_number_on_screen": _scores_json(scores_by(choice.samples, number_on_screen)),
        "recall_by_size": {
            size: {"found": found, "there": there}
            for size, (found, there) in recall_by_size(choice.samples).items()
        },
        "f1_without_linking": score_of_looks(choice.samples, choice.onset_of).micro_f1,
        "labels_on_screen": number,
        "mean_f1": f1,
        "mean_recall": recall,
        "at_borders": asdict(at_borders(choice.samples)),
        "per_label": {label: counts_json(each) for label, each in whole.per_label.items()},
        "by_clip": _scores_json(scores_by(choice.samples, clip_of)),
    }


def _figures(choice: Scored) -> Iterator[tuple[str, str]]:
    whole, numbers = score(choice.samples), scores_by(choice.samples, number_on_screen)
    yield "labels that the model does not know", str(len(choice.not_known))
    yield "F1 (micro)", _ratio(whole.micro_f1)
    yield "precision", _ratio(whole.micro_precision)
    yield "recall", _ratio(whole.micro_recall)
    looks = score_of_looks(choice.samples, choice.onset_of)
    yield "F1, each look by itself", _ratio(looks.micro_f1)
    for number, word in NUMBERS.items():
        each = numbers.get(number)
        shown = f"{each.micro_f1:.3f} ({each.samples} samples)" if each else ""
        yield f"F1, {word} known on screen", shown
    for size in (*SIZES, UNSEEN):
        found, there = recall_by_size(choice.samples).get(size, (0, 0))
        shown = f"{found / there:.3f} ({there} pairs)" if there else "none"
        yield f"recall, {size}", shown
    false, nobody = whole.false_tag_samples, whole.samples_with_nobody
    yield (
        "falsely tagged, nobody known on screen",
        f"{false / max(nobody, 1):.1%} ({false} of {nobody} samples)",
    )
    f1, recall, number_of_labels = mean_over_true_labels(whole)
    yield "F1, mean over labels on screen", f"{f1:.3f} ({number_of_labels} labels)"
    yield "recall, mean over labels on screen", _ratio(recall)
    borders = at_borders(choice.samples)
    for what, all_of_them, at_border in (
        ("falsely tagged samples", false, borders.falsely_tagged),
        ("pairs made up", whole.false_positives, borders.made_up),
        ("pairs missed", whole.false_negatives, borders.missed),
    ):
        yield f"{what}, of them at a border", f"{all_of_them}, {at_border}"


def _there(counts: LabelScore) -> int:
    return counts.true_positives + counts.false_negatives


def _mistakes(each: Score) -> int:
    return each.false_positives + each.false_negatives


def _named(each: Score, field: str) -> str:
    """List labels with their counts, highest first."""
    counts = Counter({label: getattr(one, field) for label, one in each.per_label.items()})
    return ", ".join(f"{label} {count}" for label, count in counts.most_common() if count)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _ratio(value: float) -> str:
    return f"{value:.3f}"


def _scores_json(scores: dict[str, Score]) -> dict[str, dict[str, Any]]:
    return {name: _score_json(each) for name, each in scores.items()}


def _score_json(each: Score) -> dict[str, Any]:
    return {
        "samples": each.samples,
        **counts_json(each.total),
        "samples_with_nobody": each.samples_with_nobody,
        "falsely_tagged": each.false_tag_samples,
    }
