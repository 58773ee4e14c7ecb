"""Castline: who is on screen, when.

    import castline

    library = castline.open()
    library.tag("pilot.mkv")
    for found in library.when("ned & homer"):
        print(found.episode, found.start_seconds, found.end_seconds)

Everything that the `castline` command does is a method of `Library`. Results are frozen values with
times as exact pts and as seconds. Expected errors are subclasses of `CastlineError` with a message
of one line. Heavy libraries are imported on first use.
"""

import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from castline.errors import BrokerError as BrokerError
from castline.errors import CastlineError as CastlineError
from castline.errors import DatabaseError as DatabaseError
from castline.errors import DatasetError as DatasetError
from castline.errors import ExpressionError as ExpressionError
from castline.errors import IntruderError as IntruderError
from castline.errors import MediaError as MediaError
from castline.errors import ModelError as ModelError
from castline.errors import NotFoundError as NotFoundError
from castline.errors import RequestError as RequestError
from castline.errors import StoppedError as StoppedError
from castline.errors import TimelineError as TimelineError
from castline.errors import WorkError as WorkError
from castline.siblings import check_siblings

try:
    check_siblings()
except IntruderError as error:
    if sys.argv[:1] != ["-m"]:  # Python's placeholder while it searches the module of `-m`
        raise
    sys.exit(f"castline: {error}")

if TYPE_CHECKING:
    from castline.library import Library as Library
    from castline.models.training import Training as Training
    from castline.stills.values import Choice as Choice
    from castline.stills.values import Composing as Composing
    from castline.tables import Table as Table
    from castline.tagging.values import Hooks as Hooks
    from db.states import Lane as Lane
    from db.states import RunState as RunState
    from model.inference.device import Device as Device

_IMPORTED_LATER = {
    "Device": "model.inference.device",
    "Lane": "db.states",
    "RunState": "db.states",
    "Library": "castline.library",
    "Training": "castline.models.training",
    "Choice": "castline.stills.values",
    "Composing": "castline.stills.values",
    "Table": "castline.tables",
    "Hooks": "castline.tagging.values",
}
"""The module of each public name that is imported on first use."""


def open(home: str | Path | None = None) -> "Library":  # noqa: A001 - `castline.open` is its name
    """Open the library in a folder.

    Args:
        home: Folder of the library, created if it does not exist; None for the environment variable
            `CASTLINE_HOME`, or else the user's data folder.

    Returns:
        The library. Its database is opened on first use.

    Raises:
        CastlineError: The home cannot be a folder, or a setting in the environment is invalid.
    """
    from castline.library import Library

    return Library.at(None if home is None else Path(home))


def __getattr__(name: str) -> Any:
    if name not in _IMPORTED_LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_IMPORTED_LATER[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_IMPORTED_LATER})
