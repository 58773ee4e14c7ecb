"""Measure training speed in stills per second, with and without bfloat16 and Muon.

    python -m bench.training_steps [--recipe regional] [--side 96]

Steps use random pictures, so that only the network and its optimiser are measured; each combination
runs in a process of its own, because TensorFlow keeps compiled code. Prints a table in Markdown.
The pictures of recipe `strong`, scenes with a figure each, have the one shape that its network
accepts.
"""

import argparse
import subprocess
import sys
import time
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.dataset.stills import Stills
from model.inference.tensorflow_runtime import bfloat16_arithmetic, load_tensorflow
from model.networks.named import build_network
from model.pictures.preprocess import shape_seen
from model.recipe import RECIPES, Recipe
from model.scenes.place_targets import batch_of
from model.scenes.seen import Scene, Seen
from model.scenes.whereabouts import SURE
from model.training.loop import lesson_of

LABELS = tuple(map(str, range(18)))
WARM_UP_STEPS, STEPS = 4, 20


def main() -> None:
    arguments = _arguments()
    recipe = RECIPES[arguments.recipe]
    side = 0 if recipe.is_dense else arguments.side
    if arguments.optimizer:
        recipe = replace(recipe, optimizer=arguments.optimizer, bfloat16=arguments.bfloat16)
        print(stills_per_second(recipe, side))
        return
    pictures = f"{side} px" if side else recipe.preprocessing.removeprefix("fit")
    print(f"| optimiser | arithmetic | stills/s at {pictures} | ratio |")
    print("|---|---|---:|---:|")
    first = 0.0
    for optimizer in ("adamw", "muon"):
        for bfloat16 in (False, True):
            rate = _in_a_process(arguments.recipe, optimizer, bfloat16, arguments.side)
            first = first or rate
            name = "bfloat16" if bfloat16 else "32 bits"
            print(f"| {optimizer} | {name} | {rate:.0f} | {rate / first:.2f} |", flush=True)


def stills_per_second(recipe: Recipe, side: int = 0) -> float:
    """Return the number of training stills per second.

    Args:
        recipe: The recipe.
        side: Side of the stills in pixels; 0 for the input shape of the recipe's network.
    """
    load_tensorflow()
    shape = (side, side) if side else shape_seen(recipe.preprocessing)
    pictures, targets = _batch(recipe, shape)
    with bfloat16_arithmetic(recipe.bfloat16):
        network = build_network(recipe.network, recipe.network_parameters, LABELS, shape)
        lesson = lesson_of(network, recipe, (), Stills.from_pictures(LABELS, ()), STEPS)
        for _ in range(WARM_UP_STEPS):
            lesson.learn(pictures, targets)
        started = time.perf_counter()
        for _ in range(STEPS):
            lesson.learn(pictures, targets)
        return STEPS * len(pictures) / (time.perf_counter() - started)


def _batch(recipe: Recipe, shape: tuple[int, int]) -> tuple[NDArray[np.uint8], Any]:
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (recipe.batch_size, *shape, 3), np.uint8)
    shown = rng.integers(len(LABELS), size=len(pictures))
    if not recipe.is_dense:
        return pictures, np.eye(len(LABELS), dtype=np.float32)[shown]
    height, width = shape
    middle = (width / 4, height / 4, 3 * width / 4, 3 * height / 4)
    everywhere = np.full(len(LABELS), SURE, np.float32)
    return batch_of(
        [
            Scene(picture, everywhere, [Seen(int(label), *middle, SURE)])
            for picture, label in zip(pictures, shown, strict=True)
        ]
    )


def _in_a_process(recipe: str, optimizer: str, bfloat16: bool, side: int) -> float:
    command = [sys.executable, "-m", "bench.training_steps", "--optimizer", optimizer]
    command += ["--recipe", recipe, "--side", str(side), *(["--bfloat16"] if bfloat16 else [])]
    ended = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return float(ended.stdout)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--recipe", choices=RECIPES, default="regional", help="recipe to measure")
    parser.add_argument("--side", type=int, default=96, help="side of the pictures in pixels")
    parser.add_argument("--optimizer", help="measure only this one, and print its rate")
    parser.add_argument("--bfloat16", action="store_true", help="with --optimizer")
    return parser.parse_args()


if __name__ == "__main__":
    main()
