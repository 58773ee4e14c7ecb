"""Episodes: list, edit, locate, remove; what recurs in them."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from castline.asking.values import Episode
from castline.library import Library
from castline.repeats.values import Repeats
from castline.tables import Table
from castline.text import format_time
from cli.console import (
    LARGEST_INTEGER,
    DryRun,
    Json,
    Series,
    Yes,
    answer,
    confirm_removal,
    megabytes,
    print_json,
    print_table,
    say,
)
from cli.progress import step_bars
from cli.tagging.report import EXIT_PARTIAL

if TYPE_CHECKING:
    from castline.upkeep.episodes import Removal

References = Annotated[
    list[str],
    typer.Argument(
        metavar="EPISODE",
        help="Name, part of it, path, 'Series S01E02', number or SHA-256.",
        show_default=False,
    ),
]


def add_commands(app: typer.Typer) -> None:
    """Add this group's commands."""
    group = typer.Typer(invoke_without_command=True)
    group.callback()(episodes)
    group.command()(edit)
    group.command()(locate)
    group.command()(remove)
    group.command()(repeats)
    group.command()(find_repeats)
    app.add_typer(group, name="episodes")


def episodes(context: typer.Context, as_json: Json = False) -> None:
    """List the episodes in the library, edit, locate or remove some, or find openings and credits.

    Example: castline episodes
    """
    if context.invoked_subcommand is not None:
        return
    library: Library = context.obj
    found = library.episodes()
    if as_json:
        print_json(found.to_dicts())
    elif found:
        _print(found)
    else:
        say("No episodes yet; run: castline tag EPISODE")


def edit(
    context: typer.Context,
    episodes: References,
    series: Annotated[
        str | None, typer.Option(help="What the series is called; '' forgets it.")
    ] = None,
    season: Annotated[
        int | None, typer.Option(min=0, max=LARGEST_INTEGER, help="The season's number.")
    ] = None,
    number: Annotated[
        int | None, typer.Option(min=0, max=LARGEST_INTEGER, help="The episode's, in its season.")
    ] = None,
    title: Annotated[str | None, typer.Option(help="The episode's title; '' forgets it.")] = None,
    as_json: Json = False,
) -> None:
    """Set the series, season, number and title of episodes.

    Example: castline episodes edit pilot.mkv --series 'The Town' --season 1 --number 1
    """
    if all(value is None for value in (series, season, number, title)):
        raise typer.BadParameter("give one or several of --series, --season, --number, --title")
    library: Library = context.obj
    found = library.edit_episodes(
        *episodes, series=series, season=season, number=number, title=title
    )
    if as_json:
        print_json(found.to_dicts())
    else:
        _print(found)


def locate(
    context: typer.Context,
    folders: Annotated[
        list[Path], typer.Argument(help="Where to look, however deep.", show_default=False)
    ],
    as_json: Json = False,
) -> None:
    """Find the files of episodes that were moved or renamed, by their content.

    Example: castline episodes locate ~/series
    """
    library: Library = context.obj
    found = library.locate_episodes(*folders)
    if as_json:
        print_json(found.to_dicts())
    else:
        for item in found:
            answer(f"{item.episode}: was {item.old_path}, is {item.path}")
        if not (found or found.missing):
            say("Every episode's file is where it was.")
    for path in found.missing:
        say(f"{path}: not found there; look in more folders")
    raise typer.Exit(EXIT_PARTIAL if found.missing else 0)


