"""Questions: episodes, who, screen-time, plot. None of these imports TensorFlow."""

from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, NamedTuple

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
    require_shown_run,
    require_tagged_episode,
    rows_to_read,
    say,
)
from db.current import find_shown
from db.episodes import list_episodes
from db.errors import NotFoundError
from db.queries import Grouping, ScreenTime, find_appearances, screen_time
from db.records import EpisodeRecord, RunRecord
from model.labels import Names, shortened
from timeline.errors import TimelineError
from timeline.times import format_time, parse_time
from worker.names import names_of
from worker.workplace import open_workplace

ROUNDING = Fraction(1, 2000)
"""The most seconds by which `format_time` rounds."""


def add_commands(app: typer.Typer) -> None:
    """Adds this group's commands."""
    app.command()(episodes)
    app.command()(who)
    app.command("screen-time")(show_screen_time)
    app.command()(plot)


def episodes(context: typer.Context, as_json: Json = False) -> None:
    """List the episodes that Castline knows.

    Example: castline episodes
    """
    with open_workplace(context.obj) as place, place.database.read() as connection:
        found = list_episodes(connection)
    if as_json:
        print_json(
            [
                {
                    "episode": item.name,
                    "sha256": item.sha256,
                    "path": item.uri,
                    "duration_seconds": item.duration_seconds,
                    "width": item.width,
                    "height": item.height,
                    "frame_rate": str(item.frame_rate),
                    "added_at": item.added_at.isoformat(),
                    "model": item.model,
                    "labels": item.labels,
                }
                for item in found
            ]
        )
        return
    if not found:
        say("No episodes yet; run: castline tag EPISODE")
        return
    print_table(
        ("episode", "length", "size", "labels", "model", "sha256"),
        [
            (
                item.name,
                format_time(item.duration_seconds),
                f"{item.width}x{item.height}",
                str(item.labels) if item.model else "",
                item.model or "not tagged yet",
                item.sha256[:8],
            )
            for item in found
        ],
        numbers="length labels",
    )


def who(
    context: typer.Context,
    episode: Annotated[str, typer.Argument(help="Name, part of a name, path or SHA-256.")],
    at: Annotated[
        str | None, typer.Option(help="Only who is on screen at this time: 83.5, 1:23 or 1:23.5.")
    ] = None,
    from_: Annotated[
        str | None, typer.Option("--from", help="Only who is on screen at this time or later.")
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", help="Only who is on screen before this time.")
    ] = None,
    run: OfRun = None,
    model: OfModel = None,
    as_json: Json = False,
) -> None:
    """Say who is on screen in an episode, and when.

    Example: castline who pilot.mkv --at 12:30
    """
    asked = _asked_times(at, from_, to)
    with open_workplace(context.obj) as place, place.database.read() as connection:
        known = require_tagged_episode(connection, episode)
        shown = find_shown(connection, run, model)
        shown_run = require_shown_run(connection, known, shown)
        found = find_appearances(
            connection,
            episode_id=known.id,
            at_seconds=asked.at,
            from_seconds=asked.start,
            to_seconds=asked.end,
            places=as_json,
            shown=shown,
        )
        names = names_of(connection)
    unexamined = _say_what_was_not_examined(known, shown_run, asked)
    if as_json:
        print_json([appearance_json(item) for item in found])
    elif found:
        print_table(
            ("start", "end", "character", "confidence"),
            [appearance_row(item, names)[1:] for item in found],
            numbers="start end confidence",
        )
    elif not (at and unexamined):
        say(f"Nobody known is on screen{f' at {at}' if at else ' then' if from_ or to else ''}.")


def show_screen_time(
    context: typer.Context,
    episode: Annotated[str | None, typer.Option(help="Only in this episode.")] = None,
    by: Annotated[
        Grouping, typer.Option(help="Add up over all, or for each episode or season.")
    ] = "character",
    label: Annotated[str | None, typer.Option(help="Only this character.")] = None,
    season: Season = None,
    limit: Limit = DEFAULT_LIMIT,
    run: OfRun = None,
    model: OfModel = None,
    as_json: Json = False,
) -> None:
    """Say how long each character is on screen.

    Example: castline screen-time --by season --label ned
    """
    with open_workplace(context.obj) as place, place.database.read() as connection:
        shown = find_shown(connection, run, model)
        name = None if label is None else require_label(connection, label)
        rows = screen_time(
            connection,
            asked_episode_id(connection, episode, shown),
            by=by,
            label=name,
            season=asked_season(connection, season, shown),
            limit=rows_to_read(limit),
            shown=shown,
        )
        names = names_of(connection)
    found = first_rows(rows, limit)
    if as_json:
        print_json([_screen_time_json(item, by) for item in found])
    elif found:
        columns = ("character", "on screen", "appearances", "episodes")
        print_table(
            columns if by == "character" else (by, *columns),
            [_screen_time_row(item, by, names) for item in found],
            numbers="appearances episodes",
        )
    else:
        say("Nobody known is on screen in what was tagged so far.")


