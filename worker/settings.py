"""The settings of an installation; the only module that reads the environment."""

import json
import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal
from urllib.parse import quote, unquote, urlsplit

from platformdirs import user_data_path

from worker.errors import WorkerError

LONGEST_CHUNK_SECONDS = 3600
"""A chunk of an hour keeps one core busy for minutes, which a kill would lose."""

MOST_CHUNKS_AHEAD = 1_000_000
"""A terabyte of frames."""

LARGEST_BATCH = 1 << 16
"""Pictures of 64 pixels that take 800 MB as numbers; no device gains from more."""

GB: Final = 1_000_000_000

MOST_GB = 1_000_000
"""A petabyte, which is a mistake."""

HIGHEST_PORT = 65535

LogFormat = Literal["json", "text"]

LOG_FORMATS: Final = ("json", "text")

SHARED: Final = "s3://"
"""Prefix of URLs of shared storage."""

LARGEST_VALUE_BYTES = 65_536
"""Largest file with one setting: far above the longest URL, far below the memory."""

MOST_DIGITS = 20
"""Longest number, leading zeros included: Python refuses to parse some thousands of digits."""


@dataclass(frozen=True)
class Settings:
    """The places and limits of one installation."""

    home: Path
    """All state is in this folder unless a URL below says otherwise."""

    database_url: str
    """A SQLAlchemy URL; SQLite under `home` by default."""

    sql_url: str | None = None
    """URL of a read-only role of PostgreSQL for users' own SQL; None for the role that `castline db
    upgrade` creates."""

    media_roots: tuple[Path, ...] = ()
    """Episodes must be in one of these folders; empty allows any folder."""

    lease_seconds: float = 60.0
    """A claim that is not renewed for this long is offered again. It is renewed four times as
    often, so that three renewals in a row must fail before healthy work is taken away."""

    chunk_seconds: int = 60
    """About 1 % of a day's work is lost by a kill, and a short episode has 20 chunks to share."""

    broker_url: str | None = None
    """A Redis URL: workers are then notified of chunks through Celery; None for the embedded
    runner."""

    chunks_ahead: int = 256
    """How far extraction may be ahead of classification: four hours of video, about 250 MB of
    frames, and enough to fill any batch and to keep a hundred decoder processes busy."""

    batch_size: int | None = None
    """Pictures per forward pass; None for the fastest measured value of the device."""

    visible_gpus: tuple[str, ...] = ()
    """The GPUs that this process may use, by CUDA's numbers or names; empty for all."""

    media_urls: tuple[str, ...] = ()
    """Episodes on shared storage must be below one of these, if any media roots are set."""

    frames_place: Path | None = None
    """The folder of the frame store; None for one under `home`, or on shared storage."""

    frames_url: str | None = None
    """The URL of a frame store on shared storage."""

    frames_limit_bytes: int | None = None
    """Maximum size of the frame store; None for all free space."""

    cache_limit_bytes: int = 20 * GB
    """Maximum size of local copies from shared storage: about 100 episodes of 22 minutes."""

    metrics_port: int | None = None
    """Port at which each worker serves its metrics; None serves none."""

    metrics_address: str = "127.0.0.1"
    """Address at which the metrics are served: by default for this machine only."""

    log_format: str | None = None
    """`json` or `text` writes a log to stderr; None writes none."""

    web_hosts: tuple[str, ...] = ()
    """Names by which browsers reach the web server, besides those of this machine's loopback."""

    on_done: str | None = None
    """Who is told of each run's end: a URL to which it is posted, or a command; it may hold
    secrets."""

    @property
    def frames_folder(self) -> Path:
        """The folder of frames: the frame store, or its local cache."""
        if self.frames_url:
            return self.cache_folder / "frames"
        return self.frames_place or self.home / "frames"

    @property
    def cache_folder(self) -> Path:
        """Local copies from shared storage; nothing is lost with them."""
        return self.home / "cache"

    @property
    def episodes_folder(self) -> Path:
        """Local copies of episodes from shared storage."""
        return self.cache_folder / "episodes"

    @property
    def readable_roots(self) -> tuple[Path, ...]:
        """The folders in which video files may be opened; none means anywhere."""
        if self.media_roots or self.media_urls:
            return (*self.media_roots, self.episodes_folder)
        return ()

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
        """Read CASTLINE_HOME and the other variables of docs/reference/settings.md.

        A value may be stored in a file: CASTLINE_DATABASE_URL_FILE names a file with the URL.

        Args:
            home: Home folder from the command line; takes precedence over CASTLINE_HOME.
            environment: The variables.

        Returns:
            The settings.

        Raises:
            WorkerError: The home cannot be a folder, or a value is out of bounds.
        """
        environment = _with_files_read(environment)
        chosen = home or Path(environment.get("CASTLINE_HOME") or user_data_path("castline"))
        chosen = _checked_home(chosen)
        url = environment.get("CASTLINE_DATABASE_URL") or sqlite_url(chosen)
        media_roots, media_urls = _media_roots(environment.get("CASTLINE_MEDIA_ROOTS", ""))
        frames_place, frames_url = _frames_place(environment.get("CASTLINE_FRAMES_URL", ""))
        limit_gb = _whole_number(environment, "CASTLINE_FRAMES_GB", 0, MOST_GB)
        cache_gb = _whole_number(environment, "CASTLINE_CACHE_GB", 0, MOST_GB)
        return cls(
            home=chosen,
            database_url=url,
            sql_url=environment.get("CASTLINE_SQL_URL") or None,
            media_roots=media_roots,
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
            media_urls=media_urls,
            frames_place=frames_place,
            frames_url=frames_url,
            frames_limit_bytes=limit_gb * GB or None,
            cache_limit_bytes=cache_gb * GB or cls.cache_limit_bytes,
            metrics_port=_whole_number(environment, "CASTLINE_METRICS_PORT", 0, HIGHEST_PORT)
            or None,
            metrics_address=environment.get("CASTLINE_METRICS_ADDRESS") or cls.metrics_address,
            log_format=_log_format(environment.get("CASTLINE_LOG_FORMAT", "")),
            web_hosts=_web_hosts(environment.get("CASTLINE_WEB_HOSTS", "")),
            on_done=_on_done(environment.get("CASTLINE_ON_DONE", "")),
        )

    def to_json(self) -> str:
        """Serialise to one line, for a process of the same installation."""
        return json.dumps(vars(self), default=str)

    @classmethod
    def from_json(cls, line: str) -> "Settings":
        """Parse the output of `to_json`."""
        values = json.loads(line)
        values["home"] = Path(values["home"])
        values["media_roots"] = tuple(Path(root) for root in values["media_roots"])
        values["visible_gpus"] = tuple(values["visible_gpus"])
        values["media_urls"] = tuple(values["media_urls"])
        values["web_hosts"] = tuple(values["web_hosts"])
        values["frames_place"] = values["frames_place"] and Path(values["frames_place"])
        return cls(**values)


