"""What `castline doctor` looks at. Each check says what is there, or what to do."""

import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from importlib.metadata import version
from pathlib import Path

import numpy as np

from db.engine import Database, sqlite_journal_mode
from db.errors import DatabaseError
from db.queue import open_chunk_count
from db.upgrade import HEAD, check_revision, current_revision
from ingest.decoder import Decoder
from ingest.errors import IngestError
from ingest.write_video import write_video
from model.artifact import find_model
from model.errors import ModelError
from model.tensorflow_runtime import describe_devices
from worker.errors import WorkerError
from worker.settings import Settings

ENOUGH_FREE_BYTES = 1_000_000_000
"""The frames of 50 episodes of 22 minutes at 20 MB each."""


@dataclass(frozen=True)
class Finding:
    """One check's outcome."""

    subject: str
    is_well: bool
    text: str


def check_installation(settings: Settings) -> list[Finding]:
    """Runs every check; none of them changes anything but for making the home folder."""
    checks: dict[str, Callable[[Settings], str]] = {
        "home": _check_home,
        "database": _check_database,
        "decoder": _check_decoder,
        "model": _check_model,
        "tensorflow": _check_tensorflow,
    }
    findings = []
    for subject, check in checks.items():
        try:
            findings.append(Finding(subject, True, check(settings)))
        except (DatabaseError, IngestError, ModelError, WorkerError, OSError) as error:
            findings.append(Finding(subject, False, " ".join(str(error).split())))
    return findings


def _check_home(settings: Settings) -> str:
    settings.home.mkdir(parents=True, exist_ok=True)
    probe = settings.home / ".doctor"
    probe.write_bytes(b"")
    probe.unlink()
    free_bytes = shutil.disk_usage(settings.home).free
    if free_bytes < ENOUGH_FREE_BYTES:
        raise WorkerError(
            f"{settings.home}: only {free_bytes // 1_000_000} MB free; make room, or name another"
            " folder with --home"
        )
    return f"{settings.home}, {free_bytes // 1_000_000_000} GB free"


def _check_database(settings: Settings) -> str:
    database = Database(settings.database_url)
    if database.is_sqlite and not Path(database.url.database or "").exists():
        return f"{database.shown_url}, not made yet"
    try:
        with database.read() as connection:
            revision = current_revision(connection)
            waiting = open_chunk_count(connection) if revision == HEAD else 0
    finally:
        database.dispose()
    check_revision(database, revision)
    if revision not in (HEAD, None):
        raise WorkerError(f"{database.shown_url}: schema {revision}; run: castline db upgrade")
    engine = "PostgreSQL"
    if database.is_sqlite:
        mode = sqlite_journal_mode(sqlite3.sqlite_version_info)
        engine = f"SQLite {sqlite3.sqlite_version}, journal {mode}"
    made = f"schema {revision}, {waiting} chunks waiting" if revision else "not made yet"
    return f"{database.shown_url}, {engine}, {made}"


def _check_decoder(_settings: Settings) -> str:
    pictures = [np.full((48, 64, 3), shade, np.uint8) for shade in (0, 128, 255)]
    with tempfile.TemporaryDirectory() as folder, Decoder() as decoder:
        path = Path(folder) / "three_frames.mp4"
        write_video(path, pictures, Fraction(25))
        probe = decoder.probe(path)
    return f"PyAV {version('av')} wrote and read {probe.codec} in {probe.container}"


def _check_model(settings: Settings) -> str:
    manifest = find_model(None, [settings.models_folder]).manifest
    return f"{manifest.reference}, {len(manifest.labels)} labels"


def _check_tensorflow(_settings: Settings) -> str:
    return describe_devices()
