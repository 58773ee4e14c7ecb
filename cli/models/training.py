"""The command that trains a model version from a dataset."""

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from castline.library import Library
from castline.models.training import Training
from castline.models.values import Trained
from cli.console import LARGEST_INTEGER, LARGEST_SEED, say
from cli.models import adding
from cli.progress import step_bars


def add_commands(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command()(train)


def train(
    context: typer.Context,
    dataset: Annotated[
        Path | None,
        typer.Argument(help="A dataset from castline dataset build; not needed with --add."),
    ] = None,
    recipe: Annotated[
        str | None,
        typer.Option(
            help="strong: for whole frames, the default with boxes; regional: for regions of "
            "frames, the default without boxes; large: the same for a GPU; baseline: as in the "
            "original task, fast but weaker; further: the default with --start of a model that "
            "knows at least half of the labels."
        ),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL", help="Start from this model's weights: a few epochs suffice."
        ),
    ] = None,
    add: Annotated[
        list[str] | None,
        typer.Option(
            metavar="LABEL=FOLDER",
            help="Add a label to --start from a few stills or a file of boxes; may be repeated.",
        ),
    ] = None,
    teacher: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MODEL", help="Also learn this model's answers (distillation); may be repeated."
        ),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=LARGEST_INTEGER,
            help="Number of epochs; default the recipe's. 0 with --start keeps its "
            "weights and only chooses new thresholds.",
        ),
    ] = None,
    patience: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=LARGEST_INTEGER,
            metavar="N",
            help="Stop after N epochs without a lower validation loss; 0: never.",
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
        str | None, typer.Option(help="Name of the model; default the dataset folder's.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue an interrupted training.")
    ] = False,
    licence: Annotated[
        str | None, typer.Option(help="Terms under which the weights may be used.")
    ] = None,
    about: Annotated[
        str | None, typer.Option(help="Where the stills come from, for the model card.")
    ] = None,
) -> None:
    """Train a recogniser, choose its thresholds, test it, and write it with its report.

    If interrupted, the same command with --resume continues after the last finished epoch. With
    --start MODEL --add LABEL=FOLDER it adds a label from 20 to 100 stills, in minutes.

    Example: castline train dataset --name springfield
    """
    library: Library = context.obj
    training = Training(
        recipe=recipe,
        start=start,
        teachers=tuple(teacher or ()),
        epochs=epochs,
        patience=patience,
        batch_size=batch_size,
        seed=seed,
        name=name,
        resume=resume,
        licence=licence,
        about_stills=about,
        command=_command(),
    )
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
        adding.add(library, dataset, add, training)
        return
    if dataset is None:
        raise typer.BadParameter("give one, or --add LABEL=FOLDER", param_hint="DATASET")
    with step_bars() as show_step:
        made = library.train(
            dataset,
            training,
            on_progress=show_step,
            on_epoch=lambda epoch: say(str(epoch)),
            on_nothing_to_resume=lambda folder: say(
                f"nothing to resume in {folder}: starting from the beginning"
            ),
        )
    _say_what_was_made(made)


def _command() -> str:
    return shlex.join(["castline", *sys.argv[1:]])


def _say_what_was_made(made: Trained) -> None:
    metrics = made.metrics
    say(
        f"{made.model}: test accuracy {metrics['accuracy']:.3f}, macro-F1 {metrics['macro_f1']:.3f}"
    )
    say(f"Model card and report: {made.folder / 'report'}")
    say(f"Use it: castline tag EPISODE --model {made.model}")
