"""What can go wrong with the database, each as one line that says what to do."""


class DatabaseError(Exception):
    """The database cannot be used as asked; the message is one line with its remedy."""


class DatabaseCutError(DatabaseError):
    """The server went away, for now: the same transaction may succeed when it is back."""


class NotFoundError(DatabaseError):
    """A row that was asked for by name or number does not exist."""
