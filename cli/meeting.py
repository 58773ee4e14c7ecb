"""Questions about who meets whom: when, together, first."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.appearances import appearance_json, appearance_row
from cli.console import (
    DEFAULT_LIMIT,
    Json,
    Limit,
    OfModel,
    OfRun,
    Season,
    asked_episode_id,
    asked_season,
    first_rows,
    print_json,
    print_table,
    require_label,
    rows_to_read,
    say,
)
from db.current import find_shown
from db.queries import SharedTime, first_appearances, shared_time
from model.labels import Names
from timeline.errors import TimelineError
from timeline.times import format_time, parse_time
from worker.answers import Match, find_matches
from worker.names import names_of
from worker.workplace import open_workplace

if TYPE_CHECKING:
    from db.engine import Transaction
    from timeline.expressions import Expression

PAIRS = 20
"""Pairs that are shown unless more are asked for: a cast of 17 has 136."""


def add_commands(app: typer.Typer) -> None:
    """Adds this group's commands."""
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
    min_seconds: Annotated[
        str, typer.Option(metavar="SECONDS", help="Only ranges that last at least this long.")
    ] = "0",
    gap: Annotated[
        str, typer.Option(metavar="SECONDS", help="First fill gaps of at most this length.")
    ] = "0",
    limit: Limit = DEFAULT_LIMIT,
    run: OfRun = None,
    model: OfModel = None,
    as_json: Json = False,
) -> None:
    """Say when characters are on screen, alone or together, in all episodes.

    Example: castline when 'ned & (homer | marge) & !bart' --min-seconds 2
    """
    shortest, longest_gap = parse_time(min_seconds), parse_time(gap)
    with open_workplace(context.obj) as place, place.database.read() as connection:
        asked = read_expression(connection, expression)
        shown = find_shown(connection, run, model)
        matches = find_matches(
            connection,
            asked,
            episode_id=asked_episode_id(connection, episode, shown),
            season=asked_season(connection, season, shown),
            min_seconds=shortest,
            gap_seconds=longest_gap,
            shown=shown,
        )
        found = first_rows(matches, limit)
        names = names_of(connection)
    _show_matches(asked, found, names, as_json, " for so long" if shortest else "")


def read_expression(connection: "Transaction", text: str) -> "Expression":
    """The expression that a person wrote, with the labels that it means.

    Raises:
        ExpressionError: it cannot be read.
        NotFoundError: a name fits no label, or several.
    """
    from timeline.expressions import parse_expression, with_labels

    return with_labels(parse_expression(text), lambda name: require_label(connection, name))


def _show_matches(
    asked: "Expression", found: list[Match], names: Names, as_json: bool, how: str
) -> None:
    from timeline.expressions import Label, format_expression

    label = asked.name if isinstance(asked, Label) else None
    text = format_expression(asked)
    if as_json:
        print_json([_match_json(item, label, text) for item in found])
    elif found and label and all(item.appearance for item in found):
        print_table(
            ("episode", "start", "end", "character", "confidence"),
            [(*_match_row(item), names[label], _confidence(item)) for item in found],
            numbers="start end confidence",
        )
    elif found:
        print_table(
            ("episode", "start", "end"), [_match_row(item) for item in found], numbers="start end"
        )
    else:
        say(f"{names[label]} is not on screen{how}." if label else f"Nowhere{how}: {text}")


def together(
    context: typer.Context,
    one: Annotated[str | None, typer.Argument(help="Only pairs with this character.")] = None,
    other: Annotated[str | None, typer.Argument(help="Only this pair, in each episode.")] = None,
    episode: Annotated[str | None, typer.Option(help="Only in this episode.")] = None,
    season: Season = None,
    limit: Limit = PAIRS,
    run: OfRun = None,
    model: OfModel = None,
    as_json: Json = False,
) -> None:
    """Say which characters are on screen at once, and how long; of two, in which episodes.

    Example: castline together ned homer
    """
    with open_workplace(context.obj) as place, place.database.read() as connection:
        shown = find_shown(connection, run, model)
        labels = tuple(require_label(connection, name) for name in (one, other) if name is not None)
        if len(labels) == 2 and labels[0] == labels[1]:
            raise TimelineError(f"{labels[0]}: is named twice; name another one, or none")
        rows = shared_time(
            connection,
            labels,
            by_episode=len(labels) == 2,
            episode_id=asked_episode_id(connection, episode, shown),
            season=asked_season(connection, season, shown),
            limit=rows_to_read(limit),
            shown=shown,
        )
        names = names_of(connection)
    found = first_rows(rows, limit)
    if as_json:
        print_json([_pair_json(item) for item in found])
    elif found and len(labels) == 2:
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
        who = " and ".join(names[label] for label in labels) or "Two known"
        say(f"{who}: never on screen together.")


def first(
    context: typer.Context,
    label: Annotated[str, typer.Argument(help="A label, a name, or a part that fits no other.")],
    season: Season = None,
    limit: Limit = DEFAULT_LIMIT,
    run: OfRun = None,
    model: OfModel = None,
    as_json: Json = False,
) -> None:
    """Say when a character is first on screen in each episode.

    Example: castline first ned_flanders
    """
    with open_workplace(context.obj) as place, place.database.read() as connection:
        shown = find_shown(connection, run, model)
        wanted = require_label(connection, label)
        rows = first_appearances(
            connection,
            wanted,
            season=asked_season(connection, season, shown),
            limit=rows_to_read(limit),
            places=as_json,
            shown=shown,
        )
        names = names_of(connection)
    found = first_rows(rows, limit)
    if as_json:
        print_json([appearance_json(item) for item in found])
    elif found:
        print_table(
            ("episode", "start", "end", "confidence"),
            [(*row[:3], row[4]) for row in (appearance_row(item, names) for item in found)],
            numbers="start end confidence",
        )
    else:
        say(f"{names[wanted]} is not on screen.")


def _match_row(found: Match) -> tuple[str, str, str]:
    return found.episode, format_time(found.start_seconds), format_time(found.end_seconds)


def _confidence(found: Match) -> str:
    return f"{found.appearance.mean_confidence:.2f}" if found.appearance else ""


def _match_json(found: Match, label: str | None, text: str) -> dict[str, Any]:
    shown = found.appearance
    return {
        "episode": found.episode,
        "label": label,
        "expression": text,
        "start_seconds": float(found.start_seconds),
        "end_seconds": float(found.end_seconds),
        "start_pts": found.start_pts,
        "end_pts": found.end_pts,
        "frames": shown.frames if shown else None,
        "mean_confidence": shown.mean_confidence if shown else None,
        "max_confidence": shown.max_confidence if shown else None,
    }


def _pair_json(found: SharedTime) -> dict[str, Any]:
    by_episode = {} if found.episode is None else {"episode": found.episode}
    return {
        **by_episode,
        "label": found.label,
        "other": found.other,
        "seconds": found.seconds,
        "times": found.times,
        "episodes": found.episodes,
    }
