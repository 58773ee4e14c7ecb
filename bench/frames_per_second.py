"""Compare how many frames of an episode several model versions classify per second.

    python -m bench.frames_per_second [MODEL...] [--episode EPISODE]

MODEL is a folder, NAME or NAME@VERSION; the bundled one by default. `model.inference.classifier`
processes the sampled frames like a worker, on the CPU, including preprocessing and without
decoding. The versions take turns, and the fastest of several rounds counts, because other load only
makes a round slower. Prints a table in Markdown, with each version's slowdown relative to the
first.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.episode_frames import store_frames, version_named
from ingest.decoder.parent import Decoder
from model.inference.classifier import Classifier
from model.inference.device import Device

ROUNDS = 6


def main() -> None:
    """Print a row for each model version."""
    arguments = _arguments()
    classifiers = [
        Classifier.load(version_named(name), device=Device.CPU)
        for name in arguments.models or [None]
    ]
    with tempfile.TemporaryDirectory() as folder, Decoder() as decoder:
        stored = store_frames(arguments.episode, decoder, Path(folder))
        frames = [frame.picture for frame in stored.frames()]
    rounds = [[_seconds(classifier, frames) for classifier in classifiers] for _ in range(ROUNDS)]
    rates = len(frames) / np.min(rounds, axis=0)
    print(f"| {len(frames)} frames of {arguments.episode.name} | frames/s | times slower |")
    print("|---|---:|---:|")
    for classifier, rate in zip(classifiers, rates, strict=True):
        name = classifier.version.manifest.reference
        print(f"| {name} | {rate:.0f} | {rates[0] / rate:.2f} |")


def _seconds(classifier: Classifier, frames: list[NDArray[np.uint8]]) -> float:
    began = time.perf_counter()
    for start in range(0, len(frames), classifier.frames_per_batch):
        classifier.classify(frames[start : start + classifier.frames_per_batch])
    return time.perf_counter() - began


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("models", nargs="*", metavar="MODEL", help="model versions to compare")
    parser.add_argument(
        "--episode",
        type=Path,
        default=Path("../shared/video/real_footage_71_clips.mp4"),
        help="episode of the frames",
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
