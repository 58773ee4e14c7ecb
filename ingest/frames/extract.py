"""Extract a chunk's sampled frames and store them. Runs in the decoder process.

The packets of the chunk announce which frames will be on display at the sample times, so that only
those are turned into pictures, and frames that no other frame needs are not even decoded. Where
packets and frames turn out to differ (fields in separate packets, packets without presentation
timestamps), everything is decoded and the frames' own times decide.

Cuts are found among all decoded frames. A cut is the first decoded frame of a new shot. Encoders
usually start a GOP at a new shot, so this is mostly the very first frame of the shot; otherwise it
is the next decoded one, one or two skipped frames later.
"""

from bisect import bisect_left
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from exact.ranges import clip, holds
from ingest.frames.decoding import ChunkPlan, decode_all, decode_wanted, plan_chunk
from ingest.frames.extract_request import Extracted, Extraction
from ingest.frames.packets import RUN_UP_SECONDS, ChunkSource, run_up_for
from ingest.frames.picture import PictureShape, stored_picture
from ingest.frames.signatures import CutFinder
from ingest.media.file import MediaFile
from ingest.progress import Pulse, Report
from ingest.sampling import on_display
from ingest.storage.frame_store import StoredFrame, write_frames

if TYPE_CHECKING:
    from av.video.frame import VideoFrame


class _PlanBroken(Exception):  # noqa: N818 - a turn in the road, not an error
    """A frame that the packets announced was not decoded, and no damage explains it."""


@dataclass
class _Tally:
    """Counts of decoded frames and errors, for the answer."""

    stored: list[int] = field(default_factory=list)
    decoded: int = 0
    errors: int = 0


def extract_chunk(
    request: Extraction, file: MediaFile, on_progress: Report | None = None
) -> Extracted:
    """Decode a chunk and write its frame store file.

    Args:
        request: The chunk.
        file: The open episode file.
        on_progress: Takes the number of frames decoded so far, every half second.

    Returns:
        A description of the stored and the missing frames.

    Raises:
        VideoError: The file cannot be opened.
        FrameStoreError: The frames cannot be written.
    """
    source = ChunkSource(
        file=file,
        time_base=request.time_base,
        episode_start_pts=request.episode_start_pts,
        start_pts=request.start_pts,
        end_pts=request.end_pts,
        lag_pts=request.lag_pts,
        run_up_seconds=run_up_for(request.lag_pts),
    )
    pulse = Pulse(on_progress)
    plan = plan_chunk(source, pulse)
    if plan.is_complete:
        # With a run-up, pictures of a gradual refresh are output too, and the same ones are skipped
        # as in the middle of a chunk.
        for run_up_seconds in (source.run_up_seconds, RUN_UP_SECONDS):
            source = replace(source, run_up_seconds=run_up_seconds)
            with suppress(_PlanBroken):
                return _Chunk(request, source, pulse).as_planned(plan)
    return _Chunk(request, source, pulse).as_decoded()


class _Chunk:
    """One attempt at a chunk."""

    def __init__(self, request: Extraction, source: ChunkSource, pulse: Pulse) -> None:
        self._request = request
        self._source = source
        self._pulse = pulse
        self._tally = _Tally()
        self._shape = PictureShape.of(
            request.picture_area,
            request.width,
            request.height,
            request.rotation,
            request.sample_aspect_ratio,
        )
        self._finder = CutFinder(self._shape)
        grid = request.grid
        self._samples = {
            k: grid.time_of(k)
            for k in grid.samples_in(request.start_pts, request.end_pts)
            if not holds(request.missing, grid.time_of(k))
        }

    def as_planned(self, plan: ChunkPlan) -> Extracted:
        """Decode the frames that the packets announce.

        Raises:
            _PlanBroken: The decoded frames differ from the announced ones.
        """
        shown = on_display(self._samples.values(), plan.frame_pts)
        wanted = frozenset(pts for pts in shown.values() if pts is not None)
        self._write(self._planned_frames(plan, wanted))
        return self._answer(shown)

    def as_decoded(self) -> Extracted:
        """Decode everything; the decoded frames determine which ones are on display."""
        shown: dict[int, int | None] = dict.fromkeys(self._samples.values())
        self._write(self._frames_on_display(shown))
        return self._answer(shown)

    def _write(self, frames: Iterator[StoredFrame]) -> None:
        request = self._request
        path = Path(request.store_path)
        write_frames(path, frames, request.store_manifest, self._finder.cuts)

    def _planned_frames(self, plan: ChunkPlan, wanted: frozenset[int]) -> Iterator[StoredFrame]:
        due = sorted(wanted, reverse=True)
        for pts, frame in self._decoded(plan, wanted):
            while due and due[-1] < pts:
                due.pop()
                if not self._tally.errors:
                    raise _PlanBroken
            if due and due[-1] == pts:
                due.pop()
                yield self._stored(pts, frame)
        if due and not self._tally.errors:
            raise _PlanBroken

    def _frames_on_display(self, shown: dict[int, int | None]) -> Iterator[StoredFrame]:
        """Keep one frame back: it is on display until the next one comes."""
        times = sorted(shown)
        before: tuple[int, VideoFrame] | None = None
        for pts, frame in self._decoded(None, frozenset()):
            if before is not None and self._claim(before[0], pts, times, shown):
                yield self._stored(*before)
            before = (pts, frame)
        if before is not None and self._claim(before[0], self._source.end_pts, times, shown):
            yield self._stored(*before)

    def _claim(
        self, pts: int, until_pts: int, times: list[int], shown: dict[int, int | None]
    ) -> bool:
        claimed = times[bisect_left(times, pts) : bisect_left(times, until_pts)]
        shown.update(dict.fromkeys(claimed, pts))
        return bool(claimed)

    def _decoded(
        self, plan: ChunkPlan | None, wanted: frozenset[int]
    ) -> Iterator[tuple[int, "VideoFrame"]]:
        """Yield sound frames of this chunk, in ascending order; errors are counted."""
        last_pts: int | None = None
        source = self._source
        steps = decode_all(source) if plan is None else decode_wanted(source, plan, wanted)
        for step in steps:
            self._tally.decoded += step.frame is not None
            self._pulse.beat(self._tally.decoded)
            frame = step.sound_frame
            if step.pts is None or source.holds(step.pts):
                self._tally.errors += frame is None
            if step.pts is None or frame is None or not source.holds(step.pts):
                continue
            if last_pts is None or step.pts > last_pts:
                last_pts = step.pts
                self._finder.add(step.pts, frame)
                yield step.pts, frame

    def _stored(self, pts: int, frame: "VideoFrame") -> StoredFrame:
        self._tally.stored.append(pts)
        return StoredFrame(pts, stored_picture(frame, self._shape))

    def _answer(self, shown: dict[int, int | None]) -> Extracted:
        """Determine which samples have no frame."""
        request, grid = self._request, self._request.grid
        stored = set(self._tally.stored)
        lost = [
            (grid.time_of(k), grid.time_of(k + 1))
            for k, time in self._samples.items()
            if shown[time] not in stored
        ]
        missing = clip([*request.missing, *lost], request.start_pts, request.end_pts)
        return Extracted(
            sampled_pts=tuple(self._tally.stored),
            frames_decoded=self._tally.decoded,
            decode_errors=self._tally.errors,
            missing=missing,
            cuts=self._finder.cuts(),
        )
