"""Score a timeline against a truth file."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from castline.asking.cast import read_named_truth
from castline.asking.names import require_tagged_episode
from castline.asking.timelines import detections, labelled_ranges
from castline.asking.times import Time, exact_seconds
from castline.models.measuring import score_at_samples
from castline.tables import Row, Table, columns_of
from db.engine import Transaction
from db.library.corrections import count_corrections
from db.library.current import RunSelection
from db.library.runs import current_run_of
from db.records import EpisodeRecord
from worker.installation import Installation

if TYPE_CHECKING:
    from timeline.scoring.evaluation import Evaluation as Figures
    from timeline.scoring.score import LabelScore, Score


@dataclass(frozen=True)
class LabelFigures(Row):
    """Scores and screen time of one label, counted by frames."""

    label: str
    """The label."""
    precision: float | None
    """Precision, as recall and F1, is None where the collar covers all of the label's time."""
    recall: float | None
    """Recall."""
    f1: float | None
    """F1."""
    true_seconds: float
    """Screen time by the truth."""
    found_seconds: float
    """Screen time by the timeline."""


@dataclass(frozen=True)
class Evaluation(Row):
    """The scores of an episode's timeline against a truth."""

    episode: str
    """Name of the episode."""
    collar_seconds: Fraction
    """Width of the unscored time around each true border, half of it on each side."""
    figures: "Figures"
    """All metrics: of frames, by number of characters on screen and by shot length; of time; of
    ranges."""
    corrections: int = 0
    """How many of the episode's corrections count in it."""

    @property
    def f1(self) -> float:
        """F1 over the frames of all labels together (micro-F1)."""
        return self.figures.frames.micro_f1

    @property
    def labels(self) -> Table[LabelFigures]:
        """The scores of each label."""
        counts = self.figures.frames.per_label
        rows = (
            _label_figures(
                each.label, counts.get(each.label), each.true_seconds, each.found_seconds
            )
            for each in self.figures.screen_time
        )
        return Table(tuple(rows), columns_of(LabelFigures))

    def to_dict(self) -> dict[str, Any]:
        """Return all metrics as a dictionary for JSON; docs/reference/json.md describes it."""
        return {
            "episode": self.episode,
            "collar_seconds": float(self.collar_seconds),
            "corrections": self.corrections,
            **_figures_json(self.figures),
        }


@dataclass(frozen=True)
class SampleFigures(Row):
    """Scores of one label, counted at the samples."""

    label: str
    """The label."""
    precision: float
    """Precision."""
    recall: float
    """Recall."""


@dataclass(frozen=True, repr=False)
class SampleScore(Table[SampleFigures]):
    """The scores of an episode's timeline against a truth, at two samples per second."""

    f1: float = 0.0
    """F1 over all labels together (micro-F1)."""
    samples: int = 0
    """Number of samples."""
    samples_with_nobody: int = 0
    """Samples without a known character on screen."""
    false_tag_samples: int = 0
    """Those of samples_with_nobody at which a character was found."""


def evaluate(
    installation: Installation, episode: str, truth: Path, collar: Time, *, raw: bool
) -> Evaluation:
    """Score the timeline of an episode against a truth file; see `Library.evaluate`."""
    from timeline.scoring.evaluation import evaluate_timeline

    collar_seconds = exact_seconds(collar)
    with installation.database.read() as connection:
        known = require_tagged_episode(connection, episode)
        ranges = read_named_truth(connection, truth)
        found = detections(connection, known, RunSelection(raw=raw))
        counted = 0 if raw else _corrections(connection, known)
    figures = evaluate_timeline(
        ranges, found, known.duration_seconds, known.frame_rate, collar_seconds
    )
    return Evaluation(known.name, collar_seconds, figures, counted)


def evaluate_at_samples(
    installation: Installation, episode: str, truth: Path, *, raw: bool
) -> SampleScore:
    """Score an episode's timeline at two samples per second; see `Library.evaluate_at_samples`."""
    with installation.database.read() as connection:
        known = require_tagged_episode(connection, episode)
        ranges = read_named_truth(connection, truth)
        found = labelled_ranges(connection, known, RunSelection(raw=raw))
    score = score_at_samples(known, found, ranges)
    rows = tuple(
        SampleFigures(label, counts.precision, counts.recall)
        for label, counts in score.per_label.items()
    )
    return SampleScore(
        rows,
        columns_of(SampleFigures),
        f1=score.micro_f1,
        samples=score.samples,
        samples_with_nobody=score.samples_with_nobody,
        false_tag_samples=score.false_tag_samples,
    )


def _corrections(connection: Transaction, episode: EpisodeRecord) -> int:
    run = current_run_of(connection, episode.id)
    return count_corrections(connection, run.id) if run else 0


def _label_figures(
    label: str, counts: "LabelScore | None", true_seconds: Fraction, found_seconds: Fraction
) -> LabelFigures:
    return LabelFigures(
        label,
        counts.precision if counts else None,
        counts.recall if counts else None,
        counts.f1 if counts else None,
        float(true_seconds),
        float(found_seconds),
    )


def _figures_json(result: "Figures") -> dict[str, Any]:
    errors = result.errors
    return {
        **_score_json(result.frames),
        "macro_precision": result.frames.macro_precision,
        "macro_recall": result.frames.macro_recall,
        "macro_f1": result.frames.macro_f1,
        "labels": {label: counts_json(counts) for label, counts in result.frames.per_label.items()},
        "by_number_on_screen": {
            name: _score_json(score) for name, score in result.by_number_on_screen.items()
        },
        "by_shot_length": {
            name: _score_json(score) for name, score in result.by_shot_length.items()
        },
        "identification": {
            "error_rate": errors.rate,
            "total_seconds": float(errors.total),
            "correct_seconds": float(errors.correct),
            "confused_seconds": float(errors.confused),
            "missed_seconds": float(errors.missed),
            "false_alarm_seconds": float(errors.false_alarm),
        },
        "average_precision_50": result.average_precision_50,
        "average_precision_50_95": result.average_precision_50_95,
        "screen_time_error": result.screen_time_error,
        "screen_time": [
            {
                "label": each.label,
                "true_seconds": float(each.true_seconds),
                "found_seconds": float(each.found_seconds),
            }
            for each in result.screen_time
        ],
    }


def _score_json(score: "Score") -> dict[str, Any]:
    return {
        "frames": score.samples,
        **counts_json(score.total),
        "frames_with_nobody": score.samples_with_nobody,
        "false_tag_frames": score.false_tag_samples,
    }


def counts_json(counts: "LabelScore") -> dict[str, Any]:
    """Return counts of labels, and the ratios derived from them, for `--json`."""
    return {
        "true_positives": counts.true_positives,
        "false_positives": counts.false_positives,
        "false_negatives": counts.false_negatives,
        "precision": counts.precision,
        "recall": counts.recall,
        "f1": counts.f1,
    }
