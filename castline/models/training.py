"""Train a model version from a dataset, or add labels to a model."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from castline.errors import ModelError
from castline.models.values import Trained
from castline.progress import Progress, tell_nobody
from worker.settings import Settings

if TYPE_CHECKING:
    from model.dataset.folder import Dataset
    from model.recipe import Recipe
    from model.training.history import Epoch
    from model.version.artifact import ModelVersion


@dataclass(frozen=True)
class Training:
    """Parameters of a training; None means the recipe's value."""

    recipe: str | None = None
    """Name of the recipe; None for the default: `strong` with boxes, `regional` without, `further`
    with a start model that knows at least half of the labels."""
    is_quick: bool = False
    """Use the recipe of `castline demo`, which is sufficient only for a cast drawn by code."""
    start: str | None = None
    """NAME[@VERSION] of the model from whose weights training starts."""
    teachers: tuple[str, ...] = ()
    """NAME[@VERSION] of models whose answers are also learned (distillation)."""
    epochs: int | None = None
    """Number of epochs; 0 with a start model only chooses new thresholds."""
    patience: int | None = None
    """Stop after this many epochs without a lower validation loss; 0: never."""
    batch_size: int | None = None
    """Stills per step."""
    seed: int = 0
    """Seed of all random choices: equal seeds give equal weights."""
    name: str | None = None
    """Name of the model's family; None for the dataset folder's name."""
    resume: bool = False
    """Continue an interrupted training."""
    licence: str | None = None
    """Terms under which the weights may be used."""
    about_stills: str | None = None
    """Origin of the stills, for the model card."""
    command: str = "castline.train"
    """The command that made the version, for the model card."""

    @property
    def provenance(self) -> dict[str, str]:
        """Texts about the version, by the field of `model.version.provenance.Provenance`."""
        said = {
            "licence": self.licence,
            "about_stills": self.about_stills,
            "command": self.command,
        }
        return {key: text for key, text in said.items() if text is not None}


def train(
    settings: Settings,
    dataset: Path,
    training: Training,
    *,
    on_progress: Progress = tell_nobody,
    on_epoch: Callable[["Epoch"], None] | None = None,
    on_nothing_to_resume: Callable[[Path], None] | None = None,
) -> Trained:
    """Train a recogniser; see `Library.train`."""
    require_training()
    from model.dataset.folder import open_dataset
    from model.labels import label_of
    from model.training.batches import processes_to_spare
    from model.training.checkpoint import has_checkpoint
    from model.training.plan import TrainingPlan
    from model.version.artifact import find_model, next_version
    from model.version.provenance import Provenance
    from model.versions import train_model_version

    folders = [settings.models_folder]
    opened = open_dataset(dataset)
    family = label_of(dataset.resolve().name) if training.name is None else training.name
    if not (family and family.isascii()):  # it becomes a part of file names
        raise ModelError(f"{dataset}: gives no valid name for a model; give one with --name")
    version = next_version(family, folders)
    begun = None if training.start is None else find_model(training.start, folders)
    recipe = _recipe(training, opened, begun)
    teachers = tuple(find_model(one, folders) for one in training.teachers)
    work_folder = settings.training_folder / f"{family}-{version}"
    if training.resume and on_nothing_to_resume and not has_checkpoint(work_folder):
        on_nothing_to_resume(work_folder)
    plan = TrainingPlan(
        opened, family, version, recipe, teachers, begun, Provenance(**training.provenance)
    )
    made = train_model_version(
        plan,
        settings.models_folder / f"{family}-{version}",
        work_folder=work_folder,
        processes=0 if training.is_quick else processes_to_spare(),
        resume=training.resume,
        on_progress=on_progress,
        on_epoch=None if on_epoch is None else lambda history: on_epoch(history[-1]),
    )
    return _trained(made)


def add_labels(
    settings: Settings,
    additions: Mapping[str, Sequence[Path]],
    training: Training,
    *,
    dataset: Path | None = None,
    on_progress: Progress = tell_nobody,
) -> Trained:
    """Add labels to a model from few stills of each; see `Library.add_labels`."""
    require_training()
    from model.adding.adding import add_labels as add
    from model.dataset.folder import open_dataset
    from model.labels import Names, require_label_of
    from model.version.artifact import find_model, next_version
    from model.version.provenance import Provenance

    if training.start is None:
        raise ModelError("--add: no model to add to; name it with --start MODEL")
    sources: dict[str, list[Path]] = {}
    names = Names()
    for name, paths in additions.items():
        sources.setdefault(require_label_of(name, "--add"), []).extend(paths)
        names.note(name)
    folders = [settings.models_folder]
    begun = find_model(training.start, folders)
    family = begun.manifest.name if training.name is None else training.name
    version = next_version(family, folders)
    made = add(
        begun,
        sources,
        settings.models_folder / f"{family}-{version}",
        family,
        version,
        dataset=None if dataset is None else open_dataset(dataset),
        seed=training.seed,
        names=names,
        provenance=Provenance(**{"licence": begun.manifest.licence, **training.provenance}),
        on_progress=on_progress,
    )
    return replace(_trained(made), added=tuple(sources))


def require_training() -> None:
    """Refuse to train where the libraries for it are not installed.

    Raises:
        MissingExtraError: They are not installed.
    """
    from model.extras import require_train_extra

    require_train_extra("training")


def _recipe(training: Training, dataset: "Dataset", start: "ModelVersion | None") -> "Recipe":
    from model.recipe import QUICK
    from model.recipe_changes import recipe_for, with_epochs

    if training.is_quick:
        chosen = QUICK
    else:
        begun = None if start is None else start.manifest
        chosen = recipe_for(training.recipe, dataset.manifest, begun)
    chosen = with_epochs(chosen, chosen.epochs if training.epochs is None else training.epochs)
    patience = training.patience
    return replace(
        chosen,
        seed=training.seed,
        batch_size=training.batch_size or chosen.batch_size,
        patience_epochs=chosen.patience_epochs if patience is None else patience,
    )


def _trained(made: "ModelVersion") -> Trained:
    manifest = made.manifest
    names = manifest.names.shown(manifest.labels)
    return Trained(manifest.reference, made.folder, manifest.metrics, names)
