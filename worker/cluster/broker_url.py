"""The broker's URL, checked before any other code reads it, so that no error shows its password."""

import re
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from worker.errors import WorkerError

NAME: Final = "CASTLINE_BROKER_URL"

SERVERS: Final = ("redis://", "rediss://")
SOCKET: Final = "redis+socket://"

_DATABASE: Final = re.compile(r"/?[0-9]*")
_ANY, _NOTHING = re.compile(r".+"), re.compile(r"(?!)")

_PARAMETERS: Final = {
    "ssl_cert_reqs": re.compile("none|optional|required"),
    "ssl_check_hostname": re.compile("true|false"),
    "ssl_ca_certs": _ANY,
    "ssl_certfile": _ANY,
    "ssl_keyfile": _ANY,
    "virtual_host": re.compile("[0-9]+"),
}
"""The permitted query parameters: Celery fails with a traceback on others. The last one is the
database of a socket."""


def checked_broker_url(url: str | None) -> str:
    """Return the URL, in a form that Celery and Redis parse alike.

    Raises:
        WorkerError: It is missing, of another kind, or malformed.
    """
    url = url or ""
    if not url.startswith((*SERVERS, SOCKET)):
        raise WorkerError(
            f"{NAME}: not the URL of a Redis server; write redis://user:password@host:6379/0,"
            " or rediss:// for TLS"
        )
    if not _is_readable(url):
        # Without the URL and without a cause: an invalid host or port may be a part of the
        # password.
        raise WorkerError(
            f"{NAME}: cannot be read; write redis://user:password@host:6379/0, and percent-encode"
            " all but letters and digits in the password: %23 for #, %2F for /, %3F for ?"
        )
    return url


def _is_readable(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port
        query = parse_qsl(parts.query, strict_parsing=True) if parts.query else []
    except ValueError:
        return False
    # A password ends at the first of `/?#` that is not encoded, and the rest goes elsewhere.
    is_whole = not parts.fragment and "#" not in url and "@" not in parts.path + parts.query
    # Celery treats a semicolon as a separator of several URLs.
    is_plain = ";" not in url and url.isprintable() and " " not in url
    if url.startswith(SOCKET):
        is_place = len(parts.path) > 1
    else:
        is_place = bool(parts.hostname) and port != 0 and bool(_DATABASE.fullmatch(parts.path))
    return is_whole and is_plain and is_place and all(_is_parameter(*item) for item in query)


def _is_parameter(name: str, value: str) -> bool:
    return _PARAMETERS.get(name, _NOTHING).fullmatch(value) is not None
