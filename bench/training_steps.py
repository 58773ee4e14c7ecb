"""How many stills a second the strong recipe learns, with and without bfloat16 and Muon.

    python -m bench.training_steps [--side 96]

Steps on random pictures, so that nothing but the network and its optimiser is measured; each way in
a process of its own, for what TensorFlow has compiled stays. Prints a table in Markdown.
"""

import argparse
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np

from model.networks import build_network
from model.recipe import STRONG, Recipe
from model.tensorflow_runtime import bfloat16_arithmetic, load_tensorflow
from model.training import compile_network

LABELS = tuple(map(str, range(18)))
WARM_UP_STEPS, STEPS = 4, 20


def main() -> None:
    arguments = _arguments()
    if arguments.optimizer:
        recipe = replace(STRONG, optimizer=arguments.optimizer, bfloat16=arguments.bfloat16)
        print(stills_per_second(recipe, arguments.side))
        return
    print(f"| optimiser | arithmetic | stills/s at {arguments.side} px | ratio |")
    print("|---|---|---:|---:|")
    first = 0.0
    for optimizer in ("adamw", "muon"):
        for bfloat16 in (False, True):
            rate = _in_a_process(optimizer, bfloat16, arguments.side)
            first = first or rate
            name = "bfloat16" if bfloat16 else "32 bits"
            print(f"| {optimizer} | {name} | {rate:.0f} | {rate / first:.2f} |", flush=True)


def stills_per_second(recipe: Recipe, side: int) -> float:
    """Return how many stills of this side in pixels are learnt per second."""
    load_tensorflow()
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (recipe.batch_size, side, side, 3), np.uint8)
    targets = np.eye(len(LABELS), dtype=np.float32)[rng.integers(len(LABELS), size=len(pictures))]
    with bfloat16_arithmetic(recipe.bfloat16):
        network = build_network(recipe.network, recipe.network_parameters, LABELS, side)
        compile_network(network, recipe, STEPS)
        for _ in range(WARM_UP_STEPS):
            network.train_on_batch(pictures, targets)
        started = time.perf_counter()
        for _ in range(STEPS):
            network.train_on_batch(pictures, targets)
        return STEPS * len(pictures) / (time.perf_counter() - started)


def _in_a_process(optimizer: str, bfloat16: bool, side: int) -> float:
    command = [sys.executable, "-m", "bench.training_steps", "--optimizer", optimizer]
    command += ["--side", str(side), *(["--bfloat16"] if bfloat16 else [])]
    ended = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return float(ended.stdout)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--side", type=int, default=96, help="of the pictures, in pixels")
    parser.add_argument("--optimizer", help="measure this one alone, and print its rate")
    parser.add_argument("--bfloat16", action="store_true", help="with --optimizer")
    return parser.parse_args()


if __name__ == "__main__":
    main()
