"""The parent's side of the decoder process: ask, wait, and outlive whatever happens in it."""

import json
import os
import selectors
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from ingest.cutting import Cut
from ingest.errors import (
    DecoderLost,
    FrameStoreError,
    IngestError,
    MediaRefused,
    StorageFullError,
    VideoError,
)
from ingest.extraction import Extracted, Extraction
from ingest.media_file import MediaFile, open_media
from ingest.probe import PictureArea, Probe
from ingest.progress import Report

MEMORY_BYTES = 2 << 30
"""Twelve 8K pictures of 10 bits, as many as a codec keeps, take 1.3 GB; ordinary video stays under
200 MB. More than this is an attack or damage."""

SILENT_SECONDS = 60.0
"""A working decoder reports twice a second; one that is silent for so long hangs."""

MAX_REPLY_BYTES = 16 << 20
"""A probe of a day of video made of key frames alone has 2 million times of 8 digits."""

EXIT_SECONDS = 5
"""A child that closed its output is on its way out; longer than this it is not."""

_READ_BYTES = 1 << 16

_KINDS: dict[str, type[IngestError]] = {
    kind.__name__: kind
    for kind in (IngestError, MediaRefused, VideoError, FrameStoreError, StorageFullError)
}
"""Errors that the child may report; anything else it says means that it is lost."""

