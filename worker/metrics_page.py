"""The page on which Prometheus finds a worker's metrics.

Whoever reaches its port may ask for it, so nobody who does can harm the worker: few requests are
answered together, none for long, and none of them writes to stderr.
"""

import errno
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from worker.errors import WorkerError

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

MOST_REQUESTS: Final = 4
"""Answered together, each of which may hold a connection to the database; one more is cut off. A
Prometheus sends one at a time."""

LONGEST_SECONDS: Final = 10.0
"""From a connection to its end: as long as Prometheus waits for an answer by default."""

_ELSEWHERE: Final = (errno.EADDRNOTAVAIL, errno.EINVAL)
"""What the system says of an address that this machine has not."""

_log = logging.getLogger(__name__)


class _Handler(WSGIRequestHandler):
    """Reads a request; says nothing of it on stderr."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Logs no request."""


class _Server(WSGIServer):
    """Answers MOST_REQUESTS in threads of their own, and ends each after LONGEST_SECONDS."""

    def __init__(self, address: tuple[str, int], handler: Any) -> None:
        self._open: dict[socket.socket, float] = {}
        found = socket.getaddrinfo(*address, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        self.address_family = found[0][0]
        super().__init__(address, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answers in a thread, unless there are as many as may be."""
        if len(self._open) >= MOST_REQUESTS:
            self.shutdown_request(request)
            return
        self._open[request] = time.monotonic()
        thread = threading.Thread(target=self._answer, args=(request, client_address), daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the machine lacks threads
            self._open.pop(request)
            raise

    def _answer(self, request: Any, client_address: Any) -> None:
        try:
            self.finish_request(request, client_address)
        except Exception:
            self.handle_error(request, client_address)
        finally:
            self.shutdown_request(request)
            self._open.pop(request)

    def service_actions(self) -> None:
        """Cuts off who takes too long to ask or to read; called twice a second."""
        for request, since in self._open.copy().items():
            if time.monotonic() - since > LONGEST_SECONDS:
                with suppress(OSError):  # it may have gone by itself
                    request.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Passes over who went away or sent garbage."""
        _log.debug("a request for metrics failed", exc_info=True)


@contextmanager
def serve_page(address: str, port: int, registry: "CollectorRegistry") -> Iterator[None]:
    """Serves what a registry holds while it is open.

    Raises:
        WorkerError: The address cannot be listened at.
    """
    server = _listening(address, port, registry)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _listening(address: str, port: int, registry: "CollectorRegistry") -> WSGIServer:
    try:
        return make_server(address, port, _page(registry), _Server, _Handler)
    except (socket.gaierror, UnicodeError) as error:  # of the second a part is empty or too long
        raise WorkerError(
            f"CASTLINE_METRICS_ADDRESS: {address}: no name of a machine; write one, or an address"
        ) from error
    except OSError as error:
        if error.errno in _ELSEWHERE:
            raise WorkerError(
                f"CASTLINE_METRICS_ADDRESS: {address}: not of this machine ({error.strerror});"
                " write 127.0.0.1, or 0.0.0.0 for all that it has"
            ) from error
        reason = "is in use" if error.errno == errno.EADDRINUSE else error.strerror
        raise WorkerError(
            f"CASTLINE_METRICS_PORT: {address}:{port} {reason}; name another port"
        ) from error


def _page(registry: "CollectorRegistry") -> Callable[..., Any]:
    """The library's own page, which fails neither at what was asked for nor at what was counted."""
    from prometheus_client import make_wsgi_app
    from prometheus_client.exposition import choose_encoder

    page = make_wsgi_app(registry)

    def answer(environ: dict[str, Any], start_response: Any) -> Any:
        try:
            choose_encoder(environ.get("HTTP_ACCEPT", ""))
        except (TypeError, ValueError):  # a version that is no number
            del environ["HTTP_ACCEPT"]
        try:
            return page(environ, start_response)
        except Exception as error:
            _log.warning("metrics cannot be read: %s", error)
            start_response("500 Internal Server Error", [])
            return [b"metrics cannot be read; see the worker's log\n"]

    return answer
