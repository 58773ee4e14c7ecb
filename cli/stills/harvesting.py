"""Commands that collect training pictures from episodes: harvest, propose."""

from pathlib import Path
from typing import Annotated

import typer

from castline import Device
from castline.library import Library
from castline.stills.values import Harvested, Proposed
from cli.console import LARGEST_INTEGER, LARGEST_SEED, say, say_error
from cli.progress import step_bars

EXIT_FAILED = 1
"""Exit code if an episode was refused."""

DEFAULT_FRAMES = 100
"""Frames to correct by default: an hour's work, at half a minute each."""

Episodes = Annotated[list[Path], typer.Argument(help="Episode files.", show_default=False)]
Model = Annotated[str | None, typer.Option(help="NAME or NAME@VERSION; default the model in use.")]
Seed = Annotated[int, typer.Option(min=0, max=LARGEST_SEED, help="Seed of the random times.")]
DeviceOption = Annotated[Device, typer.Option(help="Device to classify on.")]


def add_commands(group: typer.Typer) -> None:
    """Add these commands to the group of datasets."""
    group.command()(harvest)
    group.command()(propose)
    group.command()(from_corrections)


def harvest(
    context: typer.Context,
    episodes: Episodes,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The folder to add stills to; none is replaced.")
    ],
    model: Model = None,
    cuts: Annotated[
        bool, typer.Option("--cuts", help="Crops of the characters; the model must give places.")
    ] = False,
    whole: Annotated[
        bool, typer.Option("--whole", help="Whole frames with boxes, as written by propose.")
    ] = False,
    seed: Seed = 0,
    device: DeviceOption = Device.AUTO,
) -> None:
    """Collect stills from episodes at random times, sorted by a model, for you to confirm.

    The full picture and both halves of each frame become stills: in a folder named by the label
    where the model is confident, otherwise in _unsure. Move the wrong ones, and give the folder to
    castline dataset build. Existing stills are not added again. A model that gives places also
    supports --cuts, sorted in the same way, and --whole.

    Example: castline dataset harvest pilot.mkv -o harvested
    """
    if cuts and whole:
        raise typer.BadParameter("give one of --cuts and --whole")
    library: Library = context.obj
    with step_bars() as show_step:
        if whole:
            proposed = library.propose(
                episodes, output, model=model, seed=seed, device=device, on_progress=show_step
            )
            _say_what_was_proposed(proposed)
            return
        harvested = library.harvest(
            episodes,
            output,
            model=model,
            cuts=cuts,
            seed=seed,
            device=device,
            on_progress=show_step,
            on_harvested=_say_what_was_harvested,
            on_refused=say_error,
        )
    if len(harvested) < len(episodes):
        raise typer.Exit(EXIT_FAILED)


def propose(
    context: typer.Context,
    episodes: Episodes,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The folder to create; nothing is replaced.")
    ],
    model: Model = None,
    frames: Annotated[
        int, typer.Option(min=1, max=LARGEST_INTEGER, metavar="N", help="Maximum number of frames.")
    ] = DEFAULT_FRAMES,
    seed: Seed = 0,
    device: DeviceOption = Device.AUTO,
) -> None:
    """Write the frames that are most worth correcting, with a model's boxes.

    Frames with doubtful or many characters come first, without near-duplicates. The folder contains
    JPEG pictures and their boxes as COCO, which CVAT, Label Studio and others import. Correct the
    boxes there, and give the folder to castline dataset build. The model must give places.

    Example: castline dataset propose pilot.mkv finale.mkv -o proposed --frames 60
    """
    library: Library = context.obj
    with step_bars() as show_step:
        proposed = library.propose(
            episodes,
            output,
            model=model,
            frames=frames,
            seed=seed,
            device=device,
            on_progress=show_step,
        )
    _say_what_was_proposed(proposed)


def from_corrections(
    context: typer.Context,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="A folder to add stills to; none is replaced.")
    ],
    episode: Annotated[
        str | None, typer.Argument(help="Only of this episode.", metavar="EPISODE")
    ] = None,
    easy: Annotated[
        bool, typer.Option("--easy", help="Also of what was confirmed and the model was sure of.")
    ] = False,
) -> None:
    """Write labelled stills of corrected answers, for castline dataset build.

    A mistaken character goes to the correct label's folder, a stranger to unknown, from frames well
    inside the judged range. _sources.csv in the folder lists the time and the correction of each
    still.

    Example: castline dataset from-corrections -o corrected
    """
    library: Library = context.obj
    with step_bars() as show_step:
        made = library.stills_from_corrections(
            output, episode=episode, easy=easy, on_progress=show_step
        )
    sorted_in = ", ".join(f"{label} {count}" for label, count in made.counts.items())
    say(
        f"{made.folder}: {sum(made.counts.values())} new stills"
        + f": {sorted_in}" * bool(sorted_in)
    )
    for reason, count in made.left_out.items():
        say(f"None of {count}: {reason}")
    if made.stale:
        say(f"{made.stale} stills are of corrections that were undone: {made.sources} marks them")


def _say_what_was_proposed(proposed: Proposed) -> None:
    if proposed.frames == 0:
        say(f"{proposed.folder}: has these frames already")
    else:
        boxes = proposed.boxes.name
        say(f"{proposed.folder}: {proposed.frames} new frames, with their boxes in {boxes}")


def _say_what_was_harvested(found: Harvested) -> None:
    sorted_in = ", ".join(f"{label} {count}" for label, count in found.counts.items())
    count = sum(found.counts.values())
    say(f"{found.episode.name}: {count} new stills" + f": {sorted_in}" * bool(found.counts))
