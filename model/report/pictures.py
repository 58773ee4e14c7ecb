"""Plots of a model version's report, as the content of PNG files."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from model.evaluation.metrics import Reliability
from model.evaluation.predictions import Confusion, Overfitting
from model.labels import Names, shortened
from model.pictures.drawing import DARK, FAINT, GRID, INK, LIGHT, RED, figure_png, new_figure
from model.pictures.fonts import font_families
from model.training.history import Epoch

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LEARNT, _HELD_BACK = DARK, RED

_POINTS_PER_INCH: Final = 72

_CELL_INCHES: Final = 0.36  # of a confusion matrix: three digits in 8 points, with space
_MATRIX_INCHES: Final = 24.0  # at most, 3,120 px: beyond 66 labels cells shrink
_NAMES_INCHES: Final = 3.0  # beside and below the matrix: 25 letters, titles, space
_DIGITS_SHARE: Final = 0.31  # of a cell's height
_NAME_POINTS: Final = 10.0  # largest size of labels: matplotlib's default
_SHADE: Final = 0.5  # exponent of shares: a mistake in a hundred gets a tenth of the colour
_FULL_SHADE: Final = 1.2  # of 1 at most: the darkest blue is as good as black
_TOO_DARK: Final = 0.7  # shade from which dark text becomes unreadable


def draw_curves(history: Sequence[Epoch], overfitting: Overfitting) -> bytes:
    """Plot accuracy and loss by epoch, for training and validation.

    Args:
        history: One epoch or more.
        overfitting: Stated in the title, and marked after the last epoch.
    """
    figure = new_figure(10.0, 4.4)
    accuracy, loss = figure.subplots(1, 2)
    numbers = [epoch.number for epoch in history]
    _curve(accuracy, numbers, (epoch.accuracy for epoch in history), "train, while learning")
    validated = (epoch.validation_accuracy for epoch in history)
    _curve(accuracy, numbers, validated, "validation", held_back=True)
    accuracy.plot(
        numbers[-1],
        overfitting.train_accuracy,
        "D",
        color=_LEARNT,
        label="train, as seen at inference",
    )
    accuracy.set_title("Accuracy")
    _curve(loss, numbers, (epoch.loss for epoch in history), "train, while learning")
    _curve(loss, numbers, (e.validation_loss for e in history), "validation", held_back=True)
    loss.set_title("Loss (cross-entropy, nats)")
    for axes in (accuracy, loss):
        axes.set_xlabel("epoch")
        axes.set_xlim(0.5, numbers[-1] + 0.5)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.legend(frameon=False)
    figure.suptitle(
        f"Train {overfitting.train_accuracy:.1%}, validation "
        f"{overfitting.validation_accuracy:.1%}: overfitting "
        f"{100 * overfitting.difference:+.1f} points",
        color=INK,
    )
    return figure_png(figure)


def draw_confusion(confusion: Confusion, names: Names, *, normalised: bool) -> bytes:
    """Plot a confusion matrix, with a row for each correct label and a column for each prediction.

    Args:
        confusion: The confusion matrix, with any number of labels.
        names: Display names of the labels.
        normalised: Whether cells show percent of each row instead of stills. The colours show
            shares either way; otherwise labels with few stills would be white throughout.
    """
    labels = [shortened(names[label]) for label in confusion.labels]
    text: dict[str, Any] = {"family": font_families(labels), "parse_math": False}
    side = min(_MATRIX_INCHES, _CELL_INCHES * len(labels))
    figure = new_figure(side + _NAMES_INCHES, side + _NAMES_INCHES)
    axes = figure.add_subplot()
    shades = confusion.shares**_SHADE
    borders = np.arange(len(labels) + 1) - 0.5
    axes.pcolormesh(
        borders,
        borders,
        shades,
        cmap="Blues",
        vmin=0,
        vmax=_FULL_SHADE,
        edgecolors=GRID,
        linewidth=0.5,
    )
    axes.set_aspect("equal")
    axes.invert_yaxis()  # the first label on top
    points = side / len(labels) * _POINTS_PER_INCH * _DIGITS_SHARE
    written = np.rint(100 * confusion.shares).astype(np.int64) if normalised else confusion.counts
    for row, column in zip(*np.nonzero(written), strict=True):
        colour = "white" if shades[row, column] > _TOO_DARK else INK
        number = str(written[row, column])
        axes.text(column, row, number, ha="center", va="center", color=colour, size=points)
    text["size"] = min(_NAME_POINTS, 2 * points)
    axes.set_xticks(range(len(labels)), labels, rotation=90, **text)
    axes.set_yticks(range(len(labels)), labels, **text)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("said")
    axes.set_ylabel("is")
    axes.set_title("Percent of the row's stills" if normalised else "Stills")
    return figure_png(figure)


def draw_reliability(reliability: Reliability) -> bytes:
    """Plot accuracy by confidence, and the number of predictions by confidence."""
    figure = new_figure(6.0, 6.4)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    filled = [each for each in reliability.bins if each.stills]
    middles = [(each.above + each.up_to) / 2 for each in filled]
    width = 0.94 / len(reliability.bins)  # a gap between bars
    above.bar(
        middles,
        [each.accuracy for each in filled],
        width,
        color=LIGHT,
        label="of the bin",
        zorder=2,
    )
    above.plot([0, 1], [0, 1], "--", color=FAINT, label="as it should be", zorder=3)
    above.plot(
        [each.confidence for each in filled],
        [each.accuracy for each in filled],
        "o",
        color=_HELD_BACK,
        label="at its mean confidence",
        zorder=4,
    )
    above.set_ylabel("share that was right")
    above.set_xlim(0, 1)
    above.set_ylim(0, 1.02)
    above.legend(frameon=False, loc="upper left")
    above.set_title(
        f"Expected calibration error {reliability.error:.2%} "
        f"({len(reliability.bins)} bins, {reliability.stills} stills)"
    )
    below.bar(middles, [each.stills for each in filled], width, color=FAINT, zorder=2)
    below.set_yscale("log")  # nearly all stills are in the last bin
    below.set_ylim(bottom=0.7)
    below.set_ylabel("stills")
    below.set_xlabel("confidence")
    return figure_png(figure)


def _curve(
    axes: "Axes",
    numbers: Sequence[int],
    values: Iterable[float],
    label: str,
    *,
    held_back: bool = False,
) -> None:
    colour = _HELD_BACK if held_back else _LEARNT
    axes.plot(numbers, list(values), ".-", color=colour, label=label)
    axes.grid(color=GRID, linewidth=0.8)
