"""Plot a timeline: one row per label, a bar for each appearance."""

import warnings
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from timeline.errors import TimelineError
from timeline.files import whole_file
from timeline.scoring.truth import LabelledRange
from timeline.times import format_clock

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SUFFIXES = (".png", ".svg")
"""The supported picture formats."""

FONT = "DejaVu Sans"
"""The font that comes with matplotlib."""

WIDTH_INCHES = 11.0
ROW_INCHES = 0.36  # a label in 10 points with space above and below
FRAME_INCHES = 1.25  # title above the rows, time axis and legend below
DOTS_PER_INCH = 130  # 1430 px wide: sharp on a page, small as a file

# Tol's "muted" scheme (personal.sron.nl/~pault, 2021), which colour-blind people can distinguish; a
# row has a name too, so that colours may repeat.
COLOURS = (
    "#332288", "#CC6677", "#44AA99", "#DDCC77", "#882255",
    "#88CCEE", "#117733", "#AA4499", "#999933",
)  # fmt: skip
INK, FAINT, BAND = "#222222", "#666666", "#f5f5f2"

# Steps of the time axis in seconds: even divisions of a clock. At most TICKS_MAX ticks are drawn.
TICK_SECONDS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
TICKS_MAX = 14


def plot_timeline(
    ranges: Sequence[LabelledRange],
    duration_seconds: Fraction | float,
    path: Path,
    title: str,
    truth: Sequence[LabelledRange] | None = None,
    missing: Sequence[tuple[Fraction | float, Fraction | float]] = (),
    names: Mapping[str, str] = MappingProxyType({}),
    fonts: Sequence[str] = (FONT,),
) -> None:
    """Plot the ranges during which labels are on screen.

    Rows are ordered by first appearance. With a truth, a dark strip under each bar shows it.

    Args:
        ranges: The ranges found; empty labels are left out.
        duration_seconds: The length of the time axis.
        path: A .png or .svg file, written atomically.
        title: Title above the rows.
        truth: The true ranges, if known; their labels get rows too.
        missing: Half-open ranges in seconds that were not examined, drawn hatched.
        names: Display names of labels; other labels are shown unchanged.
        fonts: Font families; each letter takes the first one that contains it.

    Raises:
        TimelineError: The suffix or the duration cannot be used, the file cannot be written, or
            matplotlib is not installed.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise TimelineError(
            f"{path}: pictures end in {' or '.join(SUFFIXES)}, not in {path.suffix!r}; rename it"
        )
    if not duration_seconds > 0:
        raise TimelineError(f"{path}: duration {duration_seconds} s must be more than 0")
    # Imported here: a query must not wait for matplotlib. Not pyplot, which keeps global state.
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise TimelineError("drawing a timeline needs more; install castline[plot]") from error
    labels = _rows([*ranges, *(truth or ())])
    height = FRAME_INCHES + ROW_INCHES * max(len(labels), 1)
    # A fixed salt and no date: the same timeline gives the same bytes.
    with mpl.rc_context(
        {"svg.hashsalt": "castline", "font.family": list(fonts), "text.parse_math": False}
    ):
        figure = Figure(figsize=(WIDTH_INCHES, height), layout="constrained")
        axes = figure.add_subplot()
        _draw_rows(axes, labels, ranges, truth)
        for start_seconds, end_seconds in missing:
            axes.axvspan(
                float(start_seconds),
                float(end_seconds),
                facecolor="none",
                edgecolor=FAINT,
                hatch="///",
                linewidth=0,
                zorder=2,
                gid="missing",
            )
        _draw_frame(
            axes, [names.get(label, label) for label in labels], float(duration_seconds), title
        )
        if truth is not None:
            _draw_legend(axes)
        with whole_file(path) as temporary:
            metadata = {"Date": None} if path.suffix.lower() == ".svg" else {}
            with warnings.catch_warnings():
                # A letter that no installed font contains is drawn as a box: not worth a warning.
                warnings.filterwarnings("ignore", "Glyph .* missing from font")
                figure.savefig(temporary, dpi=DOTS_PER_INCH, metadata=metadata)


def _rows(ranges: Sequence[LabelledRange]) -> list[str]:
    """Return labels by first appearance, then name."""
    first: dict[str, Fraction] = {}
    for entry in ranges:
        if entry.label:
            first[entry.label] = min(
                entry.start_seconds, first.get(entry.label, entry.start_seconds)
            )
    return sorted(first, key=lambda label: (first[label], label))


def _draw_rows(
    axes: "Axes",
    labels: Sequence[str],
    ranges: Sequence[LabelledRange],
    truth: Sequence[LabelledRange] | None,
) -> None:
    # A row is 1 high: the bar in its middle, or above the strip of the truth where there is one.
    bar, strip = (-0.34, 0.68), (0.0, 0.0)
    if truth is not None:
        bar, strip = (-0.36, 0.5), (0.2, 0.14)
    for row, label in enumerate(labels):
        if row % 2 == 0:
            axes.axhspan(row - 0.5, row + 0.5, color=BAND, linewidth=0, zorder=0)
        colour = COLOURS[row % len(COLOURS)]
        axes.broken_barh(
            _bars(ranges, label), (row + bar[0], bar[1]), color=colour, linewidth=0, zorder=3
        )
        axes.broken_barh(
            _bars(truth or (), label), (row + strip[0], strip[1]), color=INK, linewidth=0, zorder=3
        )


def _bars(ranges: Sequence[LabelledRange], label: str) -> list[tuple[float, float]]:
    return [
        (float(entry.start_seconds), float(entry.end_seconds - entry.start_seconds))
        for entry in ranges
        if entry.label == label
    ]


def _draw_frame(axes: "Axes", names: Sequence[str], duration_seconds: float, title: str) -> None:
    fitting = (step for step in TICK_SECONDS if duration_seconds / step <= TICKS_MAX)
    step = next(fitting, TICK_SECONDS[-1])
    ticks = range(0, int(duration_seconds) + 1, step)
    axes.set_xlim(0, duration_seconds)
    axes.set_xticks(ticks, [format_clock(tick) for tick in ticks], color=FAINT)
    axes.set_ylim(max(len(names), 1) - 0.5, -0.5)  # the first row on top
    axes.set_yticks(range(len(names)), names, color=INK)
    axes.set_title(title, loc="left", color=INK, fontsize=13, fontweight="bold", pad=10)
    axes.grid(axis="x", color="#dddddd", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    if not names:
        axes.text(
            duration_seconds / 2,
            0,
            "nobody known is on screen",
            ha="center",
            va="center",
            color=FAINT,
        )


def _draw_legend(axes: "Axes") -> None:
    from matplotlib.patches import Patch

    axes.legend(
        handles=[Patch(color=COLOURS[0], label="found"), Patch(color=INK, label="truth")],
        loc="lower right",
        bbox_to_anchor=(1.0, 1.0),
        ncols=2,
        frameon=False,
        handlelength=1.2,
        handleheight=0.6,
        labelcolor=FAINT,
    )
