"""What can go wrong, as users of `castline` catch it: each is one line that says what to do.

The packages below raise errors of their own and know nothing of these. `as_castline_errors` turns
theirs into these where an error leaves the application.
"""

from collections.abc import Iterator
from contextlib import contextmanager


class CastlineError(Exception):
    """Base of all errors: one line that says what, where and what to do."""


class RequestError(CastlineError):
    """What was asked for cannot be done as asked."""


class NotFoundError(RequestError):
    """No episode, label, run or model answers to a name, or several do."""


class DatabaseError(CastlineError):
    """The database cannot be used as asked."""


class MediaError(CastlineError):
    """An episode file or a stored frame cannot be read or written."""


class ModelError(CastlineError):
    """A model cannot be used, or not trained as asked."""


class DatasetError(ModelError):
    """Stills or a dataset cannot be used."""


class TimelineError(CastlineError):
    """A time, a truth file or an export cannot be read or written."""


class ExpressionError(TimelineError):
    """An expression cannot be read."""

    marked: tuple[str, int] | None = None
    """The expression and the position of the character to blame; None where there is none."""


class WorkError(CastlineError):
    """Work cannot go on."""


class StoppedError(WorkError):
    """Someone stopped the work; the same call goes on where it stopped."""


class BrokerError(WorkError):
    """The broker cannot be used now; what was to be told stays in the database."""


class IntruderError(CastlineError, ImportError):
    """A module from elsewhere has the name of one of Castline's packages."""


@contextmanager
def as_castline_errors() -> Iterator[None]:
    """Turns expected errors of the packages below into Castline's own, with the same text.

    As a decorator it does so for a function.
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
    """Returns an error as Castline's own; None if it is none of those that are expected."""
    kinds = _kinds()
    for kind in type(error).__mro__:
        if kind in kinds:
            told = kinds[kind](str(error))
            if isinstance(told, ExpressionError):
                told.marked = getattr(error, "marked", None)
            return told
    return None


def _kinds() -> dict[type, type[CastlineError]]:
    """By error of a package below; the nearest one in a class's ancestry counts."""
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
