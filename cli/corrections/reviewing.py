"""The command that lists answers worth reviewing: review."""

import shlex
from collections.abc import Mapping
from typing import Annotated

import typer

from castline.corrections.values import Doubt, DoubtKind
from castline.library import Library
from castline.text import format_time
from cli.console import (
    LARGEST_INTEGER,
    Json,
    Limit,
    print_json,
    print_table,
    rows_wanted,
    say,
    say_if_more,
)

ROWS = 20
"""Answers shown by default: enough for a session."""


def add_commands(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command()(review)


def review(
    context: typer.Context,
    episode: Annotated[
        str | None, typer.Argument(help="Only in this episode.", metavar="EPISODE")
    ] = None,
    kind: Annotated[
        list[DoubtKind] | None,
        typer.Option(help="Only what is so doubtful; may be given again."),
    ] = None,
    audit: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=LARGEST_INTEGER,
            metavar="N",
            help="In place of these, what is still to be judged of N moments drawn by lot.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=LARGEST_INTEGER, help="Of the lot.")] = 0,
    limit: Limit = ROWS,
    as_json: Json = False,
) -> None:
    """List the answers most worth reviewing, for castline correct.

    unsure: the confidence is near the onset; isolated: brief, and the label is not nearby;
    confused: another label is nearly as likely, or was the correct one before; stranger: many
    labels are slightly likely, or the label was often wrong before; missed: between offset and
    onset. Judged answers are not listed again. castline evaluate --audit N reports the result of a
    sample.

    Example: castline review --kind unsure --kind missed
    """
    library: Library = context.obj
    if audit is not None:
        if kind:
            raise typer.BadParameter("give one of --kind and --audit")
        _show_sample(library, audit, episode, seed, limit, as_json)
        return
    found = library.review(episode, kinds=kind or (), limit=rows_wanted(limit))
    say_if_more(found, limit)
    if as_json:
        print_json(found.to_dicts())
        return
    if not found:
        say("Nothing is left to look at; castline correct takes what you see.")
        return
    names = library.names()
    print_table(
        ("why", "episode", "look at", "from", "to", "character", "confidence", "or"),
        [
            (
                row.kind,
                row.episode,
                *map(format_time, (row.at_seconds, row.start_seconds, row.end_seconds)),
                names[row.label],
                f"{row.confidence:.2f}",
                _name(row.other, names),
            )
            for row in found
        ],
        numbers="from to confidence",
    )
    say(f"To judge the first: {_how(found[0])}")


def _show_sample(
    library: Library, moments: int, episode: str | None, seed: int, limit: int, as_json: bool
) -> None:
    found = library.audit(moments, episode=episode, seed=seed)
    if as_json:
        print_json(found.to_dict())
        return
    left = [row for row in found if row.is_right is None]
    names = library.names()
    shown = left[: rows_wanted(limit)]
    if shown:
        print_table(
            ("episode", "look at", "character"),
            [(row.episode, format_time(row.at_seconds), names[row.label]) for row in shown],
        )
    say(
        f"{found.judged} of {len(found)} moments are judged, {len(left)} are left;"
        f" castline evaluate --audit {moments} tells what they come to"
    )


def _how(first: Doubt) -> str:
    """Return the commands that judge an answer."""
    command = f"castline correct {shlex.quote(first.episode)}"
    if first.kind == "missed":
        start, end = format_time(first.start_seconds), format_time(first.end_seconds)
        when = f"{command} --from {start} --to {end}"
        return f"{when} --add {first.label}, or {first.label} --wrong"
    at = format_time(first.at_seconds)
    return f"{command} --at {at} {first.label} --right, or --wrong, or --is OTHER"


def _name(label: str | None, names: Mapping[str, str]) -> str:
    return names[label] if label else ""
