"""The parent's side of the decoder process: ask, wait, and outlive whatever happens in it."""

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from exact.picture_area import PictureArea
from exact.video_file import VideoFile
from ingest.decoder.child import DecoderChild
from ingest.errors import DecoderLost, IngestError, ShortageError, VideoError
from ingest.frames.cutting import Cut
from ingest.frames.extract_request import Extracted, Extraction
from ingest.media.file import MediaFile, open_media
from ingest.media.probe import Probe
from ingest.progress import Report

MEMORY_BYTES = 2 << 30
"""Twelve 8K pictures of 10 bits, as many as a codec keeps, take 1.3 GB; ordinary video stays under
200 MB. More than this is an attack or damage."""

SILENT_SECONDS = 60.0
"""A working decoder reports twice a second; one that is silent for so long hangs."""

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
    def of(cls, described: VideoFile | Extraction) -> Self:
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
        ours = [sys.executable, "-m", "ingest.decoder.process", str(memory_bytes)]
        self._child = DecoderChild(command or ours, silent_seconds)
        self._media_roots = media_roots
        self._proven: Content | None = None

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
        return self._child.pid

    def close(self) -> None:
        """End the child at once. Harmless twice; the next request starts another."""
        self._child.close()

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
                proven = replace(content, stamp=stamp)
                stamp = self._prove(proven, file, on_progress, extracted.frames_decoded)
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

    def _prove(
        self, content: Content, file: MediaFile, on_progress: Report | None, done: int = 0
    ) -> str | None:
        """Make sure of what a file holds: by its stamp, or by hashing it again.

        Args:
            content: what it should hold.
            file: the file.
            on_progress: takes `done` now and then.
            done: the frames that were decoded before.

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
        alive = None if on_progress is None else lambda _: on_progress(done)
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
            request = {"call": call, "path": str(file.path), "argument": argument}
            self._child.send(request, file, what)
            answer = self._child.await_answer(what, on_progress)
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
