"""The database's URL, checked before a driver reads it, so that no driver fails on it later."""

from collections.abc import Iterator

from sqlalchemy import make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError

from db.errors import DatabaseError

_DRIVERS = {"postgresql": "postgresql+psycopg", "sqlite": "sqlite+pysqlite"}
"""The driver of each kind of database, also used where a URL names none."""

_UNREADABLE = (
    "the database URL cannot be read; write sqlite:////absolute/path.db or"
    " postgresql+psycopg://user:password@host:5432/name, and percent-encode all characters of"
    " the password except letters and digits"
)


def checked_url(url: str | URL) -> URL:
    """Return the URL of a supported database; `postgresql://` is read as psycopg 3.

    Raises:
        DatabaseError: It is malformed or of another kind. The message leaves out the URL and the
            cause where an invalid host or port may be a part of the password.
    """
    parsed = _parsed(url)
    if parsed is None:
        raise DatabaseError(_UNREADABLE)
    backend = parsed.drivername.partition("+")[0]
    if backend not in _DRIVERS:
        raise DatabaseError(f"{backend}: not supported; use an sqlite or a postgresql URL")
    if parsed.drivername not in (backend, _DRIVERS[backend]):
        raise DatabaseError(
            f"{parsed.drivername}: not supported; begin the URL with {_DRIVERS[backend]}://"
        )
    if backend == "sqlite":
        _check_file(parsed)
        return parsed
    if not all(map(_is_host, _hosts(parsed))):
        raise DatabaseError(_UNREADABLE)
    return parsed.set(drivername=_DRIVERS[backend])


def _parsed(url: str | URL) -> URL | None:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # ValueError: a port that is not a number
        return None
    parts = (parsed.username, parsed.password, parsed.host, parsed.database, *_values(parsed))
    # For the drivers a zero byte ends the text, and drops the rest.
    return None if any("\0" in (part or "") for part in parts) else parsed


def _check_file(url: URL) -> None:
    """Refuse in-memory SQLite databases, and settings, which Castline makes itself."""
    if url.host or not url.database or url.database == ":memory:":
        raise DatabaseError("the database URL names no file; write sqlite:////absolute/path.db")
    if url.query:
        raise DatabaseError(
            "the database URL of a file takes nothing behind a question mark; leave it out, or"
            " write %3F for one in the file's name"
        )


def _values(url: URL) -> Iterator[str]:
    for value in url.query.values():
        yield from (value,) if isinstance(value, str) else value


def _hosts(url: URL) -> Iterator[str]:
    """Yield the servers in the URL, of which several may follow the question mark."""
    named = url.query.get("host", ())
    for several in (url.host or "", *((named,) if isinstance(named, str) else named)):
        yield from several.split(",")


def _is_host(host: str) -> bool:
    """Tell whether this is a host name, an address, or a socket's folder."""
    if host.startswith("/"):
        return True
    try:
        host.encode("idna")
    except UnicodeError:  # a part of it is empty or too long
        return False
    return "@" not in host  # else it begins with the end of the password
