"""Show the most instructive mistakes in footage as a sheet of pictures."""

import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from fractions import Fraction
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.episode_frames import store_frames
from bench.footage.samples import GRID_SECONDS, Sample
from ingest.decoder.parent import Decoder
from model.dataset.contact_sheet import captioned_sheet
from timeline.files import whole_file
from timeline.times import format_time

SHOWN: Final = 36
"""Six rows of six: half of them for false positives, half for false negatives."""

PICTURE_SIDE: Final = 256  # px: the largest stored frames, which are shown unscaled


def worst_samples(samples: Sequence[Sample], count: int = SHOWN) -> list[Sample]:
    """Return the most confident false positives, then the clearest false negatives.

    Each clip is shown once in either half, by its worst sample; among equals, longer mistakes come
    first. A mistake only because a border lies between the sample and the last classified frame is
    not shown, since the classifier was right.
    """
    made_up = _worst_of_clips(samples, _made_up, lambda each: -_surest(each, _made_up(each)))
    missed = _worst_of_clips(samples, _missed, lambda each: _faintest(each, _missed(each)))
    missed = [each for each in missed if each not in made_up[: count // 2]]
    few = max(count // 2, count - len(missed))
    return made_up[:few] + missed[: count - min(few, len(made_up))]


def write_sheet(path: Path, samples: Sequence[Sample]) -> None:
    """Write a PNG file: the frame of each sample, with its false positives and false negatives.

    Raises:
        IngestError: An episode cannot be read.
    """
    moments: dict[Path, set[Fraction]] = defaultdict(set)
    for each in samples:
        moments[each.episode].add(each.seconds)
    pictures = {
        (episode, moment): picture
        for episode, wanted in moments.items()
        for moment, picture in _pictures_at(episode, sorted(wanted))
    }
    cells = [(pictures[each.episode, each.seconds], _caption(each)) for each in samples]
    with whole_file(path) as temporary:
        temporary.write_bytes(captioned_sheet(cells, "No mistakes were made.", PICTURE_SIDE))


def _worst_of_clips(
    samples: Sequence[Sample],
    mistakes: Callable[[Sample], AbstractSet[str]],
    rank: Callable[[Sample], float],
) -> list[Sample]:
    """Return the sample of each clip that ranks lowest, in the order of their ranks."""
    clips: dict[tuple[Path, str], list[Sample]] = defaultdict(list)
    for each in samples:
        if mistakes(each):
            clips[each.episode, each.clip].append(each)
    worst = [
        (min(some, key=lambda each: (rank(each), -len(mistakes(each)))), len(some))
        for some in clips.values()
    ]
    worst.sort(key=lambda pair: (rank(pair[0]), -pair[1]))
    return [sample for sample, _ in worst]


def _made_up(sample: Sample) -> AbstractSet[str]:
    return sample.made_up - sample.border_made_up


def _missed(sample: Sample) -> AbstractSet[str]:
    return sample.missed - sample.border_missed


def _surest(sample: Sample, labels: AbstractSet[str]) -> float:
    return max(sample.confidence(label) for label in labels)


def _faintest(sample: Sample, labels: AbstractSet[str]) -> float:
    return min(sample.confidence(label) for label in labels)


def _pictures_at(
    episode: Path, moments: Sequence[Fraction]
) -> Iterator[tuple[Fraction, NDArray[np.uint8]]]:
    """Yield the frame on display at each of these moments of the grid, in ascending order."""
    waiting = list(moments)
    with tempfile.TemporaryDirectory(prefix="castline-bench-") as folder, Decoder() as decoder:
        # The moments are odd multiples of half the grid, so that each is sampled.
        stored = store_frames(episode, decoder, Path(folder), GRID_SECONDS / 2)
        last = None
        for frame in stored.frames():
            seconds = stored.probe.seconds_at(frame.pts)
            while last is not None and waiting and seconds > waiting[0]:
                yield waiting.pop(0), last
            last = frame.picture
        if last is not None:
            yield from ((moment, last) for moment in waiting)


def _caption(sample: Sample) -> list[str]:
    kinds = {
        "made up": sample.made_up,
        "missed": sample.missed,
        "right": sample.true & sample.found,
    }
    place = f"clip {sample.clip}" if sample.clip else sample.episode.stem
    return [
        f"{place}, {format_time(sample.seconds)}",
        *(
            f"{kind}: {label} {sample.confidence(label):.2f}"
            for kind, labels in kinds.items()
            for label in sorted(labels)
        ),
    ]
