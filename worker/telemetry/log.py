"""The log of a worker: lines on stderr, as JSON or as text, without passwords."""

import logging
import re
import sys
import threading
from types import TracebackType
from typing import Any

from db.engine import PASSWORD_IN_QUERY
from db.records import Claim
from worker.visible import visible

_log = logging.getLogger(__name__)

_PASSWORD = re.compile(r"(?<=://)([^\s:/@]*):\S+@")
"""The password in a URL: the text between the user's name and the host. It should be
percent-encoded, and may contain anything where it is not; of two URLs without a space between them,
the first is hidden too."""

_FIELDS = ("run", "chunk", "attempt")

_LEVELS = {
    "cli": logging.INFO,
    "castline": logging.INFO,
    "worker": logging.INFO,
    "celery": logging.INFO,
    # Two lines about each message; the code that does the work logs it.
    "celery.worker.strategy": logging.WARNING,
    "celery.app.trace": logging.WARNING,
}


def configure_logging(log_format: str | None) -> None:
    """Send log records to stderr from now on: those of the work, and warnings of any library.

    Args:
        log_format: `json` for one JSON object a line, `text` for people, None for no log.
    """
    if log_format is None:
        if logging.lastResort is not None:  # Python's own handler, which would still show warnings
            logging.lastResort.setFormatter(_LineFormatter())
        return
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_json_formatter() if log_format == "json" else _TextFormatter())
    root = logging.getLogger()
    root.handlers = [handler]
    for name, level in _LEVELS.items():
        logging.getLogger(name).setLevel(level)
    logging.captureWarnings(True)
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_uncaught_in_thread


def about(claim: Claim, **more: object) -> dict[str, object]:
    """Return the fields of a log line about a chunk, for the `extra` of a logger."""
    return {"run": claim.run_id, "chunk": claim.chunk_id, "attempt": claim.attempts, **more}


def without_passwords(text: str) -> str:
    """Return the text with the passwords of all URLs hidden."""
    return PASSWORD_IN_QUERY.sub(r"\1***", _PASSWORD.sub(r"\1:***@", text))


def _log_uncaught(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    _log.critical("ended by an error", exc_info=(kind, error, trace))


def _log_uncaught_in_thread(ended: threading.ExceptHookArgs) -> None:
    if ended.exc_value is not None and ended.exc_type is not SystemExit:
        _log.critical(
            "a thread ended by an error",
            exc_info=(ended.exc_type, ended.exc_value, ended.exc_traceback),
        )


def _json_formatter() -> logging.Formatter:
    from pythonjsonlogger.json import JsonFormatter

    class WithoutPasswords(JsonFormatter):
        def format(self, record: logging.LogRecord) -> str:
            return without_passwords(super().format(record))

    return WithoutPasswords(
        "{asctime}{levelname}{name}{process}{message}",
        style="{",
        rename_fields={"asctime": "time", "levelname": "level", "name": "logger"},
    )


class _LineFormatter(logging.Formatter):
    """Formats the message as one line regardless of its content; an indented traceback follows."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - of the base class
        return visible(super().formatMessage(record))

    def formatException(self, *of: Any) -> str:  # noqa: N802 - of the base class
        return "\n".join(f"  {visible(line)}" for line in super().formatException(*of).split("\n"))

    def format(self, record: logging.LogRecord) -> str:
        return without_passwords(super().format(record))


class _TextFormatter(_LineFormatter):
    """`2026-01-01 12:00:00,000 INFO worker.steps.claims failed run=1 chunk=2 attempt=1`."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        fields = [f"{name}={getattr(record, name)}" for name in _FIELDS if hasattr(record, name)]
        return " ".join([super().format(record), *fields])
