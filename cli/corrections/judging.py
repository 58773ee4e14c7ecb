"""The command that corrects an answer: correct."""

from collections.abc import Mapping
from typing import Annotated

import typer

from castline.corrections.values import Correction
from castline.library import Library
from castline.text import format_time
from cli.console import Json, print_json, say

SHOWN_KEY = 8
"""Digits of a key that are shown: among a million corrections hardly two start alike."""

Author = Annotated[
    str | None, typer.Option("--author", help="Who says so; default the user of this machine.")
]
Reason = Annotated[str, typer.Option("--reason", help="Why, for others to read.")]


def add_commands(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command()(correct)


def correct(
    context: typer.Context,
    episode: Annotated[str, typer.Argument(help="Name, part of a name, path or SHA-256.")],
    label: Annotated[str | None, typer.Argument(help="Whose appearance is judged.")] = None,
    at: Annotated[str | None, typer.Option(help="In the shot at this time.")] = None,
    from_: Annotated[str | None, typer.Option("--from", help="From here on.")] = None,
    to: Annotated[str | None, typer.Option("--to", help="Until here.")] = None,
    whole: Annotated[
        bool, typer.Option("--whole", help="In all shots of the appearance at that time.")
    ] = False,
    is_: Annotated[
        str | None, typer.Option("--is", metavar="OTHER", help="It is this one.")
    ] = None,
    wrong: Annotated[bool, typer.Option("--wrong", help="It is nobody known.")] = False,
    right: Annotated[bool, typer.Option("--right", help="It is as is shown.")] = False,
    add: Annotated[
        str | None, typer.Option(metavar="LABEL", help="This one is on screen, too.")
    ] = None,
    start: Annotated[
        str | None, typer.Option(metavar="TIME", help="The appearance at that time starts here.")
    ] = None,
    end: Annotated[str | None, typer.Option(metavar="TIME", help="It ends here.")] = None,
    new: Annotated[
        bool, typer.Option("--new", help="The label given may be one that nobody knows yet.")
    ] = False,
    author: Author = None,
    reason: Reason = "",
    as_json: Json = False,
) -> None:
    """Correct a wrong or doubtful answer; this also counts in every future run.

    Example: castline correct pilot.mkv --at 1:23 homer --is ned
    """
    library: Library = context.obj
    judged = library.correct(
        episode,
        label,
        at=at,
        from_=from_,
        to=to,
        whole=whole,
        is_=is_,
        wrong=wrong,
        right=right,
        add=add,
        start=start,
        end=end,
        new=new,
        author=author,
        reason=reason,
    )
    if as_json:
        print_json(judged.to_dicts())
        return
    if judged.is_known:
        say("You said so before; nothing was added.")
    names = library.names()
    for one in judged:
        key = one.key[:SHOWN_KEY]
        say(f"{said(one, names)}; to take it back: castline corrections undo {key}")


def said(one: Correction, names: Mapping[str, str]) -> str:
    """Describe a correction, such as `pilot.mkv, 00:01:02.000 to ...: homer is ned`."""
    return f"{one.episode or one.sha256[:8]}, {when(one)}: {claim(one, names)}"


def claim(one: Correction, names: Mapping[str, str]) -> str:
    """Describe the verdict on the label."""
    label = names[one.label]
    said = {
        "right": f"{label} is right",
        "wrong": f"not {label}, nobody known",
        "relabel": f"not {label}, but {names[one.other or '']}",
        "add": f"{label}, too",
        "trim": f"{label} from {_part(one)}",
        "undo": f"takes back {(one.supersedes or '')[:SHOWN_KEY]}",
    }
    return said[one.verdict]


def when(one: Correction) -> str:
    """Describe the range, in pts where the episode is not here."""
    if one.start_seconds is None or one.end_seconds is None:
        return f"pts {one.start_pts} to {one.end_pts}"
    return f"{format_time(one.start_seconds)} to {format_time(one.end_seconds)}"


def _part(one: Correction) -> str:
    if one.part_start_seconds is None or one.part_end_seconds is None:
        return f"pts {one.part_start_pts} to {one.part_end_pts}"
    return f"{format_time(one.part_start_seconds)} to {format_time(one.part_end_seconds)}"
