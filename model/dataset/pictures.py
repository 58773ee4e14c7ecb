"""Plot a set of stills: its imbalance, and the effect of preprocessing."""

from collections.abc import Collection, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.pictures.drawing import DARK, FAINT, GRID, INK, LIGHT, RED, figure_png, new_figure
from model.pictures.preprocess import Preprocessing

_WIDTH_INCHES: Final = 9.0
_BAR_INCHES: Final = 0.26  # a label in 10 points, with space
_FRAME_INCHES: Final = 1.2  # axis, its name and the legend
_ROW_INCHES: Final = 2.6  # one row of pictures, with a title above each


def draw_counts(counts: Mapping[str, int], chosen: Collection[str]) -> bytes:
    """Plot the number of stills of each label, most frequent first, as a PNG file's content.

    Args:
        counts: Number of stills by label; one label or more.
        chosen: Labels that are used; their bars are dark.
    """
    by_count = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    figure = new_figure(_WIDTH_INCHES, _FRAME_INCHES + _BAR_INCHES * len(by_count))
    axes = figure.add_subplot()
    for name, colour, is_shown in (("chosen", DARK, True), ("left out", LIGHT, False)):
        shown = [
            (row, n) for row, (label, n) in enumerate(by_count) if (label in chosen) is is_shown
        ]
        if shown:
            rows, lengths = zip(*shown, strict=True)
            bars = axes.barh(rows, lengths, color=colour, label=name, zorder=2)
            axes.bar_label(bars, padding=3, color=INK, size=9)
    names = [label.replace("_", " ") for label, _ in by_count]
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)  # the first label on top
    axes.margins(x=0.08)  # room for the numbers
    axes.set_xlabel("stills")
    axes.grid(axis="x", color=GRID, linewidth=0.8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="lower right")
    return figure_png(figure)


def draw_preprocessing(pictures: Mapping[str, NDArray[np.uint8]], rule: Preprocessing) -> bytes:
    """Plot the steps of preprocessing as the content of a PNG file.

    Each row shows a picture: as it is, on the canvas with a frame around the centre that is kept,
    and as the network sees it. All pixels have the same size, which shows how many are left.

    Args:
        pictures: (height, width, 3) RGB by name; one or more.
        rule: The preprocessing.
    """
    largest = max(rule.canvas_side, *(max(picture.shape[:2]) for picture in pictures.values()))
    figure = new_figure(_WIDTH_INCHES, _ROW_INCHES * len(pictures))
    rows = figure.subplots(len(pictures), 3, squeeze=False)
    for row, (name, picture) in zip(rows, pictures.items(), strict=True):
        canvas = rule.fit_to_canvas(picture)
        steps = {name: picture, "on the canvas": canvas, "as seen": rule.crop_middle(canvas)}
        for axes, (title, shown) in zip(row, steps.items(), strict=True):
            height, width = shown.shape[:2]
            axes.imshow(shown, interpolation="nearest")
            axes.set_title(f"{title}, {width}x{height}", size=10, color=INK)
            axes.set_xlim((width - largest) / 2, (width + largest) / 2)
            axes.set_ylim((height + largest) / 2, (height - largest) / 2)
            axes.set_xticks([])
            axes.set_yticks([])
            axes.spines[:].set_color(FAINT)
        kept = (rule.margin, rule.margin + rule.side)
        across, down = np.array([(0, 1, 1, 0, 0), (0, 0, 1, 1, 0)])
        row[1].plot(np.take(kept, across) - 0.5, np.take(kept, down) - 0.5, color=RED)
    return figure_png(figure)
