"""The installation behind a library, opened on first use."""

from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

from castline.errors import as_castline_errors
from db.engine import Database
from worker.installation import Installation, open_installation
from worker.settings import Settings


class OpenedLater(Installation):
    """An installation whose database is opened, and migrated if needed, on first use."""

    def __init__(self, settings: Settings, closing: ExitStack) -> None:
        object.__setattr__(self, "settings", settings)
        object.__setattr__(self, "_closing", closing)

    @cached_property
    def database(self) -> Database:
        """The database; `open_installation` lists the errors."""
        closing: ExitStack = self.__dict__["_closing"]
        return closing.enter_context(open_installation(self.settings)).database


class Opened:
    """State that all methods of a library share."""

    def __init__(self, settings: Settings) -> None:
        self._closing = ExitStack()
        self.settings = settings
        """The settings of the library, with all its folders."""
        self._installation: Installation = OpenedLater(settings, self._closing)

    @property
    def home(self) -> Path:
        """The home folder of the library."""
        return self.settings.home

    @as_castline_errors()
    def connect(self) -> None:
        """Open the database now instead of on first use.

        Raises:
            DatabaseError: The database cannot be used.
        """
        assert self._installation.database

    def close(self) -> None:
        """Close the database; the next use opens it again."""
        self._closing.close()
        self._installation = OpenedLater(self.settings, self._closing)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.home)!r})"
