"""An episode's stored frames as the samples that are compared, and ranges of them in pts."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from exact.ranges import PtsRange, holds, union
from ingest.cuts import joined_cuts
from ingest.descriptors import describe_pictures
from ingest.sampling import SampleGrid, on_display
from ingest.storage.frame_store import read_thumbnails
from timeline.repeats.matching import SAMPLE_SECONDS, SampleRange, Samples


@dataclass(frozen=True, eq=False)
class SampledEpisode:
    """The samples of an episode, with their times."""

    samples: Samples
    grid: SampleGrid
    end_pts: int
    """End of the episode."""
    cuts: tuple[int, ...]
    """The pts of the first frames of shots, ascending."""

    @classmethod
    def of_files(
        cls, files: Sequence[Path], start_pts: int, end_pts: int, time_base: Fraction
    ) -> "SampledEpisode":
        """Read the files of an episode's chunks, in order of time; some may be missing.

        Raises:
            FrameStoreError: A file is damaged.
        """
        read = [read_thumbnails(path) for path in files]
        described = describe_pictures([picture for _, pictures in read for picture in pictures])
        frame_pts = [pts for manifest, _ in read for pts in manifest.pts]
        number_of = {pts: number for number, pts in enumerate(frame_pts)}
        grid = SampleGrid(start_pts, SAMPLE_SECONDS, time_base)
        times = [grid.time_of(k) for k in grid.samples_in(start_pts, end_pts)]
        shown = [number_of.get(pts, -1) for pts in _shown_pts(times, frame_pts)]
        covered = union((manifest.start_pts, manifest.end_pts) for manifest, _ in read)
        is_known = np.array([holds(covered, time) for time in times], np.bool_)
        is_known &= np.array(shown, np.int64) >= 0
        vectors = np.zeros((len(times), described.vectors.shape[1]), np.float32)
        vectors[is_known] = described.vectors[np.array(shown, np.int64)[is_known]]
        cuts = joined_cuts(manifest.cuts for manifest, _ in read if manifest.cuts is not None)
        return cls(Samples(vectors, is_known), grid, end_pts, cuts)

    def range_of(self, samples: SampleRange) -> PtsRange:
        """Return the half-open pts range of samples, from cut to cut where there are cuts."""
        start, end = (self._border(number) for number in samples)
        return start, min(end, self.end_pts)

    def _border(self, number: int) -> int:
        """Return the cut nearest to the middle between two samples, or the time of the second."""
        time = self.grid.time_of(number)
        middle = time - self.grid.step_pts / 2
        place = bisect_left(self.cuts, middle)
        near = [
            cut
            for cut in self.cuts[max(place - 1, 0) : place + 1]
            if abs(cut - middle) <= self.grid.step_pts
        ]
        return min(near, key=lambda cut: abs(cut - middle), default=time)


def _shown_pts(times: Sequence[int], frame_pts: Sequence[int]) -> list[int | None]:
    shown = on_display(times, frame_pts)
    return [shown[time] for time in times]
