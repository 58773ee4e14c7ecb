"""Where everything lies; the only module that reads the environment."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from platformdirs import user_data_path

from worker.errors import WorkerError

LONGEST_CHUNK_SECONDS = 3600
"""A chunk of an hour keeps one core busy for minutes, which a kill would lose."""

MOST_CHUNKS_AHEAD = 1_000_000
"""A terabyte of frames."""

LARGEST_BATCH = 1 << 16
"""Pictures of 64 pixels that take 800 MB as numbers; no device gains from more."""


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

    broker_url: str | None = None
    """A Redis URL: workers then hear of chunks through Celery; None for the embedded runner."""

    chunks_ahead: int = 256
    """How far extraction may be ahead of classification: four hours of video, about 250 MB of
    frames, and enough to fill any batch and to keep a hundred decoder processes at work."""

    batch_size: int | None = None
    """Pictures per forward pass; None for what the device was found to do best with."""

    visible_gpus: tuple[str, ...] = ()
    """The GPUs that this process may use, by CUDA's numbers or names; empty for all."""

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
        """Reads CASTLINE_HOME, _DATABASE_URL, _BROKER_URL and the others that `docs` list.

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
            chunk_seconds=_whole_number(
                environment, "CASTLINE_CHUNK_SECONDS", cls.chunk_seconds, LONGEST_CHUNK_SECONDS
            ),
            broker_url=environment.get("CASTLINE_BROKER_URL") or None,
            chunks_ahead=_whole_number(
                environment, "CASTLINE_CHUNKS_AHEAD", cls.chunks_ahead, MOST_CHUNKS_AHEAD
            ),
            batch_size=_whole_number(environment, "CASTLINE_BATCH_SIZE", 0, LARGEST_BATCH) or None,
            visible_gpus=tuple(
                part for part in environment.get("CUDA_VISIBLE_DEVICES", "").split(",") if part
            ),
        )

    def to_json(self) -> str:
        """One line, for a process of the same installation."""
        values = vars(self) | {
            "home": str(self.home),
            "media_roots": [str(root) for root in self.media_roots],
        }
        return json.dumps(values)

    @classmethod
    def from_json(cls, line: str) -> "Settings":
        """Reads what `to_json` wrote."""
        values = json.loads(line)
        values["home"] = Path(values["home"])
        values["media_roots"] = tuple(Path(root) for root in values["media_roots"])
        values["visible_gpus"] = tuple(values["visible_gpus"])
        return cls(**values)


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


def _whole_number(environment: Mapping[str, str], name: str, default: int, most: int) -> int:
    text = environment.get(name, "")
    if not text:
        return default
    if text.isascii() and text.isdigit() and 1 <= int(text) <= most:
        return int(text)
    raise WorkerError(f"{name}: a whole number from 1 to {most}, received {text!r}")
