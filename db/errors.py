"""What can go wrong with the database, each as one line that says what to do."""

from db.patience import Patience


class DatabaseError(Exception):
    """The database cannot be used as asked; the message is one line with its remedy."""


class DatabaseCutError(DatabaseError):
    """The server went away, for now: the same transaction may succeed when it is back.

    Args:
        message: One line.
        patience: How long work waits that meets this.
    """

    def __init__(self, message: str, patience: Patience | None = None) -> None:
        super().__init__(message)
        self.patience = patience or Patience()


class DatabaseBusyError(DatabaseCutError):
    """Another process holds a lock: the same transaction may succeed when it lets go."""


class NotFoundError(DatabaseError):
    """A row that was asked for by name or number does not exist."""
