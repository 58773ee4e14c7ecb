"""The command that composes an episode with its truth from your own stills: compose."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from castline.library import Library
from castline.stills.values import Composed, Composing
from cli.console import LARGEST_SEED, say
from cli.progress import step_bars

LONGEST_SECONDS = 86_400
"""A day, which takes a day to make; all its shots are planned before the first is drawn."""


def add_commands(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command()(compose)


def compose(
    context: typer.Context,
    dataset: Annotated[Path, typer.Argument(help="A dataset; castline dataset build makes one.")],
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", help="The .mp4 file to write; its truth goes to OUTPUT.truth.csv."
        ),
    ],
    part: Annotated[
        str, typer.Option("--set", help="Set of the stills: test, validation or train.")
    ] = "test",
    seconds: Annotated[
        int, typer.Option(min=1, max=LONGEST_SECONDS, metavar="N", help="Duration in seconds.")
    ] = 240,
    negatives: Annotated[
        list[Path] | None,
        typer.Option("--negatives", help="A video without any of the labels; may be repeated."),
    ] = None,
    size: Annotated[str, typer.Option(metavar="WxH", help="Size of the frames.")] = "640x360",
    aspect: Annotated[
        str | None,
        typer.Option(
            metavar="W:H",
            help="Aspect ratio of the picture, between black bars; default the frame's.",
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, max=LARGEST_SEED, help="Seed of shots, pictures and truth.")
    ] = 0,
    groups: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            metavar="SHARE",
            help="Share of shots with three or more labels; adds strangers, hats and tints. Default"
            " 0.25 if stills have boxes, else 0.",
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Allow stills of a set that models are trained on.")
    ] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Replace existing files.")] = False,
) -> None:
    """Compose an episode with its truth from labelled stills, to measure a timeline on.

    Example: castline compose dataset -o composed.mp4 --negatives landscape.mkv
    """
    library: Library = context.obj
    composing = Composing(
        dataset=dataset,
        part=part,
        seconds=seconds,
        negatives=negatives or (),
        size=size,
        aspect=aspect,
        seed=seed,
        groups=groups,
    )
    with step_bars() as show_step:
        made = library.compose(
            output, composing, force=force, replace=replace, on_progress=show_step
        )
    _report(made)


def _report(made: Composed) -> None:
    say(f"Wrote {made.episode} and {made.truth}")
    one, two, nobody = (made.on_screen.count(count) for count in (1, 2, 0))
    more = len(made.on_screen) - one - two - nobody
    groups = f", {more} with three or more" if more else ""
    say(
        f"{len(made.on_screen)} shots: {one} with one character, {two} with two{groups},"
        f" {nobody} with nobody known"
    )
    if not nobody:
        say("No shot without anybody known: name clips for them with --negatives")
    paths = made.episode, made.episode.name, made.truth
    episode, name, path = (shlex.quote(str(each)) for each in paths)
    say(f"Measure on it: castline tag {episode}; castline evaluate {name} {path}")
