"""The regional kind of training made so small that it takes a second."""

import itertools
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from model.inference.tensorflow_runtime import load_tensorflow
from model.networks.named import build_network
from model.pictures.preprocess import TASK
from model.recipe import REGIONAL
from model.training.checkpoint import Checkpoint
from model.training.loop import Trained, train
from tests.video.drawn_shapes import SHAPES, shape_stills

IDENTITY: Final = "tiny"
STEPS_PER_EPOCH: Final = 3  # 24 stills, 8 at a time

TINY_REGIONAL: Final = replace(
    REGIONAL,
    network_parameters={"widths": [8, 8], "blocks": [1, 1], "dropout": 0.2},
    preprocessing=TASK.name,
    first_side=48,  # in the last of the four epochs it is 64
    epochs=4,
    batch_size=8,
    warm_up_epochs=1,
    average_epochs=1,
    pasted_halves=0.3,
)
"""Everything that REGIONAL has, four epochs of three steps long."""


def train_tiny(checkpoint_folder: Path | None = None, **options: Any) -> Trained:
    """Train by TINY_REGIONAL with a teacher; see `model.training.loop.train` for the options."""
    load_tensorflow()
    teacher = build_network(
        TINY_REGIONAL.network, TINY_REGIONAL.network_parameters, SHAPES, TASK.shape, seed=5
    )
    checkpoint = Checkpoint(checkpoint_folder, IDENTITY) if checkpoint_folder else None
    stills, validation = shape_stills(8), shape_stills(4, first_seed=500)
    return train(
        stills, validation, TINY_REGIONAL, checkpoint=checkpoint, teachers=[teacher], **options
    )


def die_at_step(fatal_step: int) -> None:
    """Let this process be killed in the middle of its training, as nobody can prevent.

    Args:
        fatal_step: it is never taken; the first one is 1.
    """
    load_tensorflow()
    import keras

    take = keras.Model.train_on_batch
    steps = itertools.count(1)

    def take_or_die(*arguments: Any) -> Any:
        if next(steps) == fatal_step:
            os.kill(os.getpid(), signal.SIGKILL)
        return take(*arguments)

    keras.Model.train_on_batch = take_or_die


if __name__ == "__main__":
    die_at_step(int(sys.argv[2]))
    train_tiny(Path(sys.argv[1]))
