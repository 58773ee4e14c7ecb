"""What goes wrong in this package; imports nothing of it."""


class TimelineError(Exception):
    """A time, a rule, a range or a truth file that cannot be used; one line says why."""


class ExpressionError(TimelineError):
    """An expression that cannot be read.

    Args:
        message: One line.
        text: The expression, to show it with a caret below it; empty where no place is to blame.
        position: Of the caret, in characters from 0.
    """

    def __init__(self, message: str, text: str = "", position: int = 0) -> None:
        super().__init__(message)
        # A tab or a line break would move the caret away from what it points at.
        self.marked = (
            ("".join(letter if letter.isprintable() else " " for letter in text), position)
            if text
            else None
        )
