"""Shared parts of plots: a figure, its colours, and its conversion to a file's content.

matplotlib is imported when something is drawn, and without pyplot, which keeps global state.
"""

import warnings
from io import BytesIO
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# From Tol's "muted" scheme (personal.sron.nl/~pault, 2021), distinguishable with colour blindness.
DARK: Final = "#332288"
RED: Final = "#CC6677"
LIGHT: Final = "#88CCEE"
INK: Final = "#222222"
FAINT: Final = "#666666"
GRID: Final = "#dddddd"

_DOTS_PER_INCH: Final = 130  # sharp on a page, small as a file


def new_figure(width_inches: float, height_inches: float) -> "Figure":
    """Return an empty figure that keeps its parts from overlapping."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width_inches, height_inches), layout="constrained")


def figure_png(figure: "Figure") -> bytes:
    """Return a figure as the content of a PNG file."""
    buffer = BytesIO()
    with warnings.catch_warnings():
        # A letter that no font here has is drawn as a box, which is not worth a warning.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        figure.savefig(buffer, format="png", dpi=_DOTS_PER_INCH)
    return buffer.getvalue()
