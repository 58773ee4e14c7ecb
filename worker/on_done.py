"""Telling somebody of each run's end: a web address, or a command (CASTLINE_ON_DONE).

The end of a run is kept in the database in the transaction that ends it, and dropped when it was
told: so it is told at least once, also if the worker that ended the run dies. Neither the address
nor what a command prints gets into a log, for both may hold secrets.
"""

import base64
import http.client
import json
import logging
import shlex
import subprocess
import threading
import urllib.error
import urllib.request
from typing import Any, Final
from urllib.parse import unquote, urlsplit, urlunsplit

from db.engine import Transaction
from db.errors import DatabaseError
from db.library.runs import get_run
from db.queue.notices import Notice, add_notice, claim_notice, drop_notice
from db.records import RunRecord
from db.retrying import retry_on_disconnect
from worker.errors import WorkerError
from worker.installation import Installation
from worker.settings import Settings

PAUSE_SECONDS: Final = (10.0, 60.0, 300.0, 1800.0, 7200.0, 21600.0)
"""After each failure: what is away for a moment, for a restart, for a night. Then that is all."""

LOOK_SECONDS: Final = 2.0
"""Between looks whether something is to be told."""

ANSWER_SECONDS: Final = 10.0
"""A web server that has not answered by then is tried again."""

COMMAND_SECONDS: Final = 30.0
"""After which a command is killed, and tried again: for more, let it start something."""

WEB: Final = ("http://", "https://")

log = logging.getLogger(__name__)


class _NotToldError(Exception):
    """Why somebody was not told, without a secret."""


def note_end(connection: Transaction, settings: Settings, run_id: int) -> None:
    """Keeps the end of a run to be told, where somebody wants to know."""
    if settings.on_done is not None:
        add_notice(connection, run_id)


class Teller:
    """Tells of ends of runs from a thread, while a worker works; at its end what is left."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._left = threading.Event()
        self._thread = threading.Thread(target=self._run, name="on done", daemon=True)

    def __enter__(self) -> "Teller":
        if self._installation.settings.on_done is not None:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._left.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        while True:
            is_last = self._left.wait(LOOK_SECONDS)
            try:
                while tell_next(self._installation):
                    pass
            except (DatabaseError, WorkerError) as error:
                log.warning("CASTLINE_ON_DONE: %s", error)
            if is_last:
                return


def tell_next(installation: Installation) -> bool:
    """Tells of one run's end that is due; False if there is none."""
    claimed = _claim(installation)
    if claimed is None:
        return False
    found, run = claimed
    assert installation.settings.on_done is not None
    try:
        tell(installation.settings.on_done, run)
    except _NotToldError as error:
        is_given_up = found.attempts + 1 >= len(PAUSE_SECONDS)
        then = "given up" if is_given_up else f"tried again in {PAUSE_SECONDS[found.attempts]:g} s"
        log.warning("CASTLINE_ON_DONE: run %d: %s; %s", found.run_id, error, then)
        if not is_given_up:
            return True
    _drop(installation, found.run_id)
    return True


def tell(on_done: str, run: RunRecord) -> None:
    """Tells of a run's end, once."""
    document = json.dumps(_document(run), ensure_ascii=False).encode()
    if on_done.startswith(WEB):
        _post(on_done, document)
    else:
        _command(on_done, document)


@retry_on_disconnect
def _claim(installation: Installation) -> tuple[Notice, RunRecord] | None:
    with installation.database.write() as connection:
        found = claim_notice(connection, PAUSE_SECONDS)
        return None if found is None else (found, get_run(connection, found.run_id))


@retry_on_disconnect
def _drop(installation: Installation, run_id: int) -> None:
    with installation.database.write() as connection:
        drop_notice(connection, run_id)


def _document(run: RunRecord) -> dict[str, Any]:
    return {
        "run": run.id,
        "episode": run.episode,
        "model": run.model,
        "state": run.state,
        "is_current": run.is_current,
        "frames": run.frames,
        "missing_seconds": [list(each) for each in run.missing_seconds],
        "error": run.error,
        "ended_at": run.ended_at.isoformat() if run.ended_at else None,
    }


def _post(url: str, document: bytes) -> None:
    parts = urlsplit(url)
    headers = {"Content-Type": "application/json", "User-Agent": "castline"}
    if parts.username is not None:
        secret = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
        headers["Authorization"] = f"Basic {base64.b64encode(secret).decode()}"
    address = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    request = urllib.request.Request(address, document, headers, method="POST")  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_SECONDS):  # noqa: S310 - http(s) alone
            return
    except urllib.error.HTTPError as error:
        reason = f"answered {error.code}"
        error.close()
    except (OSError, http.client.HTTPException, ValueError) as error:
        cause = getattr(error, "reason", error)
        cause = cause if isinstance(cause, Exception) else error
        reason = getattr(cause, "strerror", None) or type(cause).__name__
    # Without a chain: the errors of urllib may quote the address.
    raise _NotToldError(f"{parts.hostname} {reason}") from None


def _command(command: str, document: bytes) -> None:
    try:
        ended = subprocess.run(
            shlex.split(command),
            input=document,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=COMMAND_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        reason = f"took longer than {COMMAND_SECONDS:g} s"
    except OSError as error:
        reason = f"cannot be started ({error.strerror})"
    else:
        if ended.returncode == 0:
            return
        reason = f"ended with code {ended.returncode}"
    raise _NotToldError(f"the command {reason}") from None
