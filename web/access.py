"""Who may reach the server: hosts, the token, and where a change may come from."""

import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import TextIO
from urllib.parse import urlsplit

from castline.errors import RequestError

TOKEN_FILE = "web-token"  # noqa: S105 - a file's name
"""Name of the file in the home that holds the token."""

COOKIE = "castline"
"""Name of the cookie that stands for the token after the first link."""

COOKIE_SECONDS = 30 * 24 * 3600
"""A month, after which the link is opened again."""

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
"""The names of this machine itself, under which no other site can be reached."""

PUBLIC = "/static/"
"""What lies below holds styles and scripts, the same in every installation, and needs no token."""

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
"""Methods that change nothing (RFC 9110, section 9.2.1)."""


@dataclass(frozen=True)
class Refusal:
    """Why a request is refused."""

    status: HTTPStatus
    text: str


@dataclass(frozen=True)
class Access:
    """The rules of one server."""

    hosts: frozenset[str] = frozenset(LOOPBACK)
    """The values of the header Host, without a port, that are answered."""
    token: str | None = field(default=None, repr=False)
    """Secret that every request needs; None where only this machine reaches the server."""

    def refuse(
        self, method: str, path: str, headers: Mapping[str, str], cookie: str
    ) -> Refusal | None:
        """Return why a request is refused, or None.

        Args:
            method: Method of the request.
            path: Path of the request.
            headers: Its headers, by names in lower case.
            cookie: The value of our cookie, or an empty text.
        """
        host = headers.get("host", "")
        if _without_port(host) not in self.hosts:
            return Refusal(
                HTTPStatus.MISDIRECTED_REQUEST,
                "this server has another name; add the name to CASTLINE_WEB_HOSTS to use it",
            )
        if not (self.admits(headers, cookie) or path.startswith(PUBLIC)):
            return Refusal(
                HTTPStatus.UNAUTHORIZED,
                f"a token is needed: open the link that castline serve shows, or send the content"
                f" of {TOKEN_FILE} in the home as Authorization: Bearer TOKEN",
            )
        if method not in SAFE_METHODS and _is_foreign(headers, host):
            return Refusal(
                HTTPStatus.FORBIDDEN, "another site asked for this change; ask for it here"
            )
        return None

    def admits(self, headers: Mapping[str, str], cookie: str) -> bool:
        """Tell whether a request carries the token, or needs none."""
        if self.token is None:
            return True
        kind, _, given = headers.get("authorization", "").partition(" ")
        bears = kind.lower() == "bearer" and self.is_token(given.strip())
        return bears or hmac.compare_digest(cookie.encode(), self.cookie.encode())

    def is_token(self, given: str) -> bool:
        """Tell whether a text is the token, in a time that does not tell how much of it fits."""
        expected = self.token or ""
        return bool(expected) and hmac.compare_digest(given.encode(), expected.encode())

    @property
    def cookie(self) -> str:
        """The value of the cookie, from which the token cannot be derived."""
        return hmac.new((self.token or "").encode(), b"cookie", hashlib.sha256).hexdigest()


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdecimal() else host).lower()


def _is_foreign(headers: Mapping[str, str], host: str) -> bool:
    """Tell whether a page of another origin sent a request.

    Browsers send `Sec-Fetch-Site` to trustworthy origins and `Origin` with every change; other
    clients send neither, and carry no user's cookie.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc.lower() != host.lower()


def kept_token(home: Path) -> str:
    """Return the token of a home; it is made at first, in a file that only its owner reads.

    Raises:
        RequestError: The file cannot be written or read, or others may read it.
    """
    path = home / TOKEN_FILE
    try:
        home.mkdir(parents=True, exist_ok=True)
        with _created(path) as made:
            made.write(secrets.token_urlsafe(32))
    except FileExistsError:
        pass
    except OSError as error:
        reason = f"cannot be written ({error.strerror}); check its rights"
        raise RequestError(f"{path}: {reason}") from error
    try:
        mode, text = path.stat().st_mode, path.read_text(encoding="ascii").strip()
    except (OSError, ValueError) as error:
        raise RequestError(f"{path}: cannot be read; delete it, and a new one is made") from error
    if mode & 0o077:
        raise RequestError(f"{path}: others may read it; delete it, and a new one is made")
    if len(text) < SHORTEST_TOKEN:
        raise RequestError(f"{path}: holds no token; delete it, and a new one is made")
    return text


SHORTEST_TOKEN = 32
"""Characters; one made here has 43, which hold 256 bits."""


def _created(path: Path) -> TextIO:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    return os.fdopen(descriptor, "w", encoding="ascii")
