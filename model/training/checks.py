"""What would stop an hour of training at its end, or spoil it, is refused before it begins."""

from collections.abc import Sequence

from model.dataset.folder import Dataset
from model.dataset.split import PARTS
from model.errors import DatasetError, TrainingError
from model.recipe import Recipe
from model.training.loop import outputs_of
from model.version.artifact import ModelVersion
from model.version.weights import check_weights


def check_parts(dataset: Dataset) -> None:
    """Refuse what would stop an hour of training at its end.

    Raises:
        DatasetError: a shard is damaged, or a part shows nobody known.
    """
    dataset.check_shards()
    for part in PARTS:
        if not dataset.manifest.shows_somebody(part):
            raise DatasetError(
                f"{dataset.folder}: {part} shows nobody known; build the dataset of more stills"
            )


def check_nothing_is_to_learn(
    dataset: Dataset,
    recipe: Recipe,
    teachers: Sequence[ModelVersion],
    start: ModelVersion | None,
) -> None:
    """Refuse to make a version without learning of what has something to learn.

    Raises:
        TrainingError: there are no weights to keep, some of them would be random, or somebody would
            teach.
    """
    if start is None or teachers:
        raise TrainingError(
            "0 epochs: nothing would be learnt; give a start, to keep its weights, and no teacher"
        )
    if start.manifest.network != recipe.network:
        raise TrainingError(
            f"0 epochs: {start.manifest.reference} is no {recipe.network} network; "
            "give some epochs to learn the rest, or leave the recipe out"
        )
    for label in outputs_of(recipe, dataset.manifest.labels):
        if label not in start.manifest.labels:
            raise TrainingError(
                f"0 epochs: {start.manifest.reference} does not know {label}; "
                "give some epochs to learn it"
            )


def check_teachers(teachers: Sequence[ModelVersion], dataset: Dataset, recipe: Recipe) -> None:
    """Refuse teachers of something else, and those who would not be heard.

    Raises:
        TrainingError: of the first that cannot teach.
    """
    for teacher in teachers:
        name, manifest = teacher.manifest.reference, teacher.manifest
        if manifest.labels != outputs_of(recipe, dataset.manifest.labels):
            raise TrainingError(
                f"teacher {name}: knows other labels than {dataset.folder}; train one on it"
            )
        if manifest.preprocessing != recipe.preprocessing:
            raise TrainingError(
                f"teacher {name}: sees pictures by {manifest.preprocessing}, the recipe's network "
                f"by {recipe.preprocessing}; choose a teacher or a recipe of the same"
            )
        if manifest.loss not in ("", recipe.loss):
            raise TrainingError(
                f"teacher {name}: learnt by the {manifest.loss} loss, the recipe's network learns "
                f"by the {recipe.loss} one; choose a teacher or a recipe of the same"
            )
        if not recipe.taught:
            raise TrainingError(
                f"teacher {name}: this recipe learns from no teacher; take regional or large"
            )


def check_start(start: ModelVersion, recipe: Recipe) -> None:
    """Refuse one whose weights the recipe's network cannot take.

    Raises:
        TrainingError: it is of another network or preprocessing.
        ArtifactError: its weights are damaged.
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
            f"start {start.manifest.reference}: is of another network or preprocessing than the "
            "recipe; choose one of the same"
        )
    check_weights(start)