_ENVIRONMENT = {"LC_ALL": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1"}
"""All that the child gets to see of the environment: the parent's may hold passwords. Threads of
the linear algebra library would each reserve memory."""

_CHANGED = "was changed since it was added; enqueue it again"

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Content:
    """What a file is expected to hold.

    Attributes:
        sha256: of all of it.
        size_bytes: its length.
        stamp: what a file had that held it; None where it needs no proof.
    """

    sha256: str
    size_bytes: int
    stamp: str | None

    @classmethod
    def of(cls, described: Probe | Extraction) -> Self:
        """What an episode file is expected to hold."""
        return cls(described.sha256, described.size_bytes, described.file_stamp)


class Decoder:
    """One decoder process, started when first needed and again whenever it is lost.

    Not for use by several threads at once, and to be closed by the thread that used it: the child
    dies with the thread that started it. It ignores Ctrl-C; the parent decides.

        with Decoder() as decoder:
            probe = decoder.probe(Path("episode.mkv"))
    """

    def __init__(
        self,
        *,
        command: Sequence[str] | None = None,
        silent_seconds: float = SILENT_SECONDS,
        memory_bytes: int = MEMORY_BYTES,
        media_roots: tuple[Path, ...] = (),
    ) -> None:
        self._command = (
            list(command)
            if command
            else [sys.executable, "-m", "ingest.decoder_process", str(memory_bytes)]
        )
        self._silent_seconds = silent_seconds
        self._media_roots = media_roots
        self._child: subprocess.Popen[bytes] | None = None
        self._requests: socket.socket | None = None
        self._proven: Content | None = None
        self._received = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """The child's process id, None while there is none."""
        return None if self._child is None else self._child.pid

    def close(self) -> None:
        """End the child at once. Harmless twice; the next request starts another."""
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

    def probe(self, path: Path, on_progress: Report | None = None) -> Probe:
        """Describe an episode file.

        Args:
            path: the file, under one of the media roots if there are any.
            on_progress: takes the bytes and packets read so far, about twice a second; whatever
                it raises ends the request and the child, and passes through.

        Raises:
            MediaRefused: the path may not be opened.
            VideoError: the file cannot be used as video.
            DecoderLost: the child died, hung or ran out of memory.
        """
        with open_media(path, self._media_roots) as file:
            return self._ask("probe", "", Probe.from_json, file, on_progress)

    def find_picture_area(self, probe: Probe, on_progress: Report | None = None) -> PictureArea:
        """Find the active part of an episode's picture; the whole frame if in doubt.

        Raises:
            VideoError: the file cannot be opened any more, or was changed.
            DecoderLost: the child died, hung or ran out of memory.
        """
        with open_media(Path(probe.path), self._media_roots) as file:
            content = Content.of(probe)
            stamp = self._prove(content, file, on_progress)
            argument = probe.to_json()
            area = self._ask("find_picture_area", argument, _picture_area, file, on_progress)
            self._prove(replace(content, stamp=stamp), file, on_progress)
            return area

    def extract(self, request: Extraction, on_progress: Report | None = None) -> Extracted:
        """Take a chunk's sampled frames into its frame store file.

        Args:
            request: the chunk.
            on_progress: takes the frames decoded so far, about twice a second; whatever it raises
                ends the request and the child, and passes through.

        Raises:
            MediaRefused: the path may not be opened.
            VideoError: the file cannot be opened, or was changed.
            FrameStoreError: the frames cannot be written.
            DecoderLost: the child died, hung or ran out of memory.
        """
        read = partial(_extracted, request)
        with open_media(Path(request.path), self._media_roots) as file:
            content = Content.of(request)
            stamp = self._prove(content, file, on_progress)
            extracted = self._ask("extract", request.to_json(), read, file, on_progress)
            try:
                stamp = self._prove(replace(content, stamp=stamp), file, on_progress)
            except IngestError:
                Path(request.store_path).unlink(missing_ok=True)  # frames of who knows what
                raise
            return replace(extracted, file_stamp=stamp or "")

    def cut_out(self, request: Cut, on_progress: Report | None = None) -> int:
        """Write a range of an episode as a clip of its own.

        Returns:
            How many frames it holds.

        Raises:
            MediaRefused: the path may not be opened.
            VideoError: the file cannot be opened, or no frame of the range can be decoded.
            IngestError: the clip cannot be written.
            DecoderLost: the child died, hung or ran out of memory.
        """
        with open_media(Path(request.path), self._media_roots) as file:
            return self._ask("cut_out", request.to_json(), int, file, on_progress)

    def prove(self, path: Path, content: Content) -> None:
        """Make sure that a file holds what it is expected to.

        Raises:
            MediaRefused: the path may not be opened.
            VideoError: the file cannot be opened, or holds something else.
            DecoderLost: the child died, hung or ran out of memory.
        """
        with open_media(path, self._media_roots) as file:
            self._prove(content, file, None)

    def _prove(self, content: Content, file: MediaFile, on_progress: Report | None) -> str | None:
        """Make sure of what a file holds: by its stamp, or by hashing it again.

        Returns:
            A stamp that it has with this content.

        Raises:
            VideoError: it holds something else.
        """
        if content.size_bytes != file.status.st_size:
            raise VideoError(f"{file.path}: {_CHANGED}")
        if content.stamp is None:
            return None
        found = replace(content, stamp=file.stamp)
        if found.stamp and found in (content, self._proven):
            return found.stamp
        alive = None if on_progress is None else lambda _: on_progress(0)  # no frame was decoded
        if self._ask("hash", "", _hash, file, alive) != content.sha256:
            raise VideoError(f"{file.path}: {_CHANGED}")
        self._proven = found
        return found.stamp

    def _ask(
        self,
        call: str,
        argument: str,
        read: Callable[[str], Answer],
        file: MediaFile,
        on_progress: Report | None,
    ) -> Answer:
        what = f"{call.replace('_', ' ')} request"
        try:
            self._send({"call": call, "path": str(file.path), "argument": argument}, file, what)
            answer = self._await_answer(what, on_progress)
            try:
                return read(answer)
            except (ValueError, TypeError) as error:
                raise DecoderLost(f"{what}: the decoder talked nonsense; try again") from error
        except (DecoderLost, KeyboardInterrupt):
            self.close()
            raise
        except IngestError:
            raise  # the child answered, and is fit for the next request
        except BaseException:
            self.close()
            raise

    def _send(self, request: dict[str, str], file: MediaFile, what: str) -> None:
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
        self._received = b""
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
            cwd=Path(__file__).parents[1],
            env=_ENVIRONMENT,
            start_new_session=True,  # Ctrl-C in a terminal does not reach it
        )

    def _await_answer(self, what: str, on_progress: Report | None) -> str:
        """Pass progress on until the answer comes.

        Raises:
            IngestError: the error that the child reports, by its class.
            DecoderLost: no answer will come.
        """
        while True:
            match self._next_reply(what):
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
            if not selector.select(self._silent_seconds):
                raise DecoderLost(
                    f"{what}: the decoder hung, silent for {self._silent_seconds:g} s; "
                    "the file may be damaged, copy it again or convert it"
                )
        data = os.read(self._child.stdout.fileno(), _READ_BYTES)
        if not data:
            raise self._lost(what)
        return data

    def _lost(self, what: str) -> DecoderLost:
        assert self._child is not None, "only a child that was started can be lost"
        try:
            code = self._child.wait(timeout=EXIT_SECONDS)
        except subprocess.TimeoutExpired:
            return DecoderLost(f"{what}: the decoder closed its output; try again")
        how = f"died of {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
        lost = DecoderLost(
            f"{what}: the decoder {how}; the file may be damaged, copy it again or convert it"
        )
        lost.killed = code == -signal.SIGKILL
        return lost


def _reported(kind: str, message: str) -> IngestError:
    """The child's error as an exception, fit to be shown on one line of a terminal."""
    printable = "".join(letter if letter.isprintable() else " " for letter in message)
    return _KINDS.get(kind, DecoderLost)(printable)


def _extracted(request: Extraction, text: str) -> Extracted:
    """Read an answer, which must speak of the chunk that was asked for and of nothing else."""
    extracted = Extracted.from_json(text)
    ends = [pts for start_end in extracted.missing for pts in start_end]
    cuts = extracted.cuts
    frames = cuts.pts + cuts.head.pts + cuts.tail.pts if cuts else ()
    if not all(request.start_pts <= p < request.end_pts for p in extracted.sampled_pts + frames):
        raise ValueError("frames outside of the chunk")
    if not all(request.start_pts <= pts <= request.end_pts for pts in ends):
        raise ValueError("missing ranges outside of the chunk")
    return extracted


def _hash(text: str) -> str:
    if len(text) != 64:  # hexadecimal digits of SHA-256
        raise ValueError("not a hash")
    return text


def _picture_area(text: str) -> PictureArea:
    return PictureArea(**json.loads(text))
