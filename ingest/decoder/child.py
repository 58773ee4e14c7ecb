"""The decoder process as its parent has it: started, spoken to, heard, and ended."""

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
"""A probe of a day of video made of key frames alone has 2 million times of 8 digits."""

EXIT_SECONDS = 5
"""A child that closed its output is on its way out; longer than this it is not."""

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
"""Errors that the child may report; anything else it says means that it is lost."""

_ENVIRONMENT = {"LC_ALL": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1"}
"""All that the child gets to see of the environment: the parent's may hold passwords. Threads of
the linear algebra library would each reserve memory."""


class DecoderChild:
    """A process that answers requests, started when first needed and again whenever it is gone.

    Args:
        command: Starts it.
        silent_seconds: How long it may be silent, from the next wait on when this changes.
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
        """Its process id, None while there is none."""
        return None if self._child is None else self._child.pid

    def close(self) -> None:
        """End it at once. Harmless twice."""
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
        """Ask for something, of the child that runs or of a new one.

        Args:
            request: What `decoder_process` reads.
            file: The open file that it is about.
            what: The request's name, for errors.

        Raises:
            DecoderLost: The child cannot be spoken to.
        """
        if self._child is None or self._child.poll() is not None:
            self.close()
            self._start()
        assert self._requests is not None, "the child was started with one"
        line = json.dumps(request).encode() + b"\n"
        try:
            # The descriptor goes with the first bytes; the rest may take several turns.
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
            # The folder of this package comes first on the child's path: a folder that the user
            # happens to be in might hold an `av.py` of its own.
            cwd=Path(__file__).parents[2],
            env=_ENVIRONMENT,
            start_new_session=True,  # Ctrl-C in a terminal does not reach it
        )

    def await_answer(self, what: str, on_progress: Report | None) -> str:
        """Pass progress on until the answer comes.

        Args:
            what: The request's name, for errors.
            on_progress: Takes what the child reports.

        Raises:
            IngestError: The error that the child reports, by its class.
            DecoderLost: No answer will come.
            ShortageError: The machine lacks something.
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
    """Say so of a child that never got to look at a file, which is thus not to blame."""
    return ShortageError(
        f"the decoder cannot begin ({how}); this machine may lack memory, processes or open files,"
        " or run: castline doctor"
    )


def _reported(kind: str, message: str) -> IngestError:
    """The child's error as an exception, fit to be shown on one line of a terminal."""
    printable = "".join(letter if letter.isprintable() else " " for letter in message)
    return _KINDS.get(kind, DecoderLost)(printable)
