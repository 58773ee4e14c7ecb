"""The installation behind a library, opened when it is first needed."""

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
    """An installation whose database is opened, and migrated if need be, at its first use."""

    def __init__(self, settings: Settings, closing: ExitStack) -> None:
        object.__setattr__(self, "settings", settings)
        object.__setattr__(self, "_closing", closing)

    @cached_property
    def database(self) -> Database:
        """The database; see `open_installation` for what may be wrong with it."""
        closing: ExitStack = self.__dict__["_closing"]
        return closing.enter_context(open_installation(self.settings)).database


class Opened:
    """What all methods of a library need."""

    def __init__(self, settings: Settings) -> None:
        self._closing = ExitStack()
        self.settings = settings
        """Where everything lies."""
        self._installation: Installation = OpenedLater(settings, self._closing)

    @property
    def home(self) -> Path:
        """The folder that holds what lies nowhere else."""
        return self.settings.home

    @as_castline_errors()
    def connect(self) -> None:
        """Opens the database now; otherwise the first use does."""
        assert self._installation.database

    def close(self) -> None:
        """Closes the database, which the next use opens again."""
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
