"""Compare rules for a label's thresholds on held-out shots.

    python -m bench.threshold_rules DATASET FOLDER [--seeds 3]

Composes rehearsal shots of a dataset's validation stills as a training does, chooses thresholds on
four fifths of them and measures on the fifth, five times for each seed. Prints a table in Markdown:
one row with the shared thresholds for all labels, and one with those that `choose_thresholds` gives
each label. No episode and no test still is used.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.validation import stills_and_forward
from model.dataset.stills import Stills
from model.evaluation.calibration import MAX_FALSE_SHARE, MAX_STRANGER_SHARE, rehearsed
from model.evaluation.scene_calibration import rehearse_network
from model.inference.confidence import Thresholds, choose_thresholds, micro_f1, on_screen
from model.inference.forward import ForwardPass
from model.inference.sight import PlaceSight, Sight, sight_of
from model.rehearsal.shots import SHOT_FRAMES
from model.version.artifact import ModelVersion, read_model_version

FOLDS = 5


def main() -> None:
    arguments = _arguments()
    version = read_model_version(arguments.model)
    sight = sight_of(version.manifest, version.manifest.labels)
    validation, forward = stills_and_forward(version, arguments.dataset, sight)
    found: dict[str, list[tuple[float, ...]]] = {}
    for seed in range(arguments.seeds):
        seen, truth = (
            each.reshape(-1, SHOT_FRAMES, each.shape[1])
            for each in _rehearsed(version, sight, forward, validation, seed)
        )
        fold = np.random.default_rng(seed).permutation(len(seen)) % FOLDS
        for held_out in range(FOLDS):
            chosen_on, counted_on = fold != held_out, fold == held_out
            general, own = choose_thresholds(
                _frames(seen[chosen_on]),
                _frames(truth[chosen_on]),
                max_stranger_share=MAX_STRANGER_SHARE,
                max_false_share=MAX_FALSE_SHARE,
                shot_frames=SHOT_FRAMES,
            )
            for name, pairs in (("of all labels", [general] * len(own)), ("own", own)):
                figures = _count(_frames(seen[counted_on]), _frames(truth[counted_on]), pairs)
                found.setdefault(name, []).append(figures)
    print("| thresholds | micro-F1 | false of those said | false where nobody known is |")
    print("|---|---:|---:|---:|")
    for name, rows in found.items():
        print(f"| {name} | " + " | ".join(f"{mean:.4f}" for mean in np.mean(rows, axis=0)) + " |")


def _rehearsed(
    version: ModelVersion, sight: Sight, forward: ForwardPass, validation: Stills, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return a version's confidences for rehearsal frames, and the truth, (frames, labels) each."""
    temperature = version.manifest.temperature
    if isinstance(sight, PlaceSight):
        shown = rehearse_network(forward, sight.rule, validation, seed, _quietly)
        confidences = sight.confidences(shown.logits, temperature)
        return np.where(shown.unheard, 0.0, confidences), shown.truth
    return rehearsed(forward, version.manifest.views, temperature, validation, seed, _quietly)


def _frames(shots: NDArray[Any]) -> NDArray[Any]:
    return shots.reshape(-1, shots.shape[-1])


def _count(
    seen: NDArray[np.float64], truth: NDArray[np.bool_], pairs: list[Thresholds]
) -> tuple[float, float, float]:
    said = np.stack([on_screen(seen, pair)[:, label] for label, pair in enumerate(pairs)], axis=1)
    false = said & ~truth
    of_nobody = false[~truth.any(axis=1)].any(axis=1)
    return micro_f1(said, truth), float(false.sum() / said.sum()), float(of_nobody.mean())


def _quietly(_step: str, _done: int, _total: int) -> None:
    """Report no progress."""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("dataset", type=Path, help="folder of a built dataset")
    parser.add_argument("model", type=Path, help="folder of a model version trained on it")
    parser.add_argument("--seeds", type=int, default=3, help="rehearsals")
    return parser.parse_args()


if __name__ == "__main__":
    main()
