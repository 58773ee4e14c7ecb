"""A model version whose numbers are drawn by lot: it knows nobody, and says a lot about it.

Its confidences depend on every pixel, so that any difference in frames, batches or order shows in
the tags; and it is there in milliseconds, without training and without TensorFlow.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.version.artifact import ModelVersion, write_model_version
from model.version.manifest import Manifest

LABELS = ("apple", "birch", "cedar", "daisy", "elder", "fig_tree")
NAME = "by_lot"

FILTERS = (8, 8, 8, 8)
DENSE = 16
SIDE_AFTER_CONVOLUTIONS = 2  # 64 pixels, four times: less 2, then halved

SHARPNESS = 6.0
"""Of the logits: most frames get one label with confidence, and often change their mind."""


def write_model_by_lot(
    models_folder: Path, name: str = NAME, lot: int = 4, **changes: Any
) -> ModelVersion:
    """Write the model version `by_lot@1` into a folder of model versions.

    Args:
        models_folder: where its folder is made.
        name: another name.
        lot: another number draws other weights.
        changes: other values of its manifest.
    """
    manifest = manifest_by_lot(name, **changes)
    return write_model_version(
        models_folder / f"{name}-{manifest.version}", manifest, _weights(lot, len(manifest.labels))
    )


def manifest_by_lot(name: str = NAME, **changes: Any) -> Manifest:
    """The manifest of `by_lot@1`, or of another name and with other values."""
    manifest = Manifest(
        name=name,
        version="1",
        network="baseline",
        network_parameters={"filters": list(FILTERS), "dense": DENSE},
        labels=LABELS,
        preprocessing="fit84_crop64",
        regions=("full", "left", "right"),
        temperature=1.0,
        onset=0.4,
        offset=0.3,
        training_data_sha256="0" * 64,
        metrics={},
        licence="none is needed",
        created_at="2026-01-01T00:00:00+00:00",
    )
    return replace(manifest, **changes)


def _weights(seed: int, labels: int) -> dict[str, NDArray[np.float32]]:
    lot = np.random.default_rng(seed)
    weights: dict[str, NDArray[np.float32]] = {}

    def draw(layer: str, shape: tuple[int, ...], spread: float) -> None:
        fan_in = int(np.prod(shape[:-1]))
        kernel = lot.normal(0, spread / np.sqrt(fan_in), shape)
        weights[f"{layer}/kernel"] = kernel.astype(np.float32)
        weights[f"{layer}/bias"] = np.zeros(shape[-1], np.float32)

    channels = (3, *FILTERS)
    for number, (inputs, outputs) in enumerate(zip(channels, FILTERS, strict=False), start=1):
        draw(f"conv_{number}", (3, 3, inputs, outputs), spread=1.4)  # keeps ReLU's variance
    draw("dense", (SIDE_AFTER_CONVOLUTIONS**2 * FILTERS[-1], DENSE), spread=1.4)
    draw("logits", (DENSE, labels), spread=SHARPNESS)
    return weights
