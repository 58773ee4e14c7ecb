"""Run the web server."""

import gc
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from socket import AF_INET, AF_INET6, create_server

import uvicorn

from castline import Library, RequestError
from web.access import LOOPBACK, TOKEN_FILE, Access, kept_token
from web.app import make_app

PORT = 8321

STOP_SECONDS = 3
"""How long answers may take to end once the server was told to stop; streams never end by
themselves."""


KEEP_ALIVE_SECONDS = 75
"""How long an idle connection stays: longer than proxies keep theirs, mostly 60 s, so that none
sends a request while the server closes the connection."""

BACKLOG = 128
"""Connections that wait to be accepted."""


@dataclass(frozen=True)
class Address:
    """Where a server is reached."""

    url: str
    """The address to open, without a token."""
    link: str
    """The address to open first: with the token, if one is needed."""
    token_file: Path | None
    """The file with the token; None if none is needed."""


def serve(
    library: Library,
    *,
    host: str,
    port: int,
    needs_token: bool,
    on_start: Callable[[Address], None],
) -> None:
    """Serve a library until the process is told to stop.

    Args:
        library: The library.
        host: Address to bind; any but this machine's own needs a token.
        port: Port to bind; 0 for a free one.
        needs_token: Whether this machine's own address needs a token, too.
        on_start: Called with the address once the server answers.

    Raises:
        CastlineError: The address cannot be bound, or the token cannot be kept.
    """
    is_local = _in_brackets(host) in LOOPBACK
    token = kept_token(library.home) if needs_token or not is_local else None
    names = {*LOOPBACK, *library.settings.web_hosts}
    if host not in EVERY_ADDRESS:
        names.add(_in_brackets(host))
    library.connect()
    config = uvicorn.Config(
        make_app(library, Access(frozenset(names), token)),
        host=host,
        port=port,
        access_log=False,  # addresses may hold names, and the first one holds the token
        log_config=None,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=STOP_SECONDS,
        h11_max_incomplete_event_size=32 * 1024,
        lifespan="off",
    )
    family = AF_INET6 if ":" in host else AF_INET
    try:
        socket = create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise RequestError(
            f"{host}, port {port}: cannot be bound ({error.strerror}); give another one by --host"
            " and --port"
        ) from error
    bound = socket.getsockname()[1]
    shown = "127.0.0.1" if host in EVERY_ADDRESS else _in_brackets(host)
    url = f"http://{shown}:{bound}/"
    link = f"{url}?token={token}" if token else url
    # What is loaded now stays: a full collection that visits it takes 60 ms of a page's 100.
    gc.collect()
    gc.freeze()
    with socket:
        server = _Server(config)
        server.on_start = lambda: on_start(
            Address(url, link, library.home / TOKEN_FILE if token else None)
        )
        server.run(sockets=[socket])


EVERY_ADDRESS = ("0.0.0.0", "::", "")  # noqa: S104 - named, not bound
"""Hosts that stand for all addresses of a machine."""


class _Server(uvicorn.Server):
    """Tells when it answers."""

    on_start: Callable[[], None] = staticmethod(lambda: None)

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        await super().startup(sockets=sockets)  # type: ignore[arg-type]
        self.on_start()


def _in_brackets(host: str) -> str:
    return f"[{host}]" if ":" in host else host.lower()
