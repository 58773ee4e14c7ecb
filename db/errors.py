"""Errors of the database, each as one line that says what to do."""

from db.patience import Patience


class DatabaseError(Exception):
    """The database cannot be used, or a request is invalid; one line with its remedy."""


class DatabaseCutError(DatabaseError):
    """The server is temporarily gone: the same transaction may succeed when it is back.

    Args:
        message: One line.
        patience: How long work that meets this error waits.
    """

    def __init__(self, message: str, patience: Patience | None = None) -> None:
        super().__init__(message)
        self.patience = patience or Patience()


class DatabaseBusyError(DatabaseCutError):
    """Another process holds a lock: the same transaction may succeed when it is released."""


class NotFoundError(DatabaseError):
    """There is no row with the requested name or number."""
