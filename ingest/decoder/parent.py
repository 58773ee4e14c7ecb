"""The parent's side of the decoder process: send requests, wait, and survive its failures."""

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
"""Memory limit of the child. Twelve 8K pictures of 10 bits, as many as a codec keeps, take 1.3 GB;
ordinary video stays under 200 MB. A need for more means an attack or damage."""

SILENT_SECONDS = 60.0
"""Longest permitted silence. A working decoder reports twice a second; one that is silent for so
long hangs."""

_CHANGED = "was changed since it was added; enqueue it again"

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Content:
    """The expected content of a file."""

    sha256: str
    """SHA-256 of the whole content."""
    size_bytes: int
    """Size of the content."""
    stamp: str | None
    """Stamp that the file had when its content was verified; None where no proof is needed."""

    @classmethod
    def of(cls, described: VideoFile | Extraction) -> Self:
        """Return the expected content of an episode file."""
        return cls(described.sha256, described.size_bytes, described.file_stamp)


class Decoder:
    """A client of one decoder process, started on first use and restarted whenever it is lost.

    Not thread-safe, and must be closed by the thread that used it: the child dies with the thread
    that started it. The child ignores Ctrl-C; the parent decides.

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
        """Process id of the child; None while no child runs."""
        return self._child.pid

    def close(self) -> None:
        """Kill the child. Calling it twice is harmless; the next request starts another child."""
        self._child.close()

    def probe(self, path: Path, on_progress: Report | None = None) -> Probe:
        """Describe an episode file.

        Args:
            path: The file, under one of the media roots if there are any.
            on_progress: Takes the bytes and packets read so far, about twice a second. An exception
                that it raises ends the request and the child, and propagates.

        Returns:
            The description of the file.

        Raises:
            MediaRefused: The path may not be opened.
            VideoError: The file cannot be used as video.
            DecoderLost: The child died, hung or ran out of memory.
        """
        with open_media(path, self._media_roots) as file:
            return self._ask("probe", "", Probe.from_json, file, on_progress)

    def find_picture_area(self, probe: Probe, on_progress: Report | None = None) -> PictureArea:
        """Find the active part of an episode's picture; the whole frame if in doubt.

        Raises:
            VideoError: The file can no longer be opened, or was changed.
            DecoderLost: The child died, hung or ran out of memory.
        """
        with open_media(Path(probe.path), self._media_roots) as file:
            content = Content.of(probe)
            stamp = self._prove(content, file, on_progress)
            argument = probe.to_json()
            area = self._ask("find_picture_area", argument, _picture_area, file, on_progress)
            self._prove(replace(content, stamp=stamp), file, on_progress)
            return area

    def extract(self, request: Extraction, on_progress: Report | None = None) -> Extracted:
        """Extract a chunk's sampled frames into its frame store file.

        Args:
            request: The chunk.
            on_progress: Takes the number of frames decoded so far, about twice a second. An
                exception that it raises ends the request and the child, and propagates.

        Returns:
            A description of the stored and the missing frames.

        Raises:
            MediaRefused: The path may not be opened.
            VideoError: The file cannot be opened, or was changed.
            FrameStoreError: The frames cannot be written.
            DecoderLost: The child died, hung or ran out of memory.
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
                Path(request.store_path).unlink(missing_ok=True)  # frames of unknown content
                raise
            return replace(extracted, file_stamp=stamp or "")

    def cut_out(self, request: Cut, on_progress: Report | None = None) -> int:
        """Write a range of an episode to a separate clip.

        Returns:
            The number of frames in the clip.

        Raises:
            MediaRefused: The path may not be opened.
            VideoError: The file cannot be opened, or no frame of the range can be decoded.
            IngestError: The clip cannot be written.
            DecoderLost: The child died, hung or ran out of memory.
        """
        with open_media(Path(request.path), self._media_roots) as file:
            return self._ask("cut_out", request.to_json(), int, file, on_progress)

    def prove(self, path: Path, content: Content) -> None:
        """Verify that a file has the expected content.

        Raises:
            MediaRefused: The path may not be opened.
            VideoError: The file cannot be opened, or its content differs.
            DecoderLost: The child died, hung or ran out of memory.
        """
        with open_media(path, self._media_roots) as file:
            self._prove(content, file, None)

    def _prove(
        self, content: Content, file: MediaFile, on_progress: Report | None, done: int = 0
    ) -> str | None:
        """Verify the content of a file: by its stamp, or by hashing it again.

        Args:
            content: The expected content.
            file: The file.
            on_progress: Takes `done` now and then.
            done: Number of frames decoded before.

        Returns:
            A stamp that the file has with this content.

        Raises:
            VideoError: The content differs.
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
            raise  # the child answered, and is ready for the next request
        except BaseException:
            self.close()
            raise


def _extracted(request: Extraction, text: str) -> Extracted:
    """Parse an answer, which must describe exactly the requested chunk."""
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
