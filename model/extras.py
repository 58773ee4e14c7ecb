"""The libraries of the extra `train`, which tagging does not need.

Importing this module imports none of them.
"""

from importlib.util import find_spec
from typing import Final

from model.errors import MissingExtraError

_LIBRARIES: Final = ("keras", "matplotlib", "sklearn", "tensorflow")


def has_train_extra() -> bool:
    """Return whether the libraries of `castline[train]` are installed."""
    return all(find_spec(name) is not None for name in _LIBRARIES)


def require_train_extra(purpose: str) -> None:
    """Refuse work that needs the libraries of `castline[train]` if they are not installed.

    Args:
        purpose: Subject of the error's sentence, such as `training`.

    Raises:
        MissingExtraError: One of them is not installed.
    """
    if not has_train_extra():
        raise MissingExtraError(f"{purpose} needs more; install castline[train]")
