"""Safe consoles for stdout and stderr: no terminal control sequence gets into either.

Cells and lines are escaped where they are made (`make_table`, `say`), since a line end must be
escaped before lines are laid out. All other text for these consoles (a bar's description, the text
of a status) passes through `render`, like everything that Rich prints.
"""

import os
import sys
from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from castline.text import visible


class Terminal(Console):
    """Prints text with each terminal control character as an escape."""

    def print_line(self, line: str) -> None:
        """Print one line literally: no markup, never wrapped, never two lines."""
        self.print(visible(line), markup=False, soft_wrap=True)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Lay out, as Rich does; the remaining line ends are its own."""
        for segment in super().render(renderable, options):
            if segment.control:  # cursor movements, which are Rich's own
                yield segment
            else:
                shown = "\n".join(map(visible, segment.text.split("\n")))
                yield segment if shown == segment.text else Segment(shown, segment.style)


class _Answers(Terminal):
    """Prints to stdout; a reader that closes the pipe (`castline who | head`) is no error."""

    def on_broken_pipe(self) -> None:
        """Discard the rest, so that the command ends with its own exit code."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


stdout = _Answers(soft_wrap=False, highlight=False)
stderr = Terminal(stderr=True, highlight=False)