def remove(
    context: typer.Context,
    episodes: References,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Remove episodes with their runs and stored frames, after showing them; files stay.

    Example: castline episodes remove 'The Town S01E01'
    """
    library: Library = context.obj
    removal = library.plan_episode_removal(*episodes)
    if as_json:
        print_json(removal.to_dict())
    else:
        _print_removal(removal)
    if dry_run:
        return
    confirm_removal("episodes remove", yes=yes)
    library.remove_episodes(removal)
    say("Removed; the episodes' files are where they were.")


SomeEpisodes = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[EPISODE]...",
        help="Name, part of it, path, 'Series S01E02', number or SHA-256; by default all.",
        show_default=False,
    ),
]


def repeats(
    context: typer.Context,
    episodes: SomeEpisodes = None,
    series: Series = None,
    as_json: Json = False,
) -> None:
    """Show the openings, credits and other ranges that recur, as they were found.

    Example: castline episodes repeats --series 'The Town'
    """
    library: Library = context.obj
    found = library.repeats(*(episodes or ()), series=series)
    _print_repeats(found, as_json)
    if found.unsearched:
        say(f"{_some(found.unsearched)}: never searched; run: castline episodes find-repeats")


def find_repeats(
    context: typer.Context,
    episodes: SomeEpisodes = None,
    series: Series = None,
    decode: Annotated[
        bool, typer.Option("--decode", help="Decode episodes whose frames are not stored.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Find what recurs in the episodes of a series, from stored frames: openings, credits.

    Then --skip-repeats leaves it out of answers. An episode is compared with three before it and
    three after it; what was found before is replaced.

    Example: castline episodes find-repeats --series 'The Town'
    """
    library: Library = context.obj
    with step_bars() as show:
        found = library.find_repeats(
            *(episodes or ()), series=series, decode=decode, on_progress=show
        )
    _print_repeats(found, as_json)
    for one, other in found.copies:
        say(f"{other} is a copy of {one}, so they were not compared with each other")
    if found.alone:
        say(f"{_some(found.alone)}: no other episode of the series has stored frames; tag one")
    if found.without_frames:
        say(
            f"{_some(found.without_frames)}: the frames are not stored any more; run: castline"
            " episodes find-repeats --decode"
            if not decode
            else f"{_some(found.without_frames)}: cannot be decoded; castline episodes locate"
            " FOLDER finds moved files"
        )
    raise typer.Exit(EXIT_PARTIAL if found.without_frames else 0)


def _print_repeats(found: Repeats, as_json: bool) -> None:
    if as_json:
        print_json(found.to_dicts())
        return
    if found:
        print_table(
            ("episode", "start", "end", "seconds", "also in"),
            [
                (
                    item.episode,
                    format_time(item.start_seconds),
                    format_time(item.end_seconds),
                    f"{float(item.seconds):.1f}",
                    _some(item.elsewhere),
                )
                for item in found
            ],
            numbers="start end seconds",
        )
    if found.nothing_in:
        say(f"{_some(found.nothing_in)}: nothing recurs")
    if not (found or found.nothing_in or found.unsearched):
        say("No episodes yet; run: castline tag EPISODE")


NAMES_SHOWN = 3
"""Names in a line: the rest are counted."""


def _some(names: Sequence[str]) -> str:
    more = len(names) - NAMES_SHOWN
    shown = ", ".join(names[:NAMES_SHOWN])
    return f"{shown} and {more} more" if more > 0 else shown


def _print(found: Table[Episode]) -> None:
    print_table(
        ("id", "episode", "called", "length", "size", "labels", "model", "sha256"),
        [
            (
                str(item.id),
                item.name,
                item.called,
                format_time(item.duration_seconds),
                f"{item.width}x{item.height}",
                str(item.labels) if item.model else "",
                item.model or "not tagged yet",
                item.sha256[:8],
            )
            for item in found
        ],
        numbers="id length labels",
    )


def _print_removal(removal: "Removal") -> None:
    _print(removal.episodes)
    say("")
    rows = [
        ("runs", str(len(removal.runs)), ""),
        ("  their tags", str(removal.rows.tags), ""),
        ("  their appearances", str(removal.rows.appearances), ""),
        ("stored frames, files", str(len(removal.frames)), megabytes(removal.frames_bytes)),
    ]
    print_table(("what goes with them", "count", "size"), rows, numbers="count size")
    if removal.corrections:
        number = removal.corrections
        stay = (
            "1 correction stays, and counts"
            if number == 1
            else f"{number} corrections stay, and count"
        )
        say("")
        say(f"{stay} again if the same content is tagged again.")
