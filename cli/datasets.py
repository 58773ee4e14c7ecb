"""Datasets: build, show, check; and the commands that collect pictures for them."""

import os
from pathlib import Path
from typing import Annotated

import typer

from cli import harvesting
from cli.console import LARGEST_INTEGER, Json, print_json, say
from cli.dataset_tables import (
    dataset_json,
    doubtful_box_json,
    print_boxes,
    print_counts,
    print_doubtful_boxes,
    print_groups,
    say_what_is_missing,
    say_what_was_left_out,
    stills_by_boxes,
)
from cli.progress import step_bars
from model.labels import require_label_of

Folder = Annotated[Path, typer.Argument(help="A dataset.", show_default=False)]


def add_commands(app: typer.Typer) -> None:
    """Adds this group's commands."""
    group = typer.Typer(help="Labelled stills to train with.", no_args_is_help=True)
    group.command()(build)
    group.command()(show)
    group.command()(check)
    harvesting.add_commands(group)
    app.add_typer(group, name="dataset")


def build(
    sources: Annotated[
        list[Path],
        typer.Argument(help="Folders of labelled stills, files of boxes; they are merged."),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="A folder to make.")],
    labels: Annotated[
        str | None, typer.Option(help="Only these, separated by commas; default all.")
    ] = None,
    top: Annotated[
        int | None,
        typer.Option(
            min=2, max=LARGEST_INTEGER, metavar="N", help="Only the N labels with most stills."
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
        typer.Option(help="Leave out all stills that show these; commas between them."),
    ] = "",
    split: Annotated[
        str, typer.Option(help="grouped keeps near-duplicates together; random does not.")
    ] = "grouped",
    shards: Annotated[int, typer.Option(help="Files per set.")] = 15,
    seed: Annotated[int, typer.Option(help="Of the split and the order.")] = 0,
    workers: Annotated[
        int | None, typer.Option(min=1, max=256, help="Reading processes; default one per core.")
    ] = None,
) -> None:
    """Make a dataset of labelled stills: cleaned, split, packed for training.

    Takes folders of labels, also inside train and test folders, and flat folders of files named
    LABEL_12.jpg; and boxes, in pictures of theirs or in others: CSV, COCO, YOLO, Pascal VOC, VIA,
    Label Studio, CVAT. Interrupted, the same command goes on where it stopped.

    Example: castline dataset build simpsons_dataset frames/boxes.csv -o dataset --top 20
    """
    from model.dataset_build import build_dataset
    from model.dataset_plan import BuildOptions
    from model.still_choice import Choice

    wished = None if labels is None else _labels(labels, "--labels")
    options = BuildOptions(
        choice=Choice(wished, top, min_images, others, _labels(without, "--without")),
        split=split,
        shards=shards,
        seed=seed,
        processes=workers or os.cpu_count() or 1,
    )
    with step_bars() as show_step:
        dataset = build_dataset(sources, output, options, show_step)
    print_counts(dataset)
    say_what_is_missing(dataset)
    say_what_was_left_out(dataset)


def _labels(text: str, option: str) -> tuple[str, ...]:
    return tuple(require_label_of(name, option) for name in text.split(",") if name.strip())


def show(folder: Folder, as_json: Json = False) -> None:
    """Check a dataset and say what it holds: stills per label and set, near-duplicates.

    Example: castline dataset show dataset
    """
    from model.dataset import CONTACT_SHEET, NEAR_DUPLICATES, STILLS, open_dataset
    from model.dataset_pages import near_duplicates

    dataset = open_dataset(folder)
    dataset.check_shards()
    groups = list(near_duplicates(dataset))
    by_boxes = stills_by_boxes(dataset)
    if as_json:
        print_json(dataset_json(dataset, groups, by_boxes))
        return
    print_counts(dataset)
    print_boxes(dataset, by_boxes)
    print_groups(groups, dataset.manifest.names)
    say(f"All of them: {folder / STILLS}")
    say(f"Samples of each label: {folder / CONTACT_SHEET}")
    say(f"The largest groups: {folder / NEAR_DUPLICATES}")


def check(
    context: typer.Context,
    folder: Folder,
    model: Annotated[
        str | None, typer.Option(help="NAME or NAME@VERSION; default the one in use.")
    ] = None,
    device: Annotated[str, typer.Option(help="Where to look: auto, cpu or gpu.")] = "auto",
    as_json: Json = False,
) -> None:
    """List boxes that lie far from where a model sees their label, the surest first.

    Neither centre lies in the other's box. A model that learned from these very boxes doubts fewer
    of them. It must tell places.

    Example: castline dataset check dataset --model springfield
    """
    from model.classifier import Classifier
    from model.dataset import open_dataset
    from model.doubtful_boxes import doubtful_boxes
    from worker.harvest import check_tells_places
    from worker.promoting import chosen_model
    from worker.workplace import open_workplace

    dataset = open_dataset(folder)
    with open_workplace(context.obj) as place:
        version = chosen_model(place, model)
    check_tells_places(version)
    with step_bars() as show_step:
        found = doubtful_boxes(Classifier.load(version, device=device), dataset, show_step)
    if as_json:
        print_json([doubtful_box_json(each) for each in found])
    else:
        print_doubtful_boxes(found, dataset.manifest.names)
