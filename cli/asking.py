"""Questions: episodes, who, when, screen-time, plot. None of these imports TensorFlow."""

from pathlib import Path
from typing import Annotated, Any

import typer

from cli.console import (
    Json,
    OfModel,
    OfRun,
    print_json,
    print_table,
    require_label,
    require_shown_run,
    require_tagged_episode,
    say,
)
from db.current import find_shown
from db.episodes import list_episodes
from db.errors import NotFoundError
from db.queries import EpisodeAppearance, find_appearances, screen_time
from db.records import EpisodeRecord, RunRecord
from timeline.times import format_time, parse_time
from worker.workplace import open_workplace


def add_commands(app: typer.Typer) -> None:
    """Adds this group's commands."""
    app.command()(episodes)
    app.command()(who)
    app.command()(when)
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
    run: OfRun = None,
    model: OfModel = None,
    as_json: Json = False,
) -> None:
    """Say who is on screen in an episode, and when.

    Example: castline who pilot.mkv --at 12:30
    """
    at_seconds = None if at is None else float(parse_time(at))
    with open_workplace(context.obj) as place, place.database.read() as connection:
        known = require_tagged_episode(connection, episode)
        shown = find_shown(connection, run, model)
        asked = require_shown_run(connection, known, shown)
        found = find_appearances(
            connection, episode_id=known.id, at_seconds=at_seconds, shown=shown
        )
    unexamined = _say_what_was_not_examined(known, asked, at_seconds)
    if as_json:
        print_json([_appearance_json(item) for item in found])
    elif found:
        print_table(
            ("start", "end", "label", "confidence"),
            [_appearance_row(item)[1:] for item in found],
            numbers="start end confidence",
        )
    elif not (at and unexamined):
        say(f"Nobody known is on screen{f' at {at}' if at else ''}.")


def when(
    context: typer.Context,
    label: Annotated[str, typer.Argument(help="A label, or a part of one that fits no other.")],
    episode: Annotated[str | None, typer.Option(help="Only in this episode.")] = None,
    min_seconds: Annotated[
        float, typer.Option(min=0, help="Only appearances that last at least this long.")
    ] = 0.0,
    run: OfRun = None,
    model: OfModel = None,
    as_json: Json = False,
) -> None:
    """Say when a character is on screen, in all episodes.

    Example: castline when ned_flanders --min-seconds 2
    """
    with open_workplace(context.obj) as place, place.database.read() as connection:
        name = require_label(connection, label)
        within = require_tagged_episode(connection, episode).id if episode else None
        found = find_appearances(
            connection,
            label=name,
            episode_id=within,
            min_seconds=min_seconds,
            shown=find_shown(connection, run, model),
        )
    if as_json:
        print_json([_appearance_json(item) for item in found])
    elif found:
        print_table(
            ("episode", "start", "end", "label", "confidence"),
            [_appearance_row(item) for item in found],
            numbers="start end confidence",
        )
    else:
        say(f"{name} is not on screen{' for so long' if min_seconds else ''}.")


def show_screen_time(
    context: typer.Context,
    episode: Annotated[str | None, typer.Option(help="Only in this episode.")] = None,
    run: OfRun = None,
    model: OfModel = None,
    as_json: Json = False,
) -> None:
    """Say how long each character is on screen.

    Example: castline screen-time --episode pilot.mkv
    """
    with open_workplace(context.obj) as place, place.database.read() as connection:
        within = require_tagged_episode(connection, episode).id if episode else None
        found = screen_time(connection, within, find_shown(connection, run, model))
    if as_json:
        print_json(
            [
                {
                    "label": item.label,
                    "seconds": item.seconds,
                    "appearances": item.appearances,
                    "episodes": item.episodes,
                }
                for item in found
            ]
        )
    elif found:
        print_table(
            ("label", "on screen", "appearances", "episodes"),
            [
                (
                    item.label,
                    format_time(item.seconds),
                    str(item.appearances),
                    str(item.episodes),
                )
                for item in found
            ],
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
    from timeline.plot import plot_timeline
    from worker.answers import labelled_ranges

    with open_workplace(context.obj) as place, place.database.read() as connection:
        found = require_tagged_episode(connection, episode)
        shown = find_shown(connection, run, model)
        missing = require_shown_run(connection, found, shown).missing_seconds
        ranges = labelled_ranges(connection, found, shown)
    plot_timeline(ranges, found.duration_seconds, output, found.name, missing=missing)
    say(f"Wrote {output}")


def _say_what_was_not_examined(
    episode: EpisodeRecord, run: RunRecord, at_seconds: float | None
) -> bool:
    """Tells silence from ignorance: nobody was seen where nobody looked."""
    if at_seconds is not None and at_seconds >= episode.duration_seconds:
        raise NotFoundError(
            f"{episode.name}: ends at {format_time(episode.duration_seconds)}; ask for a time"
            " before that"
        )
    unexamined = [
        (start, end)
        for start, end in run.missing_seconds
        if at_seconds is None or start <= at_seconds < end
    ]
    for start, end in unexamined:
        say(f"Not examined: {format_time(start)} to {format_time(end)}.")
    return bool(unexamined)


def _appearance_row(found: EpisodeAppearance) -> tuple[str, str, str, str, str]:
    shown = found.appearance
    return (
        found.episode,
        format_time(shown.start_seconds),
        format_time(shown.end_seconds),
        shown.label,
        f"{shown.mean_confidence:.2f}",
    )


def _appearance_json(found: EpisodeAppearance) -> dict[str, Any]:
    shown = found.appearance
    return {
        "episode": found.episode,
        "label": shown.label,
        "start_seconds": shown.start_seconds,
        "end_seconds": shown.end_seconds,
        "start_pts": shown.start_pts,
        "end_pts": shown.end_pts,
        "frames": shown.frames,
        "mean_confidence": shown.mean_confidence,
        "max_confidence": shown.max_confidence,
    }
