"""Training: from a dataset to a model version."""

import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import adding
from cli.console import LARGEST_INTEGER, LARGEST_SEED, say
from cli.progress import step_bars

if TYPE_CHECKING:
    from model.artifact import ModelVersion
    from model.history import Epoch


def add_commands(app: typer.Typer) -> None:
    """Adds this group's commands."""
    app.command()(train)


def train(
    context: typer.Context,
    dataset: Annotated[
        Path | None, typer.Argument(help="Made by castline dataset build; needless with --add.")
    ] = None,
    recipe: Annotated[
        str | None,
        typer.Option(
            help="strong: for whole frames, the default where there are boxes; regional: for parts "
            "of frames, the default without; large: the same for a GPU; baseline: the original "
            "task's, quick and weaker; or further, the default with --start."
        ),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="Begin with what this model knows: a few epochs do."),
    ] = None,
    add: Annotated[
        list[str] | None,
        typer.Option(
            metavar="LABEL=FOLDER",
            help="Add a label to --start, of few stills or a file of boxes; again for each more.",
        ),
    ] = None,
    teacher: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MODEL", help="Learn what this model answers, too; once for each of several."
        ),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=LARGEST_INTEGER,
            help="Times to show the stills; default the recipe's. 0 with --start keeps its "
            "weights, and only chooses thresholds anew.",
        ),
    ] = None,
    patience: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=LARGEST_INTEGER,
            metavar="N",
            help="Stop after N epochs that made validation no better; 0: never.",
        ),
    ] = None,
    batch_size: Annotated[
        int | None,
        typer.Option(min=1, max=LARGEST_INTEGER, help="Stills per step; default the recipe's."),
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, max=LARGEST_SEED, help="Equal seeds give equal weights.")
    ] = 0,
    name: Annotated[
        str | None, typer.Option(help="Of the model; default the dataset folder's.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the training that was interrupted.")
    ] = False,
    licence: Annotated[
        str | None, typer.Option(help="Terms under which the weights may be used.")
    ] = None,
    about: Annotated[
        str | None, typer.Option(help="Where the stills come from, for the model card.")
    ] = None,
) -> None:
    """Train a recogniser, choose its thresholds, test it, and write it with its report.

    Interrupted, the same command with --resume goes on after the last epoch that was finished.
    With --start MODEL --add LABEL=FOLDER it adds a label from 20 to 100 stills, in minutes.

    Example: castline train dataset --name springfield
    """
    from model.extras import require_train_extra

    require_train_extra("training")
    given = {"licence": licence, "about_stills": about, "command": _command()}
    texts = {key: text for key, text in given.items() if text is not None}
    if add:
        adding.refuse_without_use(
            {
                "--recipe": recipe,
                "--teacher": teacher,
                "--epochs": epochs is not None,
                "--patience": patience is not None,
                "--batch-size": batch_size,
                "--resume": resume,
            }
        )
        adding.add(context.obj, dataset, start, add, seed=seed, name=name, texts=texts)
        return
    if dataset is None:
        raise typer.BadParameter("give one, or --add LABEL=FOLDER", param_hint="DATASET")
    from model.artifact import find_model, next_version
    from model.batches import processes_to_spare
    from model.checkpoint import has_checkpoint
    from model.dataset import open_dataset
    from model.errors import TrainingError
    from model.labels import label_of
    from model.recipe import recipe_named
    from model.recipe_changes import recipe_to_go_on, usual_recipe, with_epochs
    from model.testing import Words
    from model.versions import train_model_version

    settings = context.obj
    opened = open_dataset(dataset)
    family = label_of(dataset.resolve().name) if name is None else name
    if not (family and family.isascii()):  # it is a part of files' names
        raise TrainingError(f"{dataset}: makes no name for a model; give one with --name")
    version = next_version(family, [settings.models_folder])
    begun = None if start is None else find_model(start, [settings.models_folder])
    if begun is not None:
        chosen = recipe_to_go_on(recipe, begun.manifest, opened.manifest)
    else:
        chosen = usual_recipe(opened.manifest) if recipe is None else recipe_named(recipe)
    chosen = with_epochs(chosen, chosen.epochs if epochs is None else epochs)
    chosen = replace(
        chosen,
        seed=seed,
        batch_size=batch_size or chosen.batch_size,
        patience_epochs=chosen.patience_epochs if patience is None else patience,
    )
    teachers = [find_model(one, [settings.models_folder]) for one in teacher or []]
    work_folder = settings.training_folder / f"{family}-{version}"
    if resume and not has_checkpoint(work_folder):
        say(f"nothing to resume in {work_folder}: beginning anew")
    with step_bars() as show_step:
        made = train_model_version(
            opened,
            settings.models_folder / f"{family}-{version}",
            family,
            version,
            chosen,
            work_folder=work_folder,
            teachers=teachers,
            start=begun,
            processes=processes_to_spare(),
            resume=resume,
            words=Words(**texts),
            on_progress=show_step,
            on_epoch=_say_epoch,
        )
    _say_what_was_made(made)


def _command() -> str:
    return shlex.join(["castline", *sys.argv[1:]])


def _say_epoch(history: tuple["Epoch", ...]) -> None:
    say(str(history[-1]))


def _say_what_was_made(made: "ModelVersion") -> None:
    metrics = made.manifest.metrics
    say(
        f"{made.manifest.reference}: test accuracy {metrics['accuracy']:.3f},"
        f" macro-F1 {metrics['macro_f1']:.3f}"
    )
    say(f"Model card and report: {made.folder / 'report'}")
    say(f"Use it: castline tag EPISODE --model {made.manifest.reference}")
