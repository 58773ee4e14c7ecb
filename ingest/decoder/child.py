"""The parent's view of the decoder process: start it, exchange messages with it, end it."""

import json
import os
import selectors
import signal
import socket
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from ingest.errors import (
    DecoderLost,
    FrameStoreError,
    IngestError,
    MediaRefused,
    ShortageError,
    StorageFullError,
    VideoError,
)
from ingest.media.file import MediaFile
from ingest.progress import Report

MAX_REPLY_BYTES = 16 << 20
"""Largest reply. A probe of a day of video that consists only of keyframes has 2 million times of 8
digits."""

EXIT_SECONDS = 5
"""Time that a child which closed its output has to exit; after this it is killed."""

_READ_BYTES = 1 << 16

_KINDS: dict[str, type[IngestError]] = {
    kind.__name__: kind
    for kind in (
        IngestError,
        MediaRefused,
        VideoError,
        FrameStoreError,
        StorageFullError,
        ShortageError,
    )
}
"""Errors that the child may report; any other kind means that the child is lost."""

_ENVIRONMENT = {"LC_ALL": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1"}
"""The complete environment of the child: the parent's may hold passwords. The threads of the linear
algebra library would each reserve memory."""


class DecoderChild:
    """A process that answers requests, started on first use and restarted whenever it is gone.

    Args:
        command: Command line that starts the process.
        silent_seconds: Longest permitted silence; a change applies from the next wait on.
    """

    def __init__(self, command: Sequence[str], silent_seconds: float) -> None:
        self.silent_seconds = silent_seconds
        self._command = list(command)
        self._child: subprocess.Popen[bytes] | None = None
        self._requests: socket.socket | None = None
        self._received = b""
        self._has_begun = False

    @property
    def pid(self) -> int | None:
        """Process id; None while no process runs."""
        return None if self._child is None else self._child.pid

    def close(self) -> None:
        """Kill the process. Calling it twice is harmless."""
        child, self._child, self._received = self._child, None, b""
        requests, self._requests = self._requests, None
        if requests is not None:
            requests.close()
        if child is None:
            return
        child.kill()
        child.wait()
        if child.stdout is not None:
            with suppress(OSError):
                child.stdout.close()

    def send(self, request: dict[str, str], file: MediaFile, what: str) -> None:
        """Send a request to the running child, or to a new one.

        Args:
            request: A request as defined by `ingest.decoder.process`.
            file: The open file to which the request applies.
            what: Name of the request, for error messages.

        Raises:
            DecoderLost: The child cannot be reached.
        """
        if self._child is None or self._child.poll() is not None:
            self.close()
            self._start()
        assert self._requests is not None, "the child was started with one"
        line = json.dumps(request).encode() + b"\n"
        try:
            # The descriptor travels with the first bytes; the rest may need several sends.
            sent = socket.send_fds(self._requests, [line], [file.descriptor])
            self._requests.sendall(line[sent:])
        except OSError as error:
            raise self._lost(what) from error

    def _start(self) -> None:
        self._received, self._has_begun = b"", False
        self._requests, theirs = socket.socketpair()
        with theirs:
            self._child = self._started(theirs)

    def _started(self, requests: socket.socket) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self._command,
            stdin=requests.fileno(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            # The folder of this package comes first on the child's path: the user's working
            # directory might hold an `av.py` of its own.
            cwd=Path(__file__).parents[2],
            env=_ENVIRONMENT,
            start_new_session=True,  # Ctrl-C in a terminal does not reach the child
        )

    def await_answer(self, what: str, on_progress: Report | None) -> str:
        """Wait for the answer, and pass progress on in the meantime.

        Args:
            what: Name of the request, for error messages.
            on_progress: Takes the progress that the child reports.

        Returns:
            The child's answer.

        Raises:
            IngestError: The error that the child reports, as an instance of its class.
            DecoderLost: The child died, hung or sent nonsense.
            ShortageError: The machine lacks a resource.
        """
        while True:
            match self._next_reply(what):
                case {"ready": True}:
                    self._has_begun = True
                case {"progress": int(done)}:
                    if on_progress is not None:
                        on_progress(done)
                case {"answer": str(answer)}:
                    return answer
                case {"error": str(kind), "message": str(message)}:
                    raise _reported(kind, message)
                case _:
                    raise DecoderLost(f"{what}: the decoder talked nonsense; try again")

    def _next_reply(self, what: str) -> object:
        while b"\n" not in self._received:
            if len(self._received) > MAX_REPLY_BYTES:
                raise DecoderLost(f"{what}: the decoder talked too much; try again")
            self._received += self._read(what)
        line, _, self._received = self._received.partition(b"\n")
        try:
            reply: object = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DecoderLost(f"{what}: the decoder talked nonsense; try again") from error
        return reply

    def _read(self, what: str) -> bytes:
        assert self._child is not None, "a request was just sent to it"
        assert self._child.stdout is not None, "the child was started with a pipe"
        with selectors.DefaultSelector() as selector:
            selector.register(self._child.stdout, selectors.EVENT_READ)
            if not selector.select(self.silent_seconds):
                if not self._has_begun:
                    raise _cannot_begin(f"silent for {self.silent_seconds:g} s")
                raise DecoderLost(
                    f"{what}: the decoder hung, silent for {self.silent_seconds:g} s; "
                    "the file may be damaged, copy it again or convert it"
                )
        data = os.read(self._child.stdout.fileno(), _READ_BYTES)
        if not data:
            raise self._lost(what)
        return data

    def _lost(self, what: str) -> DecoderLost | ShortageError:
        assert self._child is not None, "only a child that was started can be lost"
        try:
            code = self._child.wait(timeout=EXIT_SECONDS)
        except subprocess.TimeoutExpired:
            return DecoderLost(f"{what}: the decoder closed its output; try again")
        how = f"died of {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
        if not self._has_begun and code != -signal.SIGKILL:
            return _cannot_begin(how)
        lost = DecoderLost(
            f"{what}: the decoder {how}; the file may be damaged, copy it again or convert it"
        )
        lost.killed = code == -signal.SIGKILL
        return lost


def _cannot_begin(how: str) -> ShortageError:
    """Return the error for a child that never read a file, so that no file is to blame."""
    return ShortageError(
        f"the decoder cannot begin ({how}); this machine may lack memory, processes or open files,"
        " or run: castline doctor"
    )


def _reported(kind: str, message: str) -> IngestError:
    """Return the child's error as an exception that fits on one line of a terminal."""
    printable = "".join(letter if letter.isprintable() else " " for letter in message)
    return _KINDS.get(kind, DecoderLost)(printable)
