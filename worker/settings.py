"""Where everything lies; the only module that reads the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from platformdirs import user_data_path

from worker.errors import WorkerError

LONGEST_CHUNK_SECONDS = 3600
"""A chunk of an hour keeps one core busy for minutes, which a kill would lose."""


@dataclass(frozen=True)
class Settings:
    """One installation's places and sizes."""

    home: Path
    """All state lies under this folder unless a URL below says otherwise."""

    database_url: str
    """A SQLAlchemy URL; SQLite under `home` by default."""

    media_roots: tuple[Path, ...] = ()
    """Episodes must lie under one of these; empty allows any folder."""

    lease_seconds: float = 60.0
    """A claim that is not renewed for this long is offered again. Renewed four times as often, so
    that three renewals in a row must fail before healthy work is taken away."""

    chunk_seconds: int = 60
    """About 1 % of a day's work lost by a kill, and 20 chunks to share for a short episode."""

    @property
    def frames_folder(self) -> Path:
        """The frame store."""
        return self.home / "frames"

    @property
    def models_folder(self) -> Path:
        """Model versions besides the bundled one."""
        return self.home / "models"

    @property
    def training_folder(self) -> Path:
        """Checkpoints and histories of trainings."""
        return self.home / "training"

    @classmethod
    def from_environment(
        cls, home: Path | None = None, environment: Mapping[str, str] = os.environ
    ) -> "Settings":
        """Reads CASTLINE_HOME, _DATABASE_URL, _MEDIA_ROOTS and _CHUNK_SECONDS.

        Args:
            home: From the command line; goes before CASTLINE_HOME.
            environment: The variables.

        Raises:
            WorkerError: The home cannot be a folder, or a value is out of bounds.
        """
        chosen = home or Path(environment.get("CASTLINE_HOME") or user_data_path("castline"))
        chosen = _checked_home(chosen)
        url = environment.get("CASTLINE_DATABASE_URL") or sqlite_url(chosen)
        roots = environment.get("CASTLINE_MEDIA_ROOTS", "")
        return cls(
            home=chosen,
            database_url=url,
            media_roots=tuple(Path(part) for part in roots.split(os.pathsep) if part),
            chunk_seconds=_chunk_seconds(environment.get("CASTLINE_CHUNK_SECONDS", "")),
        )


def sqlite_url(home: Path) -> str:
    """The URL of the database file under a home; `?`, `#` and `%` in its path mean themselves."""
    return f"sqlite:///{quote(str(home / 'castline.db'))}"


def _checked_home(home: Path) -> Path:
    remedy = "name another one with --home"
    try:
        chosen = home.expanduser().absolute()
        str(chosen).encode()  # all that a URL can hold
        if chosen.exists() and not chosen.is_dir():
            raise WorkerError(f"{chosen}: is not a folder; {remedy}")
    except UnicodeEncodeError as error:
        raise WorkerError(f"{home}: its name is not UTF-8; {remedy}") from error
    except RuntimeError as error:
        raise WorkerError(f"{home}: no such user; name the home folder in full") from error
    except OSError as error:
        raise WorkerError(f"{home}: cannot be a folder ({error.strerror}); {remedy}") from error
    return chosen


def _chunk_seconds(text: str) -> int:
    if not text:
        return Settings.chunk_seconds
    if text.isascii() and text.isdigit() and 1 <= int(text) <= LONGEST_CHUNK_SECONDS:
        return int(text)
    raise WorkerError(
        f"CASTLINE_CHUNK_SECONDS: a whole number from 1 to {LONGEST_CHUNK_SECONDS},"
        f" received {text!r}"
    )
