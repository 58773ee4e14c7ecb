"""Pictures out of episodes, to train with: harvest, propose."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.console import LARGEST_INTEGER, LARGEST_SEED, say, say_error
from cli.progress import step_bars
from model.annotations.coco_writing import COCO_NAME

if TYPE_CHECKING:
    from model.artifact import ModelVersion
    from worker.harvest import Way
    from worker.proposing import Proposal
    from worker.settings import Settings

EXIT_FAILED = 1
"""An episode was refused."""

DEFAULT_FRAMES = 100
"""To mend: an hour's work, if each takes half a minute."""

Episodes = Annotated[list[Path], typer.Argument(help="Episode files.", show_default=False)]
Model = Annotated[str | None, typer.Option(help="NAME or NAME@VERSION; default the one in use.")]
Seed = Annotated[int, typer.Option(min=0, max=LARGEST_SEED, help="Of the moments.")]
Device = Annotated[str, typer.Option(help="Where to classify: auto, cpu or gpu.")]


def add_commands(group: typer.Typer) -> None:
    """Adds these commands to the group of datasets."""
    group.command()(harvest)
    group.command()(propose)


def harvest(
    context: typer.Context,
    episodes: Episodes,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="A folder to add stills to; none is replaced.")
    ],
    model: Model = None,
    cuts: Annotated[
        bool, typer.Option("--cuts", help="Cut out whom the model sees; it must tell places.")
    ] = False,
    whole: Annotated[
        bool, typer.Option("--whole", help="Whole frames with boxes, as propose writes them.")
    ] = False,
    seed: Seed = 0,
    device: Device = "auto",
) -> None:
    """Collect stills from episodes at random moments, sorted by a model, for you to confirm.

    Of each frame the full picture and its two halves become stills: in a folder named by the label
    where the model is confident, in _unsure elsewhere. Move those that are wrong, and give the
    folder to castline dataset build. Stills that are there already are not added again. A model
    that tells places offers --cuts, sorted in the same way, and --whole besides.

    Example: castline dataset harvest pilot.mkv -o harvested
    """
    from worker.doubt import all_of_them
    from worker.harvest import Way
    from worker.proposing import Proposal

    if cuts and whole:
        raise typer.BadParameter("give one of --cuts and --whole")
    version = _chosen(context.obj, model)
    if whole:
        proposal = Proposal(episodes, output, seed, all_of_them)
        _write(context.obj, version, device, proposal)
        return
    way = Way.PLACES if cuts else Way.REGIONS
    if _harvest(context.obj, version, device, episodes, output, seed, way):
        raise typer.Exit(EXIT_FAILED)


def propose(
    context: typer.Context,
    episodes: Episodes,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="A folder to make; nothing is replaced.")
    ],
    model: Model = None,
    frames: Annotated[
        int, typer.Option(min=1, max=LARGEST_INTEGER, metavar="N", help="How many at most.")
    ] = DEFAULT_FRAMES,
    seed: Seed = 0,
    device: Device = "auto",
) -> None:
    """Write the frames that are worth most to mend, with the boxes that a model sees in them.

    Those of doubt and of many people come first, none nearly the same as another. The folder holds
    JPEG pictures and their boxes as COCO, which CVAT, Label Studio and others import. Mend the
    boxes there, and give the folder to castline dataset build. The model must tell places.

    Example: castline dataset propose pilot.mkv finale.mkv -o proposed --frames 60
    """
    from worker.doubt import worthiest
    from worker.proposing import Proposal

    version = _chosen(context.obj, model)
    proposal = Proposal(episodes, output, seed, worthiest(version, frames))
    _write(context.obj, version, device, proposal)


def _chosen(settings: "Settings", reference: str | None) -> "ModelVersion":
    from worker.promoting import chosen_model
    from worker.workplace import open_workplace

    with open_workplace(settings) as place:
        return chosen_model(place, reference)


def _write(
    settings: "Settings", version: "ModelVersion", device: str, proposal: "Proposal"
) -> None:
    from worker.proposing import write_proposal

    with step_bars() as show_step:
        count = write_proposal(settings, version, device, proposal, show_step)
    if count == 0:
        say(f"{proposal.output}: has these frames already")
    else:
        say(f"{proposal.output}: {count} new frames, with their boxes in {COCO_NAME}")


def _harvest(
    settings: "Settings",
    version: "ModelVersion",
    device: str,
    episodes: list[Path],
    output: Path,
    seed: int,
    way: "Way",
) -> int:
    """Harvests one episode after the other; returns how many were refused."""
    from ingest.errors import IngestError
    from worker.harvest import open_harvester

    refused = 0
    with (
        step_bars() as show_step,
        open_harvester(settings, output, version, device, way) as harvester,
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
    return refused
