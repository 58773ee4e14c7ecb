"""What the drawn pages share: a figure, its colours, and how it becomes a file's content.

matplotlib is imported where something is drawn, and without pyplot, which keeps global state.
"""

import warnings
from io import BytesIO
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Of Tol's "muted" scheme (personal.sron.nl/~pault, 2021), told apart by the colour blind too.
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
    """Return a figure as a PNG file's content."""
    buffer = BytesIO()
    with warnings.catch_warnings():
        # A letter that no font here has gets a box: no reason to print a warning.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        figure.savefig(buffer, format="png", dpi=_DOTS_PER_INCH)
    return buffer.getvalue()
