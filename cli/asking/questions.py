"""Commands for questions: who, screen-time, plot. None of them imports TensorFlow."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from castline.asking.values import Grouping, ScreenTime
from castline.library import Library
from castline.text import format_time
from cli.asking.appearances import appearance_row
from cli.console import (
    DEFAULT_LIMIT,
    LARGEST_INTEGER,
    EpisodeName,
    Json,
    Limit,
    OfModel,
    OfRun,
    Raw,
    Season,
    Series,
    SkipRepeats,
    print_json,
    print_table,
    rows_wanted,
    say,
    say_if_more,
    say_if_unsearched,
)


def add_commands(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command()(who)
    app.command("screen-time")(show_screen_time)
    app.command()(plot)


def who(
    context: typer.Context,
    episode: EpisodeName,
    at: Annotated[
        str | None, typer.Option(help="Only appearances at this time: 83.5, 1:23 or 1:23.5.")
    ] = None,
    from_: Annotated[
        str | None, typer.Option("--from", help="Only appearances at this time or later.")
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", help="Only appearances before this time.")
    ] = None,
    run: OfRun = None,
    model: OfModel = None,
    raw: Raw = False,
    skip_repeats: SkipRepeats = False,
    as_json: Json = False,
) -> None:
    """Show who is on screen in an episode, and when.

    Example: castline who pilot.mkv --at 12:30
    """
    library: Library = context.obj
    found = library.who(
        episode,
        at=at,
        from_=from_,
        to=to,
        run=run,
        model=model,
        raw=raw,
        skip_repeats=skip_repeats,
        places=as_json,
    )
    if skip_repeats:
        say_if_unsearched(library.unsearched(episode=episode, run=run, model=model))
    for start, end in found.unexamined:
        say(f"Not examined: {format_time(start)} to {format_time(end)}.")
    if as_json:
        print_json(found.to_dicts())
    elif found:
        names = library.names()
        print_table(
            ("start", "end", "character", "confidence"),
            [appearance_row(item, names)[1:] for item in found],
            numbers="start end confidence",
        )
    elif not (at and found.unexamined):
        say(f"Nobody known is on screen{f' at {at}' if at else ' then' if from_ or to else ''}.")


def show_screen_time(
    context: typer.Context,
    episode: Annotated[str | None, typer.Option(help="Only in this episode.")] = None,
    by: Annotated[
        Grouping, typer.Option(help="Total over all episodes, or per episode or season.")
    ] = "character",
    label: Annotated[str | None, typer.Option(help="Only this character.")] = None,
    season: Season = None,
    series: Series = None,
    top: Annotated[
        int | None,
        typer.Option(min=1, max=LARGEST_INTEGER, help="Only so many of each episode or season."),
    ] = None,
    limit: Limit = DEFAULT_LIMIT,
    run: OfRun = None,
    model: OfModel = None,
    raw: Raw = False,
    skip_repeats: SkipRepeats = False,
    as_json: Json = False,
) -> None:
    """Show how long each character is on screen.

    Example: castline screen-time --by season --top 5
    """
    library: Library = context.obj
    found = library.screen_time(
        episode=episode,
        by=by,
        label=label,
        season=season,
        series=series,
        top=top,
        limit=rows_wanted(limit),
        run=run,
        model=model,
        raw=raw,
        skip_repeats=skip_repeats,
    )
    if skip_repeats:
        say_if_unsearched(
            library.unsearched(episode=episode, season=season, series=series, run=run, model=model)
        )
    say_if_more(found, limit)
    if as_json:
        print_json(found.to_dicts())
    elif found:
        names = library.names()
        columns = ("character", "on screen", "appearances", "episodes")
        print_table(
            (*_GROUPS[by], *columns),
            [_screen_time_row(item, by, names) for item in found],
            numbers="appearances episodes",
        )
    else:
        say("No known character is on screen in the episodes tagged so far.")


def plot(
    context: typer.Context,
    episode: EpisodeName,
    output: Annotated[Path, typer.Option("--output", "-o", help="A .png or .svg file.")],
    run: OfRun = None,
    model: OfModel = None,
    raw: Raw = False,
    skip_repeats: SkipRepeats = False,
) -> None:
    """Plot the timeline of an episode.

    Example: castline plot pilot.mkv -o pilot.svg
    """
    library: Library = context.obj
    library.plot(episode, output, run=run, model=model, raw=raw, skip_repeats=skip_repeats)
    if skip_repeats:
        say_if_unsearched(library.unsearched(episode=episode, run=run, model=model))
    say(f"Wrote {output}")


_GROUPS: Mapping[Grouping, tuple[str, ...]] = {
    "character": (),
    "episode": ("episode",),
    "season": ("series", "season"),
}


def _screen_time_row(found: ScreenTime, by: Grouping, names: Mapping[str, str]) -> tuple[str, ...]:
    season = "" if found.season is None else str(found.season)
    groups: Mapping[Grouping, tuple[str, ...]] = {
        "character": (),
        "episode": (found.episode or "",),
        "season": (found.series or "", season),
    }
    numbers = str(found.appearances), str(found.episodes)
    return (*groups[by], names[found.label], format_time(found.seconds), *numbers)
