"""The report of a model version: its training and its metrics, as files for people.

    curves.png                  accuracy and loss by epoch, and the overfitting
    confusion.png               which label was taken for which, in stills
    confusion_normalised.png    the same in percent of each label's stills
    classification_report.txt   scikit-learn's
    reliability.png             calibration: accuracy by confidence
    mistakes.png                the most confident mistakes
    history.csv                 a line per epoch
    report.json                 all figures

Nothing here is ever read back.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

import numpy as np

from model.dataset.contact_sheet import captioned_sheet
from model.evaluation.metrics import KNOWN_RECALL
from model.evaluation.predictions import Figures, Overfitting, Predictions, figures_of
from model.evaluation.recogniser import Mistake
from model.labels import Names
from model.report.pictures import draw_confusion, draw_curves, draw_reliability
from model.training.history import CSV_NAME, Epoch, history_csv

_DIGITS: Final = 3  # of a thousand stills: one moves the last digit


def report_pages(
    history: Sequence[Epoch],
    tested: Predictions,
    mistakes: Sequence[Mistake],
    overfitting: Overfitting,
    more: Mapping[str, object] | None = None,
    names: Names | None = None,
) -> dict[str, bytes]:
    """Return the contents of the report's files by name.

    Args:
        history: The epochs of the training; if empty, neither curves nor their table are made.
        tested: The predictions for the test stills.
        mistakes: Mistakes to show, worst first.
        overfitting: The overfitting of the final network.
        more: Further JSON values for `report.json`, such as the recipe.
        names: Display names of the labels, for the plots.
    """
    figures = figures_of(tested)
    names = Names() if names is None else names
    report = {**report_content(figures, overfitting, mistakes), **(more or {})}
    epochs = (
        {
            "curves.png": draw_curves(history, overfitting),
            CSV_NAME: history_csv(history).encode(),
        }
        if history
        else {}
    )
    return {
        **epochs,
        "confusion.png": draw_confusion(figures.confusion, names, normalised=False),
        "confusion_normalised.png": draw_confusion(figures.confusion, names, normalised=True),
        "classification_report.txt": classification_report(tested).encode(),
        "reliability.png": draw_reliability(figures.reliability),
        "mistakes.png": _mistakes_png(mistakes, names),
        "report.json": _json(report),
    }


def report_content(
    figures: Figures, overfitting: Overfitting, mistakes: Sequence[Mistake]
) -> dict[str, Any]:
    """Return the metrics as they are stored in `report.json`."""
    reliability, unknown = figures.reliability, figures.unknown
    return {
        **asdict(figures.score),
        "train_accuracy": overfitting.train_accuracy,
        "validation_accuracy": overfitting.validation_accuracy,
        "overfitting": overfitting.difference,
        "expected_calibration_error": reliability.error,
        "reliability": [asdict(each) for each in reliability.bins],
        "unknown": unknown and {**asdict(unknown), "known_recall": KNOWN_RECALL},
        "confusion": {
            "labels": figures.confusion.labels,
            "counts": figures.confusion.counts.tolist(),
        },
        "mistakes": [
            {
                "source": mistake.source,
                "truth": mistake.truth,
                "answer": mistake.answer,
                "confidence": mistake.confidence,
            }
            for mistake in mistakes
        ],
    }


def classification_report(tested: Predictions) -> str:
    """Return scikit-learn's report on the stills whose label is an output."""
    from sklearn import metrics

    truth, said = tested.counted[tested.has_output], tested.answers[tested.has_output]
    occurring = np.union1d(truth, said)
    text: str = metrics.classification_report(
        truth,
        said,
        labels=occurring,
        target_names=[tested.labels[number] for number in occurring],
        digits=_DIGITS,
        zero_division=0,
    )
    return text


def _mistakes_png(mistakes: Sequence[Mistake], names: Names) -> bytes:
    shown = [
        (
            mistake.picture,
            (
                names[mistake.truth],
                f"-> {names[mistake.answer]}",
                f"{mistake.confidence:.3f}",
            ),
        )
        for mistake in mistakes
    ]
    return captioned_sheet(shown, if_none="No mistakes were made.")


def _json(content: object) -> bytes:
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False, default=dict)
    return text.encode() + b"\n"
