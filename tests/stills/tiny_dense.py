"""The dense kind of network and training made so small that they take seconds."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from model.dataset.annotation import Annotation
from model.dataset.stills import Stills
from model.inference.tensorflow_runtime import load_tensorflow
from model.labels import UNKNOWN
from model.networks.named import add_to_logits, assign_weights, build_network, weights_of
from model.pictures.preprocess import WIDE
from model.recipe import STRONG
from model.training.checkpoint import Checkpoint
from model.training.loop import Trained, train
from model.version.artifact import ModelVersion, write_model_version
from model.version.weights import rounded
from tests.stills.models import manifest_by_lot
from tests.stills.still_folders import blobs
from tests.video.drawn_shapes import SHAPES, draw_boxed

IDENTITY: Final = "tiny dense"

WIDTHS: Final[dict[str, Any]] = {"widths": [8] * 5, "blocks": [1] * 5}
PARAMETERS: Final[dict[str, Any]] = {**WIDTHS, "joined": 8, "head": 8}

TINY_DENSE: Final = replace(
    STRONG,
    network_parameters=PARAMETERS,
    epochs=3,
    batch_size=8,
    warm_up_epochs=0.5,
    average_epochs=1,
    corrected_after=(1, 2),
    least_shown=0,
)
"""Everything that STRONG has, three epochs of three steps long."""


def boxed_shapes(per_shape: int, first_seed: int = 0, *, boxed: bool = True) -> Stills:
    """So many stills of each shape, the first half with a box around it, and some of nobody."""
    labels = (*SHAPES, UNKNOWN)
    pictures = []
    for number, shape in enumerate(SHAPES):
        for index in range(per_shape):
            picture, box = draw_boxed(shape, first_seed + 1000 * number + index)
            shown = Annotation.alone(number)
            if boxed and index < (per_shape + 1) // 2:
                shown = replace(shown, boxes=box(number), all_boxed=True)
            pictures.append((picture, shown))
    pictures += [
        (blobs(first_seed + 90_000 + index), Annotation.alone(len(SHAPES)))
        for index in range(max(1, per_shape // 3))
    ]
    return Stills.from_pictures(labels, pictures)


def train_tiny_dense(checkpoint_folder: Path | None = None, **options: Any) -> Trained:
    """Train by TINY_DENSE; see `model.training.loop.train` for the options."""
    load_tensorflow()
    checkpoint = Checkpoint(checkpoint_folder, IDENTITY) if checkpoint_folder else None
    stills, validation = boxed_shapes(7), boxed_shapes(2, first_seed=500)
    recipe = options.pop("recipe", TINY_DENSE)
    return train(stills, validation, recipe, checkpoint=checkpoint, **options)


def write_dense_by_lot(
    folder: Path,
    *,
    int8: bool = False,
    parameters: Mapping[str, Any] = PARAMETERS,
    labels: tuple[str, ...] = SHAPES,
    examples: Callable[[Any], bytes] = lambda _network: b"",
) -> ModelVersion:
    """Write a dense version whose weights are drawn by lot: all sorts of labels are seen.

    Args:
        folder: in which its folder is made.
        int8: whether CPUs compute it in 8 bits.
        parameters: of the network.
        labels: that it knows.
        examples: of the network, what it keeps.
    """
    load_tensorflow()
    network = build_network("dense", parameters, labels, WIDE.shape, seed=4)
    weights = weights_of(network)
    # of random weights the logits hardly differ from place to place
    weights["logits/kernel"] = 60 * weights["logits/kernel"]
    weights["edges/kernel"] = 30 * weights["edges/kernel"]
    assign_weights(network, rounded(weights))
    add_to_logits(network, 3.0)
    manifest = manifest_by_lot(
        "dense_by_lot",
        network="dense",
        network_parameters=parameters,
        labels=labels,
        preprocessing=WIDE.name,
        regions=("full",),
        int8=int8,
        loss="places",
    )
    return write_model_version(
        folder / "dense_by_lot-1", manifest, weights_of(network), examples=examples(network)
    )
