"""Datasets: build, show, harvest."""

import os
from pathlib import Path
from typing import Annotated

import typer

from cli.console import Json, print_json, say, say_error
from cli.dataset_tables import (
    dataset_json,
    print_boxes,
    print_counts,
    print_groups,
    say_what_is_missing,
    say_what_was_left_out,
    stills_by_boxes,
)
from cli.progress import step_bars

EXIT_FAILED = 1
"""An episode was refused."""

Folder = Annotated[Path, typer.Argument(help="A dataset.", show_default=False)]


def add_commands(app: typer.Typer) -> None:
    """Adds this group's commands."""
    group = typer.Typer(help="Labelled stills to train with.", no_args_is_help=True)
    group.command()(build)
    group.command()(show)
    group.command()(harvest)
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
        int | None, typer.Option(min=2, metavar="N", help="Only the N labels with most stills.")
    ] = None,
    min_images: Annotated[
        int, typer.Option(min=1, metavar="N", help="Only labels with at least N stills.")
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
    from model.still_files import slug

    def parted(text: str) -> tuple[str, ...]:
        return tuple(slug(label) for label in text.split(",") if label.strip())

    wished = None if labels is None else parted(labels)
    options = BuildOptions(
        choice=Choice(wished, top, min_images, others, parted(without)),
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
    print_groups(groups)
    say(f"All of them: {folder / STILLS}")
    say(f"Samples of each label: {folder / CONTACT_SHEET}")
    say(f"The largest groups: {folder / NEAR_DUPLICATES}")


def harvest(
    context: typer.Context,
    episodes: Annotated[list[Path], typer.Argument(help="Episode files.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="A folder to add stills to; none is replaced.")
    ],
    model: Annotated[
        str | None, typer.Option(help="NAME or NAME@VERSION; default the one in use.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the moments.")] = 0,
    device: Annotated[str, typer.Option(help="Where to classify: auto, cpu or gpu.")] = "auto",
) -> None:
    """Collect stills from episodes at random moments, sorted by a model, for you to confirm.

    Of each frame the full picture and its two halves become stills: in a folder named by the label
    where the model is confident, in _unsure elsewhere. Move those that are wrong, and give the
    folder to castline dataset build. Stills that are there already are not added again.

    Example: castline dataset harvest pilot.mkv -o harvested
    """
    from ingest.errors import IngestError
    from worker.harvest import open_harvester
    from worker.promoting import chosen_model
    from worker.workplace import open_workplace

    with open_workplace(context.obj) as place:
        version = chosen_model(place, model)
    refused = 0
    with (
        step_bars() as show_step,
        open_harvester(context.obj, output, version, device) as harvester,
    ):
        for path in episodes:
            try:
                counts = harvester.harvest(path, seed, show_step)
            except IngestError as error:
                say_error(error)
                refused += 1
                continue
            sorted_in = ", ".join(f"{label} {count}" for label, count in counts.items())
            say(f"{path.name}: {sum(counts.values())} new stills" + f": {sorted_in}" * bool(counts))
    raise typer.Exit(EXIT_FAILED if refused else 0)
