"""An episode's stored frames as the samples that are compared, and ranges of them in pts."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt

from exact.ranges import PtsRange, holds, union
from ingest.cuts import joined_cuts
from ingest.descriptors import describe_pictures
from ingest.sampling import SampleGrid, on_display
from ingest.storage.frame_store import read_thumbnails
from ingest.storage.store_manifest import StoreManifest
from timeline.repeats.matching import SAMPLE_SECONDS, SampleRange, Samples


@dataclass(frozen=True)
class SampleTimes:
    """The times of an episode's samples."""

    grid: SampleGrid
    end_pts: int
    """End of the episode."""
    cuts: tuple[int, ...]
    """The pts of the first frames of shots, ascending."""

    def range_of(self, samples: SampleRange) -> PtsRange:
        """Return the half-open pts range of samples, from cut to cut where there are cuts."""
        start, end = (self._border(number) for number in samples)
        return start, min(end, self.end_pts)

    def _border(self, number: int) -> int:
        """Return the cut nearest to the middle between two samples, or the time of the second.

        The first sample of a stretch may show the frame before it, so a cut may lie half a sample
        outside the two.
        """
        time = self.grid.time_of(number)
        middle = time - self.grid.step_pts / 2
        place = bisect_left(self.cuts, middle)
        near = [
            cut
            for cut in self.cuts[max(place - 1, 0) : place + 1]
            if abs(cut - middle) <= self.grid.step_pts
        ]
        return min(near, key=lambda cut: abs(cut - middle), default=time)


def read_samples(
    files: Sequence[Path], start_pts: int, end_pts: int, time_base: Fraction
) -> tuple[Samples, SampleTimes]:
    """Read the frame store files of an episode's chunks, in order of time; some may be missing.

    Frames that were sampled at another interval are read as if on display until the next.

    Raises:
        FrameStoreError: A file is missing or damaged.
    """
    read = [read_thumbnails(path) for path in files]
    described = describe_pictures([picture for _, pictures in read for picture in pictures])
    manifests = [manifest for manifest, _ in read]
    grid = SampleGrid(start_pts, SAMPLE_SECONDS, time_base)
    times = [grid.time_of(k) for k in grid.samples_in(start_pts, end_pts)]
    shown = _shown_frames(times, manifests)
    is_known = shown >= 0
    vectors = np.zeros((len(times), described.vectors.shape[1]), np.float32)
    vectors[is_known] = described.vectors[shown[is_known]]
    cuts = joined_cuts(manifest.cuts for manifest in manifests if manifest.cuts is not None)
    return Samples(vectors, is_known), SampleTimes(grid, end_pts, cuts)


def _shown_frames(
    times: Sequence[int], manifests: Sequence[StoreManifest]
) -> npt.NDArray[np.int64]:
    """Return the number of the stored frame on display at each time, -1 where none is stored."""
    frame_pts = [pts for manifest in manifests for pts in manifest.pts]
    numbers: dict[int | None, int] = {pts: number for number, pts in enumerate(frame_pts)}
    stored = union((manifest.start_pts, manifest.end_pts) for manifest in manifests)
    shown = on_display(times, frame_pts)
    found = [numbers.get(shown[time], -1) if holds(stored, time) else -1 for time in times]
    return np.array(found, np.int64)
