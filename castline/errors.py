"""Errors for users of `castline`: each message is one line that says what to do.

The packages below raise errors of their own and do not know these. `as_castline_errors` converts
them where an error leaves the application.
"""

from collections.abc import Iterator
from contextlib import contextmanager


class CastlineError(Exception):
    """Base of all errors: one line that says what, where and what to do."""


class RequestError(CastlineError):
    """The request cannot be fulfilled as it was made."""


class NotFoundError(RequestError):
    """A name matches no episode, label, run or model, or it matches several."""


class DatabaseError(CastlineError):
    """The database cannot be used, or a statement is invalid."""


class MediaError(CastlineError):
    """An episode file or a stored frame cannot be read or written."""


class ModelError(CastlineError):
    """A model cannot be used, or cannot be trained as requested."""


class DatasetError(ModelError):
    """Stills or a dataset cannot be used."""


class TimelineError(CastlineError):
    """A time, a truth file or an export cannot be read or written."""


class ExpressionError(TimelineError):
    """An expression cannot be parsed."""

    marked: tuple[str, int] | None = None
    """The expression and the position of the offending character; None where there is none."""


class WorkError(CastlineError):
    """Work cannot continue."""


class StoppedError(WorkError):
    """The work was stopped; the same call continues where it stopped."""


class BrokerError(WorkError):
    """The broker cannot be used now; unpublished messages stay in the database."""


class IntruderError(CastlineError, ImportError):
    """A foreign module shadows one of Castline's packages."""


@contextmanager
def as_castline_errors() -> Iterator[None]:
    """Convert expected errors of the packages below to `CastlineError`, with the same text.

    It can also be used as a decorator.
    """
    try:
        yield
    except CastlineError:
        raise
    except Exception as error:
        told = castline_error(error)
        if told is None:
            raise
        raise told from error


def castline_error(error: Exception) -> CastlineError | None:
    """Return an error as a `CastlineError`; None if it is not an expected one."""
    kinds = _kinds()
    for kind in type(error).__mro__:
        if kind in kinds:
            told = kinds[kind](str(error))
            if isinstance(told, ExpressionError):
                told.marked = getattr(error, "marked", None)
            return told
    return None


def _kinds() -> dict[type, type[CastlineError]]:
    """Map errors of the packages below to public ones; the nearest base class counts."""
    import db.errors
    import ingest.errors
    import model.errors
    import timeline.errors
    import worker.errors

    return {
        db.errors.DatabaseError: DatabaseError,
        db.errors.NotFoundError: NotFoundError,
        ingest.errors.IngestError: MediaError,
        model.errors.ModelError: ModelError,
        model.errors.ModelNotFoundError: NotFoundError,
        model.errors.StillsError: DatasetError,
        model.errors.DatasetError: DatasetError,
        timeline.errors.TimelineError: TimelineError,
        timeline.errors.ExpressionError: ExpressionError,
        worker.errors.WorkerError: WorkError,
        worker.errors.WorkStoppedError: StoppedError,
        worker.errors.BrokerError: BrokerError,
    }
