"""Errors of this package; imports nothing from it."""


class TimelineError(Exception):
    """A time, a rule, a range or a truth file is invalid; one line says why."""


class ExpressionError(TimelineError):
    """An expression that cannot be parsed.

    Args:
        message: One line.
        text: The expression, shown with a caret below it; empty where no position is to blame.
        position: Position of the caret, in characters from 0.
    """

    def __init__(self, message: str, text: str = "", position: int = 0) -> None:
        super().__init__(message)
        # A tab or a line break would displace the caret.
        self.marked = (
            ("".join(letter if letter.isprintable() else " " for letter in text), position)
            if text
            else None
        )
