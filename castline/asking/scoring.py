"""Score a timeline against a truth file."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from castline.asking.cast import cast_of, read_named_truth
from castline.asking.names import require_selected_run, require_tagged_episode
from castline.asking.timelines import detections, labelled_ranges
from castline.asking.times import Time, exact_seconds
from castline.models.measuring import score_at_samples
from castline.tables import Row, Table, columns_of
from db.library.corrections import count_corrections
from db.library.current import CURRENT, RunSelection, find_selection
from db.questions.appearances import labels_of_model
from timeline.scoring.detection import Detection
from timeline.scoring.truth import counted_from, ranges_within
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
    model: str
    """NAME@VERSION of the model that was scored."""
    collar_seconds: Fraction
    """Width of the unscored time around each true border, half of it on each side."""
    figures: "Figures"
    """All of them: of frames by number on screen and by length of shots, of time, of ranges."""
    taken: Mapping[str, str]
    """Labels for names in the truth that are only parts of names."""
    absent_labels: Mapping[str, tuple[str, ...]]
    """Labels in the truth that no installed model has, with similarly spelled labels."""
    unsayable_labels: tuple[str, ...]
    """Labels in the truth that another installed model has but this one cannot give."""
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
            "model": self.model,
            "taken": dict(self.taken),
            "absent_labels": sorted(self.absent_labels),
            "unsayable_labels": list(self.unsayable_labels),
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
    installation: Installation,
    episode: str,
    truth: Path,
    collar: Time,
    *,
    run: int | None,
    model: str | None,
    renamed: Mapping[str, str],
    raw: bool,
) -> Evaluation:
    """Compares the timeline of an episode with a truth file; see `Library.evaluate`."""
    from timeline.scoring.evaluation import evaluate_timeline

    collar_seconds = exact_seconds(collar)
    with installation.database.read() as connection:
        known = require_tagged_episode(connection, episode)
        selection = find_selection(connection, run, model, raw)
        shown_run = require_selected_run(connection, known, selection)
        told = read_named_truth(connection, truth, known, renamed)
        found = detections(connection, known, selection)
        cast = cast_of(connection)
        sayable = labels_of_model(connection, shown_run.model_sha256)
        counted = 0 if raw else count_corrections(connection, shown_run.id)
    # The examined part is scored as if it were the whole episode.
    start, end = map(known.seconds_at, shown_run.examined)
    figures = evaluate_timeline(
        [counted_from(start, each) for each in ranges_within(told.ranges, start, end)],
        [
            Detection(counted_from(start, item), each.confidence)
            for each in found
            for item in ranges_within([each.range], start, end)
        ],
        end - start,
        known.frame_rate,
        collar_seconds,
    )
    labels = {item.label for item in told.ranges if item.label}
    return Evaluation(
        known.name,
        shown_run.model,
        collar_seconds,
        figures,
        told.taken,
        {label: tuple(cast.close_to(label)) for label in told.absent},
        tuple(sorted(labels.difference(sayable, told.absent))),
        counted,
    )


def evaluate_at_samples(
    installation: Installation, episode: str, truth: Path, *, raw: bool
) -> SampleScore:
    """Score an episode's timeline at two samples per second; see `Library.evaluate_at_samples`."""
    with installation.database.read() as connection:
        known = require_tagged_episode(connection, episode)
        run = require_selected_run(connection, known, CURRENT)
        told = read_named_truth(connection, truth, known)
        found = labelled_ranges(connection, known, RunSelection(raw=raw))
    score = score_at_samples(known, run.examined, found, told.ranges)
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
        "borders": {
            "true": result.borders.borders,
            "matched": len(result.borders.seconds),
            "median_error_seconds": result.borders.median_seconds,
            "error_seconds_90": result.borders.percentile_seconds(90),
        },
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