def plot(
    context: typer.Context,
    episode: Annotated[str, typer.Argument(help="Name, part of a name, path or SHA-256.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="A .png or .svg file.")],
    run: OfRun = None,
    model: OfModel = None,
) -> None:
    """Draw the timeline of an episode.

    Example: castline plot pilot.mkv -o pilot.svg
    """
    from model.fonts import font_families
    from timeline.plot import plot_timeline
    from worker.answers import labelled_ranges

    with open_workplace(context.obj) as place, place.database.read() as connection:
        found = require_tagged_episode(connection, episode)
        shown = find_shown(connection, run, model)
        missing = require_shown_run(connection, found, shown).missing_seconds
        ranges = labelled_ranges(connection, found, shown)
        written = names_of(connection)
    names = {item.label: shortened(written[item.label]) for item in ranges}
    plot_timeline(
        ranges,
        found.duration_seconds,
        output,
        found.name,
        missing=missing,
        names=names,
        fonts=font_families([found.name, *names.values()]),
    )
    say(f"Wrote {output}")


class _Asked(NamedTuple):
    """The seconds that a question is limited to, for comparing them with exact ones.

    They are moved by what tables round, so that times compare as they are printed: at the start
    that a table shows somebody is on screen, and at the end nobody is.
    """

    at: float | None
    start: float | None
    end: float | None

    def meets(self, start_seconds: float, end_seconds: float) -> bool:
        """Whether a half-open range is asked about."""
        if self.at is not None:
            return start_seconds <= self.at < end_seconds
        starts_in_time = self.end is None or start_seconds < self.end
        return starts_in_time and (self.start is None or self.start < end_seconds)


def _asked_times(at: str | None, from_: str | None, to: str | None) -> _Asked:
    if at is not None and (from_ is not None or to is not None):
        raise TimelineError("--at is a moment, --from and --to are a range; leave one of them out")
    moment, start, end = (None if text is None else parse_time(text) for text in (at, from_, to))
    if start is not None and end is not None and start >= end:
        raise TimelineError(f"--from {from_} --to {to}: the range must end after its start")
    return _Asked(
        None if moment is None else float(moment + ROUNDING),
        None if start is None else float(start + ROUNDING),
        None if end is None else float(end - ROUNDING),
    )


def _say_what_was_not_examined(episode: EpisodeRecord, run: RunRecord, asked: _Asked) -> bool:
    """Tells silence from ignorance: nobody was seen where nobody looked."""
    first_asked = asked.start if asked.at is None else asked.at
    if first_asked is not None and first_asked >= episode.duration_seconds:
        raise NotFoundError(
            f"{episode.name}: ends at {format_time(episode.duration_seconds)}; ask for a time"
            " before that"
        )
    unexamined = [(start, end) for start, end in run.missing_seconds if asked.meets(start, end)]
    for start, end in unexamined:
        say(f"Not examined: {format_time(start)} to {format_time(end)}.")
    return bool(unexamined)


def _screen_time_row(found: ScreenTime, by: Grouping, names: Names) -> tuple[str, ...]:
    season = "" if found.season is None else str(found.season)
    group = {"character": (), "episode": (found.episode or "",), "season": (season,)}[by]
    numbers = str(found.appearances), str(found.episodes)
    return (*group, names[found.label], format_time(found.seconds), *numbers)


def _screen_time_json(found: ScreenTime, by: Grouping) -> dict[str, Any]:
    row: dict[str, Any] = {
        "label": found.label,
        "seconds": found.seconds,
        "appearances": found.appearances,
        "episodes": found.episodes,
    }
    if by == "character":
        return row
    return {by: found.episode if by == "episode" else found.season, **row}
