"""Commands for datasets: build, show, check; and those that collect pictures for them."""

from pathlib import Path
from typing import Annotated

import typer

from castline import Device
from castline.library import Library
from castline.stills.values import Choice
from cli.console import LARGEST_INTEGER, Json, print_json, say
from cli.progress import step_bars
from cli.stills import harvesting
from cli.stills.dataset_tables import (
    print_boxes,
    print_counts,
    print_doubtful_boxes,
    print_groups,
    say_what_is_missing,
    say_what_was_left_out,
)

Folder = Annotated[Path, typer.Argument(help="A dataset.", show_default=False)]


def add_commands(app: typer.Typer) -> None:
    """Add this group's commands."""
    group = typer.Typer(help="Labelled stills to train with.", no_args_is_help=True)
    group.command()(build)
    group.command()(show)
    group.command()(check)
    harvesting.add_commands(group)
    app.add_typer(group, name="dataset")


def build(
    context: typer.Context,
    sources: Annotated[
        list[Path],
        typer.Argument(help="Folders of labelled stills, files of boxes; they are merged."),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to create.")],
    labels: Annotated[
        str | None, typer.Option(help="Only these labels, separated by commas; default all.")
    ] = None,
    top: Annotated[
        int | None,
        typer.Option(
            min=2, max=LARGEST_INTEGER, metavar="N", help="Only the N labels with the most stills."
        ),
    ] = None,
    min_images: Annotated[
        int,
        typer.Option(
            min=1, max=LARGEST_INTEGER, metavar="N", help="Only labels with at least N stills."
        ),
    ] = 1,
    others: Annotated[
        str, typer.Option(help="Stills and boxes of all other labels: keep as 'unknown', or drop.")
    ] = "keep",
    without: Annotated[
        str,
        typer.Option(help="Leave out all stills with these labels, separated by commas."),
    ] = "",
    split: Annotated[
        str, typer.Option(help="grouped keeps near-duplicates together; random does not.")
    ] = "grouped",
    shards: Annotated[int, typer.Option(help="Shard files per set.")] = 15,
    seed: Annotated[int, typer.Option(help="Seed of the split and the order.")] = 0,
    workers: Annotated[
        int | None,
        typer.Option(min=1, max=256, help="Number of reading processes; default one per core."),
    ] = None,
) -> None:
    """Build a dataset of labelled stills: cleaned, split, packed for training.

    Takes folders of labels, also inside train and test folders, and flat folders of files named
    LABEL_12.jpg; and boxes, in the same or other pictures, as CSV, COCO, YOLO, Pascal VOC, VIA,
    Label Studio or CVAT. If interrupted, the same command continues.

    Example: castline dataset build simpsons_dataset frames/boxes.csv -o dataset --top 20
    """
    library: Library = context.obj
    choice = Choice(
        labels=None if labels is None else labels.split(","),
        top=top,
        min_images=min_images,
        others=others,
        without=without.split(","),
        split=split,
        shards=shards,
        seed=seed,
    )
    with step_bars() as show_step:
        built = library.build_dataset(
            sources, output, choice, workers=workers, on_progress=show_step
        )
    print_counts(built.dataset)
    say_what_is_missing(built.dataset)
    say_what_was_left_out(built)


def show(context: typer.Context, folder: Folder, as_json: Json = False) -> None:
    """Check a dataset and show its contents: stills per label and set, near-duplicates.

    Example: castline dataset show dataset
    """
    library: Library = context.obj
    shown = library.dataset(folder)
    if as_json:
        print_json(shown.to_dict())
        return
    dataset = shown.dataset
    print_counts(dataset)
    print_boxes(dataset, shown.stills_by_boxes)
    print_groups(shown.near_duplicates, dataset.names)
    say(f"All of them: {dataset.table}")
    say(f"Samples of each label: {dataset.contact_sheet}")
    say(f"The largest groups: {dataset.near_duplicates_page}")


def check(
    context: typer.Context,
    folder: Folder,
    model: Annotated[
        str | None, typer.Option(help="NAME or NAME@VERSION; default the model in use.")
    ] = None,
    device: Annotated[Device, typer.Option(help="Device to classify on.")] = Device.AUTO,
    as_json: Json = False,
) -> None:
    """List boxes that lie far from where a model sees their label, the most confident first.

    A box is listed if neither its centre lies in the model's box, nor the other way round. A model
    that was trained on these very boxes finds fewer of them. The model must give places.

    Example: castline dataset check dataset --model springfield
    """
    library: Library = context.obj
    with step_bars() as show_step:
        found = library.check_dataset(folder, model=model, device=device, on_progress=show_step)
    if as_json:
        print_json(found.to_dicts())
    else:
        print_doubtful_boxes(found)
