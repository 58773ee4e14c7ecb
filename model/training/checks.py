"""Checks before training: errors that would otherwise appear only after an hour of training."""

from collections.abc import Sequence

from model.dataset.folder import Dataset
from model.dataset.split import PARTS
from model.errors import DatasetError, TrainingError
from model.recipe import Recipe
from model.training.loop import outputs_of
from model.version.artifact import ModelVersion
from model.version.weights import check_weights


def check_parts(dataset: Dataset) -> None:
    """Refuse a dataset on which training would fail at its end.

    Raises:
        DatasetError: A shard is damaged, or a split shows no known character.
    """
    dataset.check_shards()
    for part in PARTS:
        if not dataset.manifest.shows_somebody(part):
            raise DatasetError(
                f"{dataset.folder}: {part} shows no known character; build it from more stills"
            )


def check_nothing_is_to_learn(
    dataset: Dataset,
    recipe: Recipe,
    teachers: Sequence[ModelVersion],
    start: ModelVersion | None,
) -> None:
    """Refuse to make a version with 0 epochs if any of its weights would have to be learnt.

    Raises:
        TrainingError: There are no weights to start from, some weights would be random, or teachers
            were given.
    """
    if start is None or teachers:
        raise TrainingError(
            "0 epochs: nothing would be learnt; give a start to copy weights from, and no teacher"
        )
    if start.manifest.network != recipe.network:
        raise TrainingError(
            f"0 epochs: {start.manifest.reference} is not a {recipe.network} network; "
            "give some epochs to learn the rest, or leave the recipe out"
        )
    for label in outputs_of(recipe, dataset.manifest.labels):
        if label not in start.manifest.labels:
            raise TrainingError(
                f"0 epochs: {start.manifest.reference} does not know {label}; "
                "give some epochs to learn it"
            )


def check_teachers(teachers: Sequence[ModelVersion], dataset: Dataset, recipe: Recipe) -> None:
    """Refuse teachers that do not fit the recipe and the dataset.

    Raises:
        TrainingError: Names the first teacher that does not fit.
    """
    for teacher in teachers:
        name, manifest = teacher.manifest.reference, teacher.manifest
        if manifest.labels != outputs_of(recipe, dataset.manifest.labels):
            raise TrainingError(
                f"teacher {name}: has other labels than {dataset.folder}; train one on it"
            )
        if manifest.preprocessing != recipe.preprocessing:
            raise TrainingError(
                f"teacher {name}: uses preprocessing {manifest.preprocessing}, the recipe "
                f"{recipe.preprocessing}; choose another teacher or recipe"
            )
        if manifest.loss not in ("", recipe.loss):
            raise TrainingError(
                f"teacher {name}: was trained with loss {manifest.loss}, the recipe uses "
                f"{recipe.loss}; choose another teacher or recipe"
            )
        if not recipe.taught:
            raise TrainingError(
                f"teacher {name}: this recipe uses no teacher; choose regional or large"
            )


def check_start(start: ModelVersion, recipe: Recipe) -> None:
    """Refuse a start whose weights do not fit the recipe's network.

    Raises:
        TrainingError: The start has another network or preprocessing.
        ArtifactError: Its weights are damaged.
    """
    mine, theirs = (
        (one.network, dict(one.network_parameters), one.preprocessing)
        for one in (recipe, start.manifest)
    )
    trunks = [
        [dict(one.network_parameters).get(name) for name in ("widths", "blocks")]
        for one in (recipe, start.manifest)
    ]
    gives_its_trunk = (
        recipe.is_dense and start.manifest.network == "residual" and trunks[0] == trunks[1]
    )
    if mine != theirs and not gives_its_trunk:
        raise TrainingError(
            f"start {start.manifest.reference}: has another network or preprocessing than the "
            "recipe; choose another start"
        )
    check_weights(start)
