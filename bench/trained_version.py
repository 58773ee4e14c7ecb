"""A model version that a bench trains once, goes on with after an interruption, and finds again."""

from collections.abc import Callable, Sequence
from pathlib import Path

from model.artifact import ModelVersion, read_model_version
from model.batches import processes_to_spare
from model.dataset import Dataset
from model.history import Epoch
from model.recipe import Recipe
from model.testing import Words
from model.versions import train_model_version


def trained_version(
    dataset: Dataset,
    output: Path,
    name: str,
    version: str,
    recipe: Recipe,
    *,
    on_epoch: Callable[[tuple[Epoch, ...]], None],
    teachers: Sequence[ModelVersion] = (),
    start: ModelVersion | None = None,
    words: Words | None = None,
) -> ModelVersion:
    """Return OUTPUT/NAME-VERSION, trained if it is not there; see `train_model_version`."""
    folder = output / f"{name}-{version}"
    if folder.exists():
        return read_model_version(folder)
    return train_model_version(
        dataset,
        folder,
        name,
        version,
        recipe,
        work_folder=output / "training" / folder.name,
        teachers=teachers,
        start=start,
        processes=processes_to_spare(),
        resume=True,
        words=words,
        on_epoch=on_epoch,
    )
