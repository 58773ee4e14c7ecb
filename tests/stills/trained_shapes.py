"""A model version trained on drawn shapes by all that trains the large ones, in seconds."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from model.dataset.build import build_dataset
from model.dataset.folder import Dataset
from model.dataset.plan import BuildOptions
from model.recipe import BASELINE
from model.training.history import Epoch
from model.training.plan import TrainingPlan
from model.version.artifact import ModelVersion
from model.versions import train_model_version
from tests.video.drawn_shapes import write_shapes

SMALL: Final[dict[str, Any]] = {"filters": [8, 16, 16], "dense": 16}
RECIPE: Final = replace(
    BASELINE, network_parameters=SMALL, epochs=12, batch_size=10, mirror=True, shift=0.036
)
"""Shifted by 3 of 84 pixels at most."""


@dataclass(frozen=True)
class TrainedShapes:
    """What `train_shapes` made."""

    dataset: Dataset
    version: ModelVersion
    work_folder: Path
    histories: tuple[tuple[Epoch, ...], ...]
    """As they were told, one after each epoch."""
    steps: tuple[tuple[str, int, int], ...]
    """As they were told."""


def train_shapes(folder: Path) -> TrainedShapes:
    """Draw 60 stills of each shape, build a dataset of them and train by RECIPE."""
    stills = write_shapes(folder / "stills", 60)
    dataset = build_dataset([stills], folder / "dataset", BuildOptions(shards=3))
    histories: list[tuple[Epoch, ...]] = []
    steps: list[tuple[str, int, int]] = []
    version = train_model_version(
        TrainingPlan(dataset, "shapes", "1", RECIPE),
        folder / "models" / "shapes-1",
        work_folder=folder / "work",
        on_progress=lambda *step: steps.append(step),
        on_epoch=histories.append,
    )
    return TrainedShapes(dataset, version, folder / "work", tuple(histories), tuple(steps))