def sqlite_url(home: Path) -> str:
    """Return the URL of the database file under a home, whose path may hold `?`, `#` and `%`."""
    return f"sqlite:///{quote(str(home / 'castline.db'))}"


def _checked_home(home: Path) -> Path:
    remedy = "name another one with --home"
    try:
        chosen = home.expanduser().absolute()
        str(chosen).encode()  # a URL can contain nothing else
        if chosen.exists() and not chosen.is_dir():
            raise WorkerError(f"{chosen}: is not a folder; {remedy}")
    except UnicodeEncodeError as error:
        raise WorkerError(f"{home}: its name is not UTF-8; {remedy}") from error
    except RuntimeError as error:
        raise WorkerError(f"{home}: no such user; name the home folder in full") from error
    except OSError as error:
        raise WorkerError(f"{home}: cannot be a folder ({error.strerror}); {remedy}") from error
    return chosen


def _with_files_read(environment: Mapping[str, str]) -> Mapping[str, str]:
    """Return the variables, with the content of the files that CASTLINE_..._FILE name."""
    read = dict(environment)
    for name, path in environment.items():
        if not (name.startswith("CASTLINE_") and name.endswith("_FILE") and path):
            continue
        plain = name.removesuffix("_FILE")
        if environment.get(plain):
            raise WorkerError(f"{name}: {plain} is set as well; leave one of them out")
        try:
            with Path(path).open("rb") as file:
                value = file.read(LARGEST_VALUE_BYTES + 1)
            if len(value) > LARGEST_VALUE_BYTES:
                raise WorkerError(f"{name}: {path} is too large; name a file that holds the value")
            read[plain] = value.decode().strip()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "not UTF-8"
            raise WorkerError(
                f"{name}: {path} cannot be read ({reason}); name a file that holds the value"
            ) from error
        if not read[plain]:
            raise WorkerError(f"{name}: {path} is empty; write the value into it")
        if "\0" in read[plain]:  # which no variable can contain either
            raise WorkerError(f"{name}: {path} holds a zero byte; write the value alone into it")
    return read


