"""An episode with its truth out of your own stills: compose."""

import shlex
from dataclasses import replace as with_changes
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.console import LARGEST_SEED, say
from cli.progress import step_bars
from timeline.files import check_free
from worker.errors import WorkerError

if TYPE_CHECKING:
    from model.shot_pictures import Layout
    from timeline.shots import Shot

SUFFIX = ".mp4"

LONGEST_SECONDS = 86_400
"""A day, which takes a day to make; all its shots are planned before the first is drawn."""


def add_commands(app: typer.Typer) -> None:
    """Adds this group's commands."""
    app.command()(compose)


def compose(
    context: typer.Context,
    dataset: Annotated[Path, typer.Argument(help="A dataset; castline dataset build makes one.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="An .mp4 to make; OUTPUT.truth.csv is the truth.")
    ],
    part: Annotated[str, typer.Option("--set", help="Whose stills to show.")] = "test",
    seconds: Annotated[
        int, typer.Option(min=1, max=LONGEST_SECONDS, metavar="N", help="How long it lasts.")
    ] = 240,
    negatives: Annotated[
        list[Path] | None,
        typer.Option("--negatives", help="A video in which nobody known is; may be given again."),
    ] = None,
    size: Annotated[str, typer.Option(metavar="WxH", help="Of the frames.")] = "640x360",
    aspect: Annotated[
        str | None,
        typer.Option(
            metavar="W:H", help="Of the picture, between black bars; default the frame's."
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, max=LARGEST_SEED, help="Of shots, pictures and truth.")
    ] = 0,
    groups: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            metavar="SHARE",
            help="Of shots with three or more; strangers, hats and tints come with them. Default"
            " 0.25 if stills have boxes, else 0.",
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Take stills of a set that models learn from.")
    ] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Replace files that exist.")] = False,
) -> None:
    """Compose an episode, with its truth, of labelled stills, to measure a timeline on.

    Example: castline compose dataset -o composed.mp4 --negatives landscape.mkv
    """
    from ingest.decoder import Decoder
    from model.dataset import open_dataset
    from worker.composing import (
        MEASURING_PART,
        Composition,
        compose_episode,
        open_negative,
    )

    truth = output.with_name(f"{output.name}.truth.csv")
    if output.suffix.lower() != SUFFIX:
        raise WorkerError(f"{output}: is an MP4; name it {output.stem}{SUFFIX}")
    for path in (output, truth):
        check_free(path, replace, "--replace")
    if part != MEASURING_PART and not force:
        raise WorkerError(
            f"--set {part}: a model may have learnt from these stills, and would look better than"
            f" it is; take {MEASURING_PART}, or --force"
        )
    layout = _layout(size, aspect)
    opened = open_dataset(dataset)
    with Decoder(media_roots=context.obj.readable_roots) as decoder, step_bars() as show_step:
        clips = tuple(open_negative(decoder, path) for path in negatives or ())
        composition = Composition(opened, part, clips, layout, seconds, seed)
        share = composition.usual_groups if groups is None else groups
        composition = with_changes(composition, groups=share)
        shots = compose_episode(composition, decoder, output, truth, show_step)
    _report(output, truth, shots)


def _layout(size: str, aspect: str | None) -> "Layout":
    from model.shot_pictures import Layout

    width, height = _two_numbers("--size", size, "x")
    if aspect is None:
        return Layout(int(width), int(height))
    across, down = _two_numbers("--aspect", aspect, ":")
    return Layout(int(width), int(height), across / down)


def _two_numbers(option: str, text: str, between: str) -> tuple[Fraction, Fraction]:
    first, _, second = text.lower().partition(between)
    try:
        numbers = Fraction(first), Fraction(second)
    except (ValueError, ZeroDivisionError):
        numbers = Fraction(0), Fraction(0)
    if min(numbers) <= 0:
        raise WorkerError(f"{option} {text!r}: write two numbers with {between!r} between them")
    return numbers


def _report(output: Path, truth: Path, shots: list["Shot"]) -> None:
    say(f"Wrote {output} and {truth}")
    one, two, nobody = (sum(len(shot.labels) == count for shot in shots) for count in (1, 2, 0))
    more = len(shots) - one - two - nobody
    groups = f", {more} with three or more" if more else ""
    say(
        f"{len(shots)} shots: {one} with one character, {two} with two{groups},"
        f" {nobody} with nobody known"
    )
    if not nobody:
        say("No shot without anybody known: name clips for them with --negatives")
    episode, name, path = (shlex.quote(str(each)) for each in (output, output.name, truth))
    say(f"Measure on it: castline tag {episode}; castline evaluate {name} {path}")
