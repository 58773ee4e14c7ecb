"""Progress callbacks."""

from model.progress import Progress

__all__ = ["Progress", "tell_nobody"]


def tell_nobody(_step: str, _done: int, _total: int) -> None:
    """Ignore progress."""
