"""The checks of `castline doctor`. Each says what it found, or what to do."""

import os
import shutil
import sqlite3
import subprocess
import tempfile
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from importlib.metadata import version
from pathlib import Path

import numpy as np

from castline.errors import CastlineError, RequestError, as_castline_errors
from castline.models.in_use import model_in_use
from castline.siblings import HOUSE, check_siblings
from castline.tables import Row, Table, columns_of
from castline.tagging.run_models import absent_models
from db.engine import Database, sqlite_journal_mode
from db.errors import DatabaseError
from db.library.runs import list_runs
from db.queue.claims import open_chunk_count
from db.upgrade import HEAD, check_revision, current_revision
from ingest.decoder.parent import Decoder
from ingest.errors import FrameStoreError
from ingest.frames.write_video import write_video
from ingest.storage.remote_files import RemoteFiles
from model.extras import has_train_extra
from model.inference.compiling import compiled
from model.interpreter import python_command
from model.version.artifact import ModelVersion, find_model
from model.version.weights import check_weights
from worker.alive import living_workers, steps_without_worker
from worker.cluster.broker_check import describe_broker
from worker.identity import host_and_pid
from worker.installation import Installation
from worker.settings import Settings

ENOUGH_FREE_BYTES = 1_000_000_000
"""Space for the frames of 50 episodes of 22 minutes at 20 MB each."""

TENSORFLOW_SECONDS = 120.0
"""Importing TensorFlow takes 2 to 4 seconds, on a busy machine with a cold disk a minute."""

NVIDIA_DRIVER = Path("/dev/nvidiactl")
"""The device file by which NVIDIA's driver is detected."""


@dataclass(frozen=True)
class Finding(Row):
    """The result of one check."""

    subject: str
    """The part of the installation."""
    is_well: bool
    """Whether it is in order."""
    text: str
    """Its state, or the remedy."""


def check_installation(settings: Settings) -> Table[Finding]:
    """Run every check; none of them changes anything except creating the home folder."""
    checks: dict[str, Callable[[Settings], str]] = {
        "packages": _check_packages,
        "home": _check_home,
        "database": _check_database,
        "workers": _check_workers,
        "frames": _check_frames,
        "decoder": _check_decoder,
        "model": _check_model,
        "gpu": _check_gpu,
    }
    if settings.broker_url:
        checks["broker"] = _check_broker
    if settings.readable_roots:
        checks["media"] = _check_media
    findings = []
    for subject, check in checks.items():
        try:
            with as_castline_errors():
                findings.append(Finding(subject, True, check(settings)))
        except (CastlineError, OSError) as error:
            findings.append(Finding(subject, False, " ".join(str(error).split())))
    return Table(tuple(findings), columns_of(Finding))


def _check_packages(_settings: Settings) -> str:
    check_siblings()
    return f"castline {version('castline')} in {HOUSE}, its packages beside it"


def _check_home(settings: Settings) -> str:
    return _check_folder(settings.home, "name another folder with --home")


def _check_folder(folder: Path, remedy: str) -> str:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".doctor"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise RequestError(
            f"{folder}: cannot be written to ({error.strerror}); change its rights, or {remedy}"
        ) from error
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < ENOUGH_FREE_BYTES:
        raise RequestError(
            f"{folder}: only {free_bytes // 1_000_000} MB free; make room, or {remedy}"
        )
    return f"{folder}, {free_bytes // 1_000_000_000} GB free"


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
        raise RequestError(f"{database.shown_url}: schema {revision}; run: castline db upgrade")
    engine = "PostgreSQL"
    if database.is_sqlite:
        mode = sqlite_journal_mode(sqlite3.sqlite_version_info)
        engine = f"SQLite {sqlite3.sqlite_version}, journal {mode}"
    made = f"schema {revision}, {waiting} chunks waiting" if revision else "not made yet"
    return f"{database.shown_url}, {engine}, {made}"


