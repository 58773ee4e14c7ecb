"""Test a trained network on its whole dataset, and write the report of its version."""

from dataclasses import asdict, dataclass

import numpy as np

from model.dataset.folder import Dataset
from model.dataset.split import PARTS
from model.evaluation.calibration import ABOUT_THRESHOLDS, Calibration
from model.evaluation.predictions import Figures, Overfitting, Predictions, figures_of
from model.evaluation.recogniser import Mistake, Recogniser, predict_part, show_mistakes
from model.evaluation.scene_calibration import ABOUT_SCENES
from model.progress import Progress
from model.report.card import model_card
from model.report.report import report_pages
from model.training.history import Epoch
from model.training.plan import TrainingPlan
from model.training.schedule import shown_per_epoch
from model.version.artifact import MODEL_CARD, ModelVersion
from model.version.manifest import Manifest


@dataclass(frozen=True)
class Tested:
    """The test results of a network."""

    answers: Predictions
    """Predictions for the test stills."""
    figures: Figures
    """Metrics on the test stills."""
    overfitting: Overfitting
    """Accuracy on the training and on the validation stills."""
    mistakes: tuple[Mistake, ...]
    """Some of the mistakes on the test stills, worst first."""


def ask(recogniser: Recogniser, dataset: Dataset, tell: Progress) -> Tested:
    """Run a network on each part of a dataset.

    Args:
        recogniser: The network with its temperature.
        dataset: The dataset that it was trained on.
        tell: Called with a step's name, and how much of it is done out of how much.

    Raises:
        DatasetError: A shard is damaged.
    """
    answers = {}
    for number, part in enumerate(PARTS):
        tell("Testing", number, len(PARTS))
        answers[part] = predict_part(recogniser, dataset, part)
    tell("Testing", len(PARTS), len(PARTS))
    return Tested(
        answers["test"],
        figures_of(answers["test"]),
        Overfitting(answers["train"].accuracy, answers["validation"].accuracy),
        show_mistakes(answers["test"], dataset, "test", recogniser.preprocessing),
    )


def report_of(
    plan: TrainingPlan, manifest: Manifest, history: tuple[Epoch, ...], tested: Tested
) -> dict[str, bytes]:
    """Return the contents of the report's files by name, including the model card."""
    dataset, recipe, teachers, start = plan.dataset, plan.recipe, plan.teachers, plan.start
    counts = np.array(dataset.manifest.counts["train"], np.int64)
    shown = shown_per_epoch(counts, dataset.manifest.labels, recipe).tolist()
    more = {
        "recipe": asdict(recipe),
        "teachers": [_named(teacher) for teacher in teachers],
        "start": _named(start) if start else None,
        "dataset": {
            "fingerprint_sha256": dataset.manifest.fingerprint_sha256,
            "split": dataset.manifest.split,
            "seed": dataset.manifest.seed,
            "counts": dataset.manifest.counts,
        },
        "shown_per_epoch": dict(zip(dataset.manifest.labels, shown, strict=True)),
    }
    pages = report_pages(
        history, tested.answers, tested.mistakes, tested.overfitting, more, manifest.names
    )
    card = model_card(
        manifest,
        recipe,
        [teacher.manifest for teacher in teachers],
        start.manifest if start else None,
        dataset.manifest,
        tested.figures,
        tested.overfitting,
        about_stills=plan.provenance.about_stills,
        about_thresholds=ABOUT_SCENES if manifest.is_dense else ABOUT_THRESHOLDS,
        command=plan.provenance.command,
    )
    return {**pages, MODEL_CARD: card.encode()}


def _named(version: ModelVersion) -> dict[str, str]:
    return {"reference": version.manifest.reference, "sha256": version.sha256}


def metrics_of(
    tested: Tested, calibration: Calibration, agreement: float, dataset: Dataset
) -> dict[str, float]:
    """Return the metrics for a manifest.

    Args:
        tested: The network's test results.
        calibration: Its calibration, with the choice of thresholds.
        agreement: Share of the validation stills that get the same label in 8 bits as in 32.
        dataset: The dataset that it was trained on.
    """
    figures, overfitting, counts = tested.figures, tested.overfitting, dataset.manifest.counts
    unknown = figures.unknown
    return {
        "accuracy": figures.score.accuracy,
        "macro_f1": figures.score.macro_f1,
        "expected_calibration_error": figures.reliability.error,
        "train_accuracy": overfitting.train_accuracy,
        "validation_accuracy": overfitting.validation_accuracy,
        "rehearsal_frames": calibration.frames,
        "rehearsal_micro_f1": calibration.micro_f1,
        "int8_agreement": agreement,
        **{f"stills_{part}": sum(counts[part]) for part in PARTS},
        **(
            {
                "unknown_auroc": unknown.auroc,
                "unknown_false_positive_rate": unknown.false_positive_rate,
            }
            if unknown
            else {}
        ),
    }
