"""What a person may say of a label over a range of an episode."""

from enum import StrEnum


class Verdict(StrEnum):
    """What a person said of a label over a range."""

    RIGHT = "right"
    """It is on screen, as the model found."""
    WRONG = "wrong"
    """It is not: who was taken for it is a stranger, or nobody at all."""
    RELABEL = "relabel"
    """It is another one."""
    ADD = "add"
    """It is on screen, and the model missed it."""
    TRIM = "trim"
    """It is on screen in a part of the range, and not in the rest."""
    UNDO = "undo"
    """An earlier correction counts no longer."""
