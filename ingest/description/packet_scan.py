"""Read times, keyframes, frame rate and gaps from the packets of a stream, without decoding."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from statistics import median_low
from typing import TYPE_CHECKING, Any

from exact.ranges import PtsRange

if TYPE_CHECKING:
    from av.packet import Packet

OFF_RATE_SHARE = Fraction(1, 100)
"""The frame rate is variable if more than one frame interval in a hundred differs from the usual
one: a cut or a gap in a stream of constant rate changes a few intervals, a variable rate changes
many."""

EDGE_STEPS = 3
"""Number of odd intervals around a single loss: the loss itself, and frames lost on either side."""

GAP_SECONDS = 1
"""A pause between frames longer than this is a loss, unless the file itself declares it."""


JUMP_SECONDS = 600
"""A pause longer than this is not a pause but damaged times: no series holds a picture so long."""

CLOCK_PTS = 1 << 33
"""Wrap-around of the 90 kHz clock of a transport stream (33 bits: ISO/IEC 13818-1, 2.4.3.7). The
demuxer assumes a wrap-around where the clock goes back by a minute or more."""

RESTART_PTS = 90_000
"""A clock that goes back by this much, a second, was restarted: packets out of order differ by
less."""

RESTART_PACKETS = 5
"""Number of consecutive packets on either side that must agree with their clock: damage affects
single packets."""


@dataclass(frozen=True)
class ScannedPacket:
    """One video packet: times and duration in pts units, each None where the file has none."""

    pts: int | None
    dts: int | None
    duration: int | None
    is_key: bool
    is_discard: bool

    @classmethod
    def of(cls, packet: "Packet[Any]") -> "ScannedPacket":
        """Keep the metadata of a demuxed packet, without its content."""
        return cls(packet.pts, packet.dts, packet.duration, packet.is_keyframe, packet.is_discard)


@dataclass(frozen=True)
class FrameTimes:
    """The displayed frames of a stream, ascending."""

    pts: tuple[int, ...]
    """The pts of the frames, from packets that are shown, not merely decoded."""
    key_pts: tuple[int, ...]
    """The pts of the frames at which decoding can start."""
    step_pts: int
    """The usual interval between frames."""
    end_pts: int
    """When the last frame ends."""
    rate_varies: bool
    """Whether the intervals differ by more than rounding."""
    longest_pts: int
    """The longest duration that any packet declares."""

    def gaps(self, time_base: Fraction) -> tuple[PtsRange, ...]:
        """Return half-open ranges without a frame that are longer than a second and not declared.

        A stream of variable rate may pause at will, and so may a stream whose packets declare such
        long durations: there a still picture stays on display.
        """
        longest = Fraction(GAP_SECONDS) / time_base
        if self.rate_varies or self.longest_pts > longest:
            return ()
        return tuple(
            (before + self.step_pts, after)
            for before, after in pairwise(self.pts)
            if after - before - self.step_pts > longest
        )


def frame_times(
    packets: Iterable[ScannedPacket],
    start_pts: int | None,
    rate: Fraction | None,
    time_base: Fraction,
) -> FrameTimes | None:
    """Order the packets by presentation timestamp.

    Args:
        packets: All packets of the stream that carry a pts.
        start_pts: The first displayed frame, where known; earlier ones are never shown.
        rate: Frames per second as the container states it, for a stream of one frame.
        time_base: Seconds per pts unit.

    Returns:
        The times, or None where no packet is displayed.
    """
    shown = {
        packet.pts: packet
        for packet in packets
        if packet.pts is not None
        and not packet.is_discard
        and (start_pts is None or packet.pts >= start_pts)
    }
    if not shown:
        return None
    pts = _longest_run(sorted(shown), int(JUMP_SECONDS / time_base))
    step = _usual_step(pts, shown[pts[-1]], rate, time_base)
    last_pts = shown[pts[-1]].duration or step
    return FrameTimes(
        pts=pts,
        key_pts=tuple(time for time in pts if shown[time].is_key),
        step_pts=step,
        end_pts=pts[-1] + (last_pts if last_pts * time_base < JUMP_SECONDS else step),
        rate_varies=_varies(pts, step),
        longest_pts=max(shown[time].duration or 0 for time in pts),
    )


def clock_restart(packets: Iterable[ScannedPacket]) -> int | None:
    """Find where the clock of a transport stream restarts, as where two recordings were joined.

    From there on times repeat earlier ones, or lie a whole round of the clock later.

    Args:
        packets: All packets of the stream, in file order.

    Returns:
        The decoding time of the last packet before the restart, or None where there is none.
    """
    dts = [packet.dts for packet in packets if packet.dts is not None]
    for n in range(RESTART_PACKETS, len(dts) - RESTART_PACKETS + 1):
        before, after = dts[n - RESTART_PACKETS : n], dts[n : n + RESTART_PACKETS]
        steps_back = ((a - b) % CLOCK_PTS for a, b in zip(before, after, strict=True))
        if all(RESTART_PTS < step < CLOCK_PTS // 2 for step in steps_back):
            return before[-1]
    return None


def _longest_run(pts: list[int], jump_pts: int) -> tuple[int, ...]:
    """Return the longest sequence of frames without a jump; the times of the others are damaged."""
    breaks = [n for n in range(1, len(pts)) if pts[n] - pts[n - 1] > jump_pts]
    starts, ends = [0, *breaks], [*breaks, len(pts)]
    start, end = max(zip(starts, ends, strict=True), key=lambda run: run[1] - run[0])
    return tuple(pts[start:end])


def _usual_step(
    pts: Sequence[int], last: ScannedPacket, rate: Fraction | None, time_base: Fraction
) -> int:
    if len(pts) > 1:
        return median_low(after - before for before, after in pairwise(pts))
    stated = [last.duration or 0, round(1 / (rate * time_base)) if rate else 0]
    # The limit for pauses also applies to the only frame: stated durations may be damaged.
    return next((step for step in stated if 0 < step * time_base < JUMP_SECONDS), 1)


def _varies(pts: Sequence[int], step: int) -> bool:
    # Times are rounded to the time base, so two equal intervals may differ by one unit on either
    # side.
    off = sum(abs(after - before - step) > 1 for before, after in pairwise(pts))
    return off > OFF_RATE_SHARE * len(pts) + EDGE_STEPS


def measured_rate(times: FrameTimes, stated: Fraction | None, time_base: Fraction) -> Fraction:
    """Return the frame rate: as stated where the frames confirm it, otherwise as measured.

    Args:
        times: The times of the displayed frames.
        stated: The rate that the container states, if any.
        time_base: Seconds per pts unit.

    Returns:
        Frames per second.
    """
    if not times.rate_varies:
        usual = 1 / (times.step_pts * time_base)
        # An interval is rounded to one unit of the time base, so a stated rate within that is
        # confirmed.
        if stated and abs(1 / (stated * time_base) - times.step_pts) <= 1:
            return stated
        return usual
    seconds = (times.end_pts - times.pts[0]) * time_base
    return (len(times.pts) / seconds).limit_denominator(1_001_000) if seconds else Fraction(1)
