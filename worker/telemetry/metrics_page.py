"""The HTTP page from which Prometheus reads a worker's metrics.

Anybody who reaches its port may request it, so requests must not harm the worker: few are answered
concurrently, none for long, and none of them writes to stderr.
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
"""Maximum of concurrent requests, each of which may hold a connection to the database; further ones
are closed. A Prometheus server sends one at a time."""

LONGEST_SECONDS: Final = 10.0
"""Time limit of a connection: as long as Prometheus waits for an answer by default."""

_ELSEWHERE: Final = (errno.EADDRNOTAVAIL, errno.EINVAL)
"""Error codes for an address that this machine does not have."""

_log = logging.getLogger(__name__)


class _Handler(WSGIRequestHandler):
    """Handles a request without writing to stderr."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Log no request."""


class _Server(WSGIServer):
    """Answers MOST_REQUESTS in threads of their own, and ends each after LONGEST_SECONDS."""

    def __init__(self, address: tuple[str, int], handler: Any) -> None:
        self._open: dict[socket.socket, float] = {}
        found = socket.getaddrinfo(*address, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        self.address_family = found[0][0]
        super().__init__(address, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread, unless the maximum is reached."""
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
        """Close connections that exceed the time limit; called twice a second."""
        for request, since in self._open.copy().items():
            if time.monotonic() - since > LONGEST_SECONDS:
                with suppress(OSError):  # it may already be closed
                    request.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that disconnected or sent garbage."""
        _log.debug("a request for metrics failed", exc_info=True)


@contextmanager
def serve_page(address: str, port: int, registry: "CollectorRegistry") -> Iterator[None]:
    """Serve the content of a registry during the block.

    Raises:
        WorkerError: The address cannot be bound.
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
    except (socket.gaierror, UnicodeError) as error:  # UnicodeError: an empty or too long part
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
    """Return the library's own page, made robust against bad requests and bad counters."""
    from prometheus_client import make_wsgi_app
    from prometheus_client.exposition import choose_encoder

    page = make_wsgi_app(registry)

    def answer(environ: dict[str, Any], start_response: Any) -> Any:
        try:
            choose_encoder(environ.get("HTTP_ACCEPT", ""))
        except (TypeError, ValueError):  # a version that is not a number
            del environ["HTTP_ACCEPT"]
        try:
            return page(environ, start_response)
        except Exception as error:
            _log.warning("metrics cannot be read: %s", error)
            start_response("500 Internal Server Error", [])
            return [b"metrics cannot be read; see the worker's log\n"]

    return answer
