"""The parent's side of the decoder process: ask, wait, and outlive whatever happens in it."""

import json
import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
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
    ShortageError,
    StorageFullError,
    VideoError,
)
from ingest.extraction import Extracted, Extraction
from ingest.media import checked_path
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

Answer = TypeVar("Answer")


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
        self._received = b""
        self._has_begun = False

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
        if child is None:
            return
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()

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
        real = checked_path(path, self._media_roots)
        return self._ask("probe", str(real), Probe.from_json, on_progress)

    def find_picture_area(self, probe: Probe, on_progress: Report | None = None) -> PictureArea:
        """Find the active part of an episode's picture; the whole frame if in doubt.

        Raises:
            VideoError: the file cannot be opened any more.
            DecoderLost: the child died, hung or ran out of memory.
        """
        return self._ask("find_picture_area", probe.to_json(), _picture_area, on_progress)

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
        checked_path(Path(request.path), self._media_roots)
        return self._ask("extract", request.to_json(), partial(_extracted, request), on_progress)

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
        checked_path(Path(request.path), self._media_roots)
        return self._ask("cut_out", request.to_json(), int, on_progress)

    def _ask(
        self,
        call: str,
        argument: str,
        read: Callable[[str], Answer],
        on_progress: Report | None,
    ) -> Answer:
        what = f"{call.replace('_', ' ')} request"
        try:
            self._send({"call": call, "argument": argument}, what)
            answer = self._await_answer(what, on_progress)
            try:
                return read(answer)
            except (ValueError, TypeError) as error:
                raise DecoderLost(f"{what}: the decoder talked nonsense; try again") from error
        except (DecoderLost, ShortageError, KeyboardInterrupt):
            self.close()
            raise
        except IngestError:
            raise  # the child answered, and is fit for the next request
        except BaseException:
            self.close()
            raise

    def _send(self, request: dict[str, str], what: str) -> None:
        if self._child is None or self._child.poll() is not None:
            self.close()
            self._child = self._start()
        assert self._child.stdin is not None, "the child was started with a pipe"
        try:
            self._child.stdin.write(json.dumps(request).encode() + b"\n")
            self._child.stdin.flush()
        except OSError as error:
            raise self._lost(what) from error

    def _start(self) -> subprocess.Popen[bytes]:
        self._received, self._has_begun = b"", False
        return subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
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
            if not selector.select(self._silent_seconds):
                if not self._has_begun:
                    raise _cannot_begin(f"silent for {self._silent_seconds:g} s")
                raise DecoderLost(
                    f"{what}: the decoder hung, silent for {self._silent_seconds:g} s; "
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
    """Says so of a child that never got to look at a file, which is thus not to blame."""
    return ShortageError(
        f"the decoder cannot begin ({how}); this machine may lack memory, processes or open files,"
        " or run: castline doctor"
    )


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


def _picture_area(text: str) -> PictureArea:
    return PictureArea(**json.loads(text))
