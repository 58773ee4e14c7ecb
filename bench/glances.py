"""What a first look at small pictures spares, and whether it costs anything.

    python -m bench.glances MODEL DATASET [--seed 0]

Chooses thresholds on rehearsed shots of the dataset's validation stills as training does, each time
with another first look (a glance of `model.looks`), and prints a table in Markdown: how right a
model version is then, and how many pixels its network saw.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.validation import stills_and_forward
from model.artifact import find_model
from model.calibrating import calibrate
from model.forward import ForwardPass
from model.looks import Looks
from model.preprocess import preprocessing_named
from model.sight import RegionSight

GLANCES = ((0, 0.0), (64, 0.9), (64, 0.95), (64, 0.98), (64, 0.99))
"""The side in pixels, and the confidence that is enough."""


class Counting(ForwardPass):
    """Another forward pass, whose pixels are counted."""

    def __init__(self, forward: ForwardPass, outputs: int) -> None:
        super().__init__((outputs,), forward.batch_size)
        self._forward = forward
        self.pixels = 0

    def _logits_of_batch(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.pixels += pictures[..., 0].size
        return self._forward.logits(pictures)


def main() -> None:
    arguments = _arguments()
    version = find_model(arguments.model)
    manifest = version.manifest
    if manifest.is_dense:
        sys.exit(f"{manifest.reference} looks at whole frames once; give a model for regions")
    preprocessing = preprocessing_named(manifest.preprocessing)
    side = preprocessing.side
    once = RegionSight(
        manifest.labels, manifest.regions, preprocessing, Looks(manifest.closer_view)
    )
    validation, forward = stills_and_forward(version, arguments.dataset, once)
    print(f"| {manifest.reference} looks first | micro-F1 | onset, offset | pixels seen |")
    print("|---|---:|---:|---:|")
    without = 0
    for glance, clear in GLANCES:
        if glance >= side:
            continue
        counting = Counting(forward, len(manifest.labels))
        looks = Looks(manifest.closer_view, glance, clear)
        found = calibrate(counting, looks, validation, arguments.seed, lambda *_: None)
        without = without or counting.pixels
        thresholds = f"{found.thresholds.onset:.2f}, {found.thresholds.offset:.2f}"
        name = f"at {glance} px, {clear:g} is enough" if glance else f"at {side} px"
        share = counting.pixels / without
        print(f"| {name} | {found.micro_f1:.4f} | {thresholds} | {share:.0%} |", flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", help="NAME, NAME@VERSION or a folder")
    parser.add_argument("dataset", type=Path, help="on which it was trained")
    parser.add_argument("--seed", type=int, default=0, help="of the shots")
    return parser.parse_args()


if __name__ == "__main__":
    main()
