"""Datasets: build, show, harvest."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.console import Json, print_json, print_table, say, say_error
from cli.progress import step_bars

if TYPE_CHECKING:
    from model.dataset import Dataset
    from model.dataset_pages import NearDuplicates

GROUPS_LISTED = 10
"""Groups of near-duplicates in the table: for a look; --json and stills.csv have all."""

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
        list[Path], typer.Argument(help="Folders of labelled stills; they are merged.")
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
        str, typer.Option(help="Stills of all other labels: keep as 'unknown', or drop.")
    ] = "keep",
    without: Annotated[
        str, typer.Option(help="Leave these out whole, not even as 'unknown'; commas between them.")
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
    LABEL_12.jpg. Interrupted, the same command goes on where it stopped.

    Example: castline dataset build simpsons_dataset kaggle_testset -o dataset --top 20
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
    _print_counts(dataset)
    _say_what_is_missing(dataset)
    _say_what_was_left_out(dataset)


def show(folder: Folder, as_json: Json = False) -> None:
    """Check a dataset and say what it holds: stills per label and set, near-duplicates.

    Example: castline dataset show dataset
    """
    from model.dataset import CONTACT_SHEET, NEAR_DUPLICATES, STILLS, open_dataset
    from model.dataset_pages import near_duplicates

    dataset = open_dataset(folder)
    dataset.check_shards()
    groups = list(near_duplicates(dataset))
    if as_json:
        print_json(_dataset_json(dataset, groups))
        return
    _print_counts(dataset)
    _print_groups(groups)
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


def _print_counts(dataset: "Dataset") -> None:
    manifest = dataset.manifest
    train, validation, test = (manifest.counts[part] for part in ("train", "validation", "test"))
    rows = [
        (label, *map(str, (sum(counts), *counts)))
        for label, *counts in zip(manifest.labels, train, validation, test, strict=True)
    ]
    totals = (sum(train), sum(validation), sum(test))
    rows.append(("total", *map(str, (sum(totals), *totals))))
    columns = ("label", "stills", "train", "validation", "test")
    print_table(columns, rows, numbers="stills train validation test")
    say(
        f"Split {manifest.split}, seed {manifest.seed}: {manifest.test_with_train_twin} of"
        f" {totals[2]} test stills have a near-identical twin in train."
    )
    if manifest.others:
        fate = "are there as unknown" if manifest.others_are_kept else "were dropped"
        others = ", ".join(f"{label} {count}" for label, count in manifest.others.items())
        say(f"Stills of other labels that {fate}: {others}")


def _print_groups(groups: list["NearDuplicates"]) -> None:
    if not groups:
        say("\nNo near-duplicates.")
        return
    stills = sum(len(group.stills) for group in groups)
    say(f"\n{len(groups)} groups of near-duplicates with {stills} stills; the largest:")
    print_table(
        ("stills", "sets", "labels", "first"),
        [
            (
                str(len(group.stills)),
                ", ".join(sorted({part for part, _, _ in group.stills})),
                ", ".join(sorted({label for _, label, _ in group.stills})),
                group.stills[0][2],
            )
            for group in groups[:GROUPS_LISTED]
        ],
        numbers="stills",
    )


def _say_what_is_missing(dataset: "Dataset") -> None:
    manifest = dataset.manifest
    for part, counts in manifest.counts.items():
        by_label = zip(manifest.labels, counts, strict=True)
        without = ", ".join(label for label, count in by_label if not count)
        if without:
            say(
                f"No {part} stills of {without}: too many are near-duplicates of each other;"
                " add stills of other scenes, or build without it"
            )


def _say_what_was_left_out(dataset: "Dataset") -> None:
    import json

    from model.dataset import REPORT

    path = dataset.folder / REPORT
    counts = json.loads(path.read_text("utf-8"))["left_out_counts"]
    found = ", ".join(f"{count} {kind}" for kind, count in counts.items())
    say(f"Left out: {found or 'nothing'}" + (f"; see {path}" if found else ""))


def _dataset_json(dataset: "Dataset", groups: list["NearDuplicates"]) -> dict[str, Any]:
    from model.dataset import CONTACT_SHEET

    manifest = dataset.manifest
    return {
        "dataset": str(dataset.folder),
        "labels": list(manifest.labels),
        "counts": {part: list(counts) for part, counts in manifest.counts.items()},
        "others": dict(manifest.others),
        "others_are_kept": manifest.others_are_kept,
        "split": manifest.split,
        "seed": manifest.seed,
        "fingerprint_sha256": manifest.fingerprint_sha256,
        "test_with_train_twin": manifest.test_with_train_twin,
        "groups": manifest.groups,
        "near_duplicates": [
            [{"set": part, "label": label, "source": source} for part, label, source in item.stills]
            for item in groups
        ],
        "contact_sheet": str(dataset.folder / CONTACT_SHEET),
        "created_at": manifest.created_at,
    }
