"""A library: everything in one home folder, and the operations on it."""

from dataclasses import replace
from pathlib import Path
from typing import Self

from castline.errors import as_castline_errors
from castline.library.asking import AskingMethods
from castline.library.corrections import CorrectionMethods
from castline.library.models import ModelMethods
from castline.library.repeats import RepeatMethods
from castline.library.stills import StillMethods
from castline.library.tagging import TaggingMethods
from castline.library.upkeep import UpkeepMethods
from worker.settings import LogFormat, Settings, sqlite_url


class Library(
    AskingMethods,
    CorrectionMethods,
    RepeatMethods,
    TaggingMethods,
    ModelMethods,
    StillMethods,
    UpkeepMethods,
):
    """The episodes, runs and models in one home folder; opened by `castline.open`.

    The database is opened on first use, and created or upgraded to this version's schema if needed.
    A library can be used as a context manager, which closes the database at the end.

    Every method raises a subclass of `CastlineError` for expected errors, and `DatabaseError` if
    the database cannot be used.
    """

    @classmethod
    @as_castline_errors()
    def at(cls, home: Path | None = None, log_format: LogFormat | None = None) -> Self:
        """Open the library in a folder, with settings from the environment for everything else.

        Args:
            home: Folder of the library; None for `CASTLINE_HOME`, or else the user's data folder.
            log_format: Format of the log; None for `CASTLINE_LOG_FORMAT`.

        Returns:
            The library.

        Raises:
            CastlineError: The home cannot be a folder, or a setting is invalid.
        """
        settings = Settings.from_environment(home)
        return cls(replace(settings, log_format=log_format or settings.log_format))

    def elsewhere(self, home: Path) -> Self:
        """Return a library with all its state in another folder, and without media roots.

        Args:
            home: The other folder.
        """
        settings = replace(self.settings, home=home, database_url=sqlite_url(home), media_roots=())
        return type(self)(settings)
