"""Commands for the thresholds of appearances: thresholds show, set, reset."""

import time
from typing import Annotated

import typer

from castline.library import Library
from castline.models.values import Changed, Thresholds
from cli.console import Json, print_json, print_table, say
from cli.progress import step_bars

OfThisModel = Annotated[
    str | None,
    typer.Option("--model", metavar="NAME[@VERSION]", help="Of this model, not the one in use."),
]
Label = Annotated[
    str | None, typer.Option(help="Of this character alone: a label, a name or a part.")
]


def add_commands(app: typer.Typer) -> None:
    """Add this group's commands."""
    group = typer.Typer(help="When appearances start and end.", no_args_is_help=True)
    group.command()(show)
    group.command("set")(set_thresholds)
    group.command()(reset)
    app.add_typer(group, name="thresholds")


def show(context: typer.Context, model: OfThisModel = None, as_json: Json = False) -> None:
    """Show the confidences at which appearances start (onset) and end (offset).

    Example: castline thresholds show
    """
    library: Library = context.obj
    found = library.thresholds(model)
    if as_json:
        print_json(
            {
                "model": found.model,
                "min_duration_on_seconds": float(found.min_duration_on_seconds),
                "min_duration_off_seconds": float(found.min_duration_off_seconds),
                "labels": found.to_dicts(),
            }
        )
        return
    names = library.names()
    print_table(
        ("character", "onset", "offset", "the model's own"),
        [
            (
                names[each.label],
                f"{each.onset:.2f}",
                f"{each.offset:.2f}",
                f"{each.own_onset:.2f} {each.own_offset:.2f}" if each.is_changed else "",
            )
            for each in found
        ],
        numbers="onset offset",
    )
    say(_durations(found))


def set_thresholds(
    context: typer.Context,
    label: Label = None,
    onset: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="The confidence at which an appearance starts."),
    ] = None,
    offset: Annotated[
        float | None, typer.Option(min=0, max=1, help="The confidence below which it ends.")
    ] = None,
    min_duration_on: Annotated[
        str | None, typer.Option(metavar="SECONDS", help="Drop appearances that last less.")
    ] = None,
    min_duration_off: Annotated[
        str | None, typer.Option(metavar="SECONDS", help="Fill gaps that last less.")
    ] = None,
    model: OfThisModel = None,
) -> None:
    """Set thresholds for all episodes, tagged ones and future ones.

    No frame is classified again: appearances are derived from the stored tags, and replace the old
    ones in one transaction.

    Example: castline thresholds set --label ned --onset 0.7 --offset 0.5
    """
    library: Library = context.obj
    began = time.monotonic()
    with step_bars() as show_step:
        done = library.set_thresholds(
            label=label,
            onset=onset,
            offset=offset,
            min_duration_on=min_duration_on,
            min_duration_off=min_duration_off,
            model=model,
            on_progress=show_step,
        )
    _say_done(done, began)
    say("Back: castline thresholds reset")


def reset(context: typer.Context, label: Label = None, model: OfThisModel = None) -> None:
    """Restore the model's original thresholds.

    Example: castline thresholds reset --label ned
    """
    library: Library = context.obj
    began = time.monotonic()
    with step_bars() as show_step:
        done = library.reset_thresholds(label=label, model=model, on_progress=show_step)
    _say_done(done, began)


def _say_done(done: Changed, began: float) -> None:
    say(
        f"{done.model}: {done.appearances} appearances in {done.runs} runs derived in"
        f" {time.monotonic() - began:.1f} s; queries see them now"
    )


def _durations(found: Thresholds) -> str:
    return (
        f"{found.model}: appearances under {float(found.min_duration_on_seconds):g} s are dropped,"
        f" gaps under {float(found.min_duration_off_seconds):g} s filled"
    )
