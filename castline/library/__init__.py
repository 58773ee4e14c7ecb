"""A library: all that one home holds, and everything that can be done with it."""

from dataclasses import replace
from pathlib import Path
from typing import Self

from castline.errors import as_castline_errors
from castline.library.asking import AskingMethods
from castline.library.corrections import CorrectionMethods
from castline.library.models import ModelMethods
from castline.library.stills import StillMethods
from castline.library.tagging import TaggingMethods
from castline.library.upkeep import UpkeepMethods
from worker.settings import LogFormat, Settings, sqlite_url


class Library(
    AskingMethods, CorrectionMethods, TaggingMethods, ModelMethods, StillMethods, UpkeepMethods
):
    """All that one home holds: episodes, runs, models; `castline.open` gives one.

    Its database is opened, and made or brought to this version's schema, when it is first needed.
    """

    @classmethod
    @as_castline_errors()
    def at(cls, home: Path | None = None, log_format: LogFormat | None = None) -> Self:
        """Finds a library, by the environment's settings where nothing is said.

        Args:
            home: Its folder; None for `CASTLINE_HOME`, or else the user's data folder.
            log_format: Of what is logged; None for `CASTLINE_LOG_FORMAT`.

        Raises:
            CastlineError: The home cannot be a folder, or a setting is out of bounds.
        """
        settings = Settings.from_environment(home)
        return cls(replace(settings, log_format=log_format or settings.log_format))

    def elsewhere(self, home: Path) -> Self:
        """Returns a library in another folder, with all its state in there, for any media."""
        settings = replace(self.settings, home=home, database_url=sqlite_url(home), media_roots=())
        return type(self)(settings)
