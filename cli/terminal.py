"""The two streams that a person reads; nothing that acts on a terminal gets into either.

Cells and lines are made visible where they are made (`make_table`, `say`), for a line end must be
escaped before lines are laid out. What else is given to these consoles (a bar's description, the
text of a status) passes `render`, as everything does that Rich prints.
"""

import os
import sys
from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from castline.text import visible


class Terminal(Console):
    """Prints what it is given with each character that acts on a terminal as an escape."""

    def print_line(self, line: str) -> None:
        """Prints one line as it is: no markup, never wrapped, never two lines."""
        self.print(visible(line), markup=False, soft_wrap=True)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Lays out, as Rich does; line ends are its own by then."""
        for segment in super().render(renderable, options):
            if segment.control:  # moves of the cursor, which are Rich's own
                yield segment
            else:
                shown = "\n".join(map(visible, segment.text.split("\n")))
                yield segment if shown == segment.text else Segment(shown, segment.style)


class _Answers(Terminal):
    """Prints to stdout; a reader that has seen enough (`castline who ... | head`) is no error."""

    def on_broken_pipe(self) -> None:
        """Sends the rest nowhere, so that the command ends with its own exit code."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


stdout = _Answers(soft_wrap=False, highlight=False)
stderr = Terminal(stderr=True, highlight=False)