def _check_workers(settings: Settings) -> str:
    database = Database(settings.database_url)
    if database.is_sqlite and not Path(database.url.database or "").exists():
        return "none alive, and nothing to do"
    try:
        with database.read() as connection:
            if current_revision(connection) != HEAD:
                return "not known; the database's own check says why"
            alive = living_workers(connection)
            waiting = [run for run in list_runs(connection) if run.is_open]
    finally:
        database.dispose()
    lacking = {step for run in waiting for step in steps_without_worker(alive, run.id)}
    if lacking and not all(run.claimed for run in waiting):
        raise RequestError(
            f"{len(waiting)} runs wait, and no worker is alive to {' and '.join(sorted(lacking))};"
            " run: castline worker"
        )
    counts = Counter(host_and_pid(worker.identity)[0] for worker in alive)
    listed = ", ".join(f"{count} on {host}" for host, count in sorted(counts.items()))
    return f"{listed or 'none'} alive, {len(waiting)} runs to do"


def _check_broker(settings: Settings) -> str:
    return describe_broker(settings.broker_url)


def _check_frames(settings: Settings) -> str:
    if settings.frames_url is None:
        return _check_folder(settings.frames_folder, "name another place in CASTLINE_FRAMES_URL")
    files = RemoteFiles(settings.frames_url)
    name = f".doctor-{uuid.uuid4().hex}"
    with tempfile.TemporaryDirectory() as folder:
        sent, came = Path(folder) / "sent", Path(folder) / "came"
        sent.write_bytes(b"castline")
        files.store(sent, name)
        files.fetch(name, came)
        files.evict(name, unless_used_since=float("inf"))
        if came.read_bytes() != sent.read_bytes():
            raise FrameStoreError(f"{settings.frames_url}: gave back other bytes; check it")
    return f"{settings.frames_url}, written and read"


def _check_media(settings: Settings) -> str:
    for root in settings.media_roots:
        if not root.is_dir():
            raise RequestError(f"{root}: is not a folder; mount it, or change CASTLINE_MEDIA_ROOTS")
        if not os.access(root, os.R_OK | os.X_OK):
            raise RequestError(f"{root}: cannot be read; change its rights")
    for url in settings.media_urls:
        next(RemoteFiles(url).entries(), None)
    return ", ".join((*map(str, settings.media_roots), *settings.media_urls))


def _check_decoder(_settings: Settings) -> str:
    pictures = [np.full((48, 64, 3), shade, np.uint8) for shade in (0, 128, 255)]
    with tempfile.TemporaryDirectory() as folder, Decoder() as decoder:
        path = Path(folder) / "three_frames.mp4"
        write_video(path, pictures, Fraction(25))
        probe = decoder.probe(path)
    return f"PyAV {version('av')} wrote and read {probe.codec} in {probe.container}"


def _check_model(settings: Settings) -> str:
    version = _model_in_use(settings)
    check_weights(version)
    if not has_train_extra():
        compiled(version)  # without the extra it must be compiled already
    manifest = version.manifest
    return f"{manifest.reference}, {len(manifest.labels)} labels"


def _model_in_use(settings: Settings) -> ModelVersion:
    database = Database(settings.database_url)
    if database.is_sqlite and not Path(database.url.database or "").exists():
        return find_model(None)
    try:
        version = model_in_use(Installation(settings, database))
        with database.read() as connection:
            runs = list_runs(connection)
    except DatabaseError:  # for example an older schema; the database's own check reports it
        return find_model(None)
    finally:
        database.dispose()
    if absent := absent_models(settings, runs):
        raise RequestError("; ".join(absent))
    return version


def _check_gpu(_settings: Settings) -> str:
    """Run in a separate process: TensorFlow takes 500 MB, and a broken driver may crash it."""
    if not has_train_extra():
        return "not used; classifying on one needs castline[gpu]"
    code = (
        "from model.inference.tensorflow_runtime import describe_devices; print(describe_devices())"
    )
    try:
        ended = subprocess.run(
            python_command("-c", code),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TENSORFLOW_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise RequestError(
            f"TensorFlow did not start within {TENSORFLOW_SECONDS:g} s; try again when the machine"
            " is less busy"
        ) from error
    if ended.returncode != 0:
        last = (ended.stderr.strip().splitlines() or [f"exit code {ended.returncode}"])[-1]
        raise RequestError(f"TensorFlow does not start ({last}); install castline again")
    devices = ended.stdout.strip()
    if NVIDIA_DRIVER.exists() and devices.endswith(" 0 GPUs"):
        raise RequestError(f"{devices}, but there is a driver; install castline[gpu]")
    return devices
