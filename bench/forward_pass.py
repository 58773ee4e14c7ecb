"""Measure the pictures per second of the bundled network in TensorFlow and LiteRT.

    python -m bench.forward_pass [--batch-size 64]

Pictures are random; the fastest of several passes counts, because other load only makes a pass
slower. Prints a table in Markdown.
"""

import argparse
import time

import numpy as np

from model.inference.classifier import BATCH_SIZE
from model.inference.compiling import compile_network
from model.inference.cpu_forward import CpuForwardPass
from model.inference.forward import ForwardPass
from model.inference.gpu_forward import GpuForwardPass
from model.inference.tensorflow_runtime import CPU, load_tensorflow
from model.networks.named import network_of
from model.pictures.preprocess import shape_seen
from model.version.artifact import find_model

WARM_UP_PASSES, PASSES = 2, 12


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--batch-size", type=int, default=BATCH_SIZE, help="pictures per batch")
    size = parser.parse_args().batch_size
    version = find_model(None)
    shape = shape_seen(version.manifest.preprocessing)
    load_tensorflow()
    network = network_of(version)
    ways: dict[str, ForwardPass] = {
        "TensorFlow, 32 bits": GpuForwardPass(network, [shape], size, CPU),
        "LiteRT, 32 bits": CpuForwardPass(compile_network(network, int8=False), size),
        "LiteRT, 8 bits": CpuForwardPass(compile_network(network, int8=True), size),
    }
    pictures = np.random.default_rng(0).integers(0, 256, (size, *shape, 3), np.uint8)
    print(f"| {version.manifest.reference} on a CPU | pictures/s in batches of {size} | ratio |")
    print("|---|---:|---:|")
    first = 0.0
    for name, forward in ways.items():
        rate = size / _fastest_seconds(forward, pictures)
        first = first or rate
        print(f"| {name} | {rate:.0f} | {rate / first:.2f} |", flush=True)


def _fastest_seconds(forward: ForwardPass, pictures: np.typing.NDArray[np.uint8]) -> float:
    seconds = []
    for _ in range(WARM_UP_PASSES + PASSES):
        began = time.perf_counter()
        forward.logits(pictures)
        seconds.append(time.perf_counter() - began)
    return min(seconds[WARM_UP_PASSES:])


if __name__ == "__main__":
    main()
