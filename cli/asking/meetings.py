"""Questions about characters on screen together: when, together, first."""

from collections.abc import Mapping
from typing import Annotated

import typer

from castline.asking.values import Match, Matches
from castline.library import Library
from castline.text import format_time
from cli.asking.appearances import appearance_row
from cli.console import (
    DEFAULT_LIMIT,
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

PAIRS = 20
"""Pairs shown by default: a cast of 17 has 136."""


def add_commands(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command()(when)
    app.command()(together)
    app.command()(first)


def when(
    context: typer.Context,
    expression: Annotated[
        str,
        typer.Argument(help="Labels, names, or parts of them, with & (and), | (or), ! (not), ()."),
    ],
    episode: Annotated[str | None, typer.Option(help="Only in this episode.")] = None,
    season: Season = None,
    series: Series = None,
    min_seconds: Annotated[
        str, typer.Option(metavar="SECONDS", help="Only ranges that last at least this long.")
    ] = "0",
    gap: Annotated[
        str, typer.Option(metavar="SECONDS", help="First fill gaps of at most this length.")
    ] = "0",
    limit: Limit = DEFAULT_LIMIT,
    run: OfRun = None,
    model: OfModel = None,
    raw: Raw = False,
    skip_repeats: SkipRepeats = False,
    as_json: Json = False,
) -> None:
    """Show when characters are on screen, alone or together, in all episodes.

    Example: castline when 'ned & (homer | marge) & !bart' --min-seconds 2
    """
    library: Library = context.obj
    found = library.when(
        expression,
        episode=episode,
        season=season,
        series=series,
        min_seconds=min_seconds,
        gap=gap,
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
    else:
        how = " for so long" if found.min_seconds else ""
        _print_matches(found, library.names(), how)


def _print_matches(found: Matches, names: Mapping[str, str], how: str) -> None:
    label = found.label
    if found and label and all(item.mean_confidence is not None for item in found):
        print_table(
            ("episode", "start", "end", "character", "confidence"),
            [(*_match_row(item), names[label], f"{item.mean_confidence:.2f}") for item in found],
            numbers="start end confidence",
        )
    elif found:
        print_table(
            ("episode", "start", "end"), [_match_row(item) for item in found], numbers="start end"
        )
    else:
        say(
            f"{names[label]} is not on screen{how}."
            if label
            else f"Nowhere{how}: {found.expression}"
        )


def together(
    context: typer.Context,
    one: Annotated[str | None, typer.Argument(help="Only pairs with this character.")] = None,
    other: Annotated[str | None, typer.Argument(help="Only this pair, in each episode.")] = None,
    episode: Annotated[str | None, typer.Option(help="Only in this episode.")] = None,
    season: Season = None,
    series: Series = None,
    limit: Limit = PAIRS,
    run: OfRun = None,
    model: OfModel = None,
    raw: Raw = False,
    skip_repeats: SkipRepeats = False,
    as_json: Json = False,
) -> None:
    """Show which characters are on screen together, and how long; for two, in which episodes.

    Example: castline together ned homer
    """
    library: Library = context.obj
    found = library.together(
        one,
        other,
        episode=episode,
        season=season,
        series=series,
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
    names = library.names()
    if as_json:
        print_json(found.to_dicts())
    elif found and len(found.labels) == 2:
        print_table(
            ("episode", "together", "times"),
            [(item.episode or "", format_time(item.seconds), str(item.times)) for item in found],
            numbers="times",
        )
    elif found:
        print_table(
            ("character", "other", "together", "times", "episodes"),
            [
                (
                    names[item.label],
                    names[item.other],
                    format_time(item.seconds),
                    str(item.times),
                    str(item.episodes),
                )
                for item in found
            ],
            numbers="times episodes",
        )
    else:
        pair = " and ".join(names[label] for label in found.labels) or "Two known"
        say(f"{pair}: never on screen together.")


def first(
    context: typer.Context,
    label: Annotated[
        str, typer.Argument(help="A label, a name, or an unambiguous part of either.")
    ],
    season: Season = None,
    series: Series = None,
    limit: Limit = DEFAULT_LIMIT,
    run: OfRun = None,
    model: OfModel = None,
    raw: Raw = False,
    skip_repeats: SkipRepeats = False,
    as_json: Json = False,
) -> None:
    """Show when a character is first on screen in each episode.

    Example: castline first ned_flanders
    """
    library: Library = context.obj
    found = library.first(
        label,
        season=season,
        series=series,
        limit=rows_wanted(limit),
        run=run,
        model=model,
        raw=raw,
        skip_repeats=skip_repeats,
        places=as_json,
    )
    if skip_repeats:
        say_if_unsearched(library.unsearched(season=season, series=series, run=run, model=model))
    say_if_more(found, limit)
    names = library.names()
    if as_json:
        print_json(found.to_dicts())
    elif found:
        print_table(
            ("episode", "start", "end", "confidence"),
            [(*row[:3], row[4]) for row in (appearance_row(item, names) for item in found)],
            numbers="start end confidence",
        )
    else:
        say(f"{names[found.label or '']} is not on screen.")


def _match_row(found: Match) -> tuple[str, str, str]:
    return found.episode, format_time(found.start_seconds), format_time(found.end_seconds)
