"""Measure the pictures per second of a recipe's network by batch size, on Keras' backend.

    KERAS_BACKEND=jax python -m bench.device_batches [--recipe regional] [--largest 4096]

It is meant for a GPU and Keras on JAX or TensorFlow. Random pictures are copied to the device and
logits are copied back, as in a worker. The median of eight passes counts. Prints a table in
Markdown, and the batch size that a worker would choose by the same rule.
"""

import argparse
import statistics
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.inference.batch_size import largest_worthwhile
from model.networks.named import build_network
from model.pictures.preprocess import shape_seen
from model.recipe import RECIPES

SMALLEST, OUTPUTS = 16, 18
PASSES = 8


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--largest", type=int, default=4096, help="pictures in the largest batch")
    parser.add_argument(
        "--recipe", choices=RECIPES, default="regional", help="recipe of the network"
    )
    arguments = parser.parse_args()
    largest, recipe = max(SMALLEST, arguments.largest), RECIPES[arguments.recipe]
    import keras

    shape = shape_seen(recipe.preprocessing)
    labels = [str(number) for number in range(OUTPUTS)]
    network = build_network(recipe.network, recipe.network_parameters, labels, shape)
    network.compile(jit_compile="auto")
    devices = ", ".join(keras.distribution.list_devices())
    print(f"Keras {keras.__version__} on {keras.backend.backend()}, {devices}")
    print()
    print("| pictures per batch | pictures/s |")
    print("|---:|---:|")
    rates = {}
    size = SMALLEST
    while size <= largest:
        pictures = np.random.default_rng(0).integers(0, 256, (size, *shape, 3), np.uint8)
        rates[size] = size / _median_seconds(network, pictures)
        print(f"| {size} | {rates[size]:,.0f} |", flush=True)
        size *= 2
    chosen = largest_worthwhile(rates.__getitem__, SMALLEST, max(rates))
    print()
    print(f"A worker would choose {chosen}: doubled until that gains less than 5 %.")


def _median_seconds(network: Any, pictures: NDArray[np.uint8]) -> float:
    seconds = []
    for number in range(PASSES + 1):
        began = time.perf_counter()
        network.predict_on_batch(pictures)
        if number:  # the first one compiles
            seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


if __name__ == "__main__":
    main()