def _media_roots(text: str) -> tuple[tuple[Path, ...], tuple[str, ...]]:
    """Return folders and URLs; the colon of a URL is not a separator."""
    parts = [part for part in re.split(rf"{re.escape(os.pathsep)}(?!//)", text) if part]
    folders = tuple(Path(part) for part in parts if not part.startswith(SHARED))
    for folder in folders:
        if not folder.is_absolute():
            raise WorkerError(f"CASTLINE_MEDIA_ROOTS: {folder}: write the whole path, from /")
    return folders, tuple(part.rstrip("/") for part in parts if part.startswith(SHARED))


def _frames_place(text: str) -> tuple[Path | None, str | None]:
    """Return the folder of the frame store, or its URL on shared storage."""
    if text.startswith(SHARED):
        if not text.removeprefix(SHARED).strip("/"):
            raise WorkerError(f"CASTLINE_FRAMES_URL: {text}: names no bucket; write s3://bucket/a")
        return None, text
    try:
        path = unquote(urlsplit(text).path) if text.startswith("file://") else text
        folder = Path(path).expanduser().absolute() if path else None
    except (ValueError, RuntimeError) as error:  # invalid address in brackets; unknown user
        raise WorkerError(
            f"CASTLINE_FRAMES_URL: {text}: cannot be read; name a folder in full, from /"
        ) from error
    if "://" in path or "\0" in path:  # no file name contains the latter
        raise WorkerError(
            f"CASTLINE_FRAMES_URL: {text.partition('://')[0]}://: not supported; name a folder or"
            " an s3:// URL"
        )
    return folder, None


def _log_format(text: str) -> str | None:
    if text and text not in LOG_FORMATS:
        raise WorkerError(f"CASTLINE_LOG_FORMAT: {' or '.join(LOG_FORMATS)}, received {text!r}")
    return text or None


def _web_hosts(text: str) -> tuple[str, ...]:
    names = [part.strip().lower() for part in text.split(",") if part.strip()]
    for name in names:
        if not _HOST_NAME.fullmatch(name):
            raise WorkerError(
                f"CASTLINE_WEB_HOSTS: {name[:100]!r} is not a host's name; write names alone, such"
                " as castline.example.org,192.168.1.5"
            )
    return tuple(names)


_HOST_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]+\]")
"""A name, an IPv4 address, or an IPv6 address in brackets, as in the header Host of RFC 9110."""


def _on_done(text: str) -> str | None:
    """A URL or a command; what is wrong with it is told without it, for it may hold secrets."""
    advice = "write https://HOST/PATH, or a command as in a shell"
    try:
        if text.startswith(("http://", "https://")):
            is_usable = bool(urlsplit(text).hostname)
        else:
            is_usable = bool(shlex.split(text)) and "://" not in text.split(maxsplit=1)[0]
    except ValueError:
        is_usable = False
    if text.strip() and not is_usable:
        raise WorkerError(f"CASTLINE_ON_DONE: neither a web address nor a command; {advice}")
    return text.strip() or None


def _whole_number(environment: Mapping[str, str], name: str, default: int, most: int) -> int:
    text = environment.get(name, "")
    if not text:
        return default
    is_readable = text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS
    if is_readable and 1 <= int(text) <= most:
        return int(text)
    raise WorkerError(f"{name}: a whole number from 1 to {most}, received {text[:100]!r}")
