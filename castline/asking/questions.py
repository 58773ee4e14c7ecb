"""Questions about characters on screen. None of them imports TensorFlow."""

from collections.abc import Iterable
from itertools import islice
from typing import TypeVar

from castline.asking.names import (
    asked_episode_id,
    asked_season,
    read_expression,
    require_label,
    require_selected_run,
    require_tagged_episode,
)
from castline.asking.timelines import FoundRange, find_matches
from castline.asking.times import AskedTimes, Time, asked_times, exact_seconds
from castline.asking.values import (
    Appearance,
    Appearances,
    Episode,
    Grouping,
    Match,
    Matches,
    Place,
    ScreenTime,
    SharedTime,
    SharedTimes,
)
from castline.errors import NotFoundError, RequestError
from castline.tables import Table, columns_of
from db.library.current import find_selection
from db.library.episodes import list_episodes
from db.questions.appearances import (
    EpisodeAppearance,
    find_appearances,
    first_appearances,
    shared_time,
)
from db.questions.appearances import screen_time as find_screen_time
from db.records import EpisodeRecord, RunRecord
from exact.place import Place as StoredPlace
from timeline.times import format_time
from worker.installation import Installation

APPEARANCE_COLUMNS = columns_of(Appearance)
MATCH_COLUMNS = columns_of(Match)
EPISODE_COLUMNS = tuple("episode" if name == "name" else name for name in columns_of(Episode))
SCREEN_TIME_COLUMNS = ("label", "seconds", "appearances", "episodes")
PAIR_COLUMNS = ("label", "other", "seconds", "times", "episodes")

AnyT = TypeVar("AnyT")


def episodes(installation: Installation) -> Table[Episode]:
    """Return the episodes in the library, by name."""
    with installation.database.read() as connection:
        found = list_episodes(connection)
    rows = (
        Episode(
            item.name,
            item.sha256,
            item.uri,
            item.duration_seconds,
            item.width,
            item.height,
            item.frame_rate,
            item.added_at,
            item.model,
            item.labels,
        )
        for item in found
    )
    return Table(tuple(rows), EPISODE_COLUMNS)


def who(
    installation: Installation,
    episode: str,
    *,
    at: Time | None,
    from_: Time | None,
    to: Time | None,
    run: int | None,
    model: str | None,
    raw: bool,
    places: bool,
) -> Appearances:
    """Return the appearances in an episode; see `Library.who`."""
    asked = asked_times(at, from_, to)
    with installation.database.read() as connection:
        known = require_tagged_episode(connection, episode)
        selection = find_selection(connection, run, model, raw)
        shown_run = require_selected_run(connection, known, selection)
        found = find_appearances(
            connection,
            episode_id=known.id,
            at_seconds=asked.at,
            from_seconds=asked.start,
            to_seconds=asked.end,
            places=places,
            selection=selection,
        )
    unexamined = _unexamined(known, shown_run, asked)
    rows = tuple(map(appearance_of, found))
    return Appearances(rows, APPEARANCE_COLUMNS, unexamined=unexamined)


def when(
    installation: Installation,
    expression: str,
    *,
    episode: str | None,
    season: int | None,
    min_seconds: Time,
    gap: Time,
    limit: int | None,
    run: int | None,
    model: str | None,
    raw: bool,
) -> Matches:
    """Return the ranges in which an expression holds; see `Library.when`."""
    from timeline.expressions import Label, format_expression

    shortest, longest_gap = exact_seconds(min_seconds), exact_seconds(gap)
    with installation.database.read() as connection:
        asked = read_expression(connection, expression)
        selection = find_selection(connection, run, model, raw)
        matches = find_matches(
            connection,
            asked,
            episode_id=asked_episode_id(connection, episode, selection),
            season=asked_season(connection, season, selection),
            min_seconds=shortest,
            gap_seconds=longest_gap,
            selection=selection,
        )
        found, has_more = _first(matches, limit)
    label = asked.name if isinstance(asked, Label) else None
    text = format_expression(asked)
    rows = tuple(_match_of(item, label, text) for item in found)
    return Matches(rows, MATCH_COLUMNS, has_more, text, label, shortest)


def screen_time(
    installation: Installation,
    *,
    episode: str | None,
    by: Grouping,
    label: str | None,
    season: int | None,
    limit: int | None,
    run: int | None,
    model: str | None,
    raw: bool,
) -> Table[ScreenTime]:
    """Return the screen time of each character; see `Library.screen_time`."""
    with installation.database.read() as connection:
        selection = find_selection(connection, run, model, raw)
        name = None if label is None else require_label(connection, label)
        found = find_screen_time(
            connection,
            asked_episode_id(connection, episode, selection),
            by=by,
            label=name,
            season=asked_season(connection, season, selection),
            limit=_one_more(limit),
            selection=selection,
        )
    first, has_more = _first(found, limit)
    columns = SCREEN_TIME_COLUMNS if by == "character" else (by, *SCREEN_TIME_COLUMNS)
    return Table(tuple(ScreenTime(**vars(item)) for item in first), columns, has_more)


def together(
    installation: Installation,
    names: tuple[str, ...],
    *,
    episode: str | None,
    season: int | None,
    limit: int | None,
    run: int | None,
    model: str | None,
    raw: bool,
) -> SharedTimes:
    """Return how long pairs of characters share the screen; see `Library.together`."""
    with installation.database.read() as connection:
        selection = find_selection(connection, run, model, raw)
        labels = tuple(require_label(connection, name) for name in names)
        if len(labels) == 2 and labels[0] == labels[1]:
            raise RequestError(f"{labels[0]}: is named twice; name another one, or none")
        found = shared_time(
            connection,
            labels,
            by_episode=len(labels) == 2,
            episode_id=asked_episode_id(connection, episode, selection),
            season=asked_season(connection, season, selection),
            limit=_one_more(limit),
            selection=selection,
        )
    first, has_more = _first(found, limit)
    columns = ("episode", *PAIR_COLUMNS) if len(labels) == 2 else PAIR_COLUMNS
    rows = tuple(SharedTime(**vars(item)) for item in first)
    return SharedTimes(rows, columns, has_more, labels)


def first(
    installation: Installation,
    label: str,
    *,
    season: int | None,
    limit: int | None,
    run: int | None,
    model: str | None,
    raw: bool,
    places: bool,
) -> Appearances:
    """Return a character's first appearance in each episode; see `Library.first`."""
    with installation.database.read() as connection:
        selection = find_selection(connection, run, model, raw)
        name = require_label(connection, label)
        found = first_appearances(
            connection,
            name,
            season=asked_season(connection, season, selection),
            limit=_one_more(limit),
            places=places,
            selection=selection,
        )
    some, has_more = _first(found, limit)
    return Appearances(tuple(map(appearance_of, some)), APPEARANCE_COLUMNS, has_more, name)


def appearance_of(found: EpisodeAppearance) -> Appearance:
    """Convert a stored appearance to the public value."""
    return Appearance(found.episode, **vars(found.appearance), place=_place_of(found.place))


def _place_of(stored: StoredPlace | None) -> Place | None:
    return None if stored is None else Place(*stored.shares)


def _match_of(found: FoundRange, label: str | None, text: str) -> Match:
    shown = found.appearance
    return Match(
        found.episode,
        label,
        text,
        found.start_seconds,
        found.end_seconds,
        found.start_pts,
        found.end_pts,
        shown.frames if shown else None,
        shown.mean_confidence if shown else None,
        shown.max_confidence if shown else None,
    )


def _one_more(limit: int | None) -> int | None:
    """Return the rows to read: one extra row shows that there are more; None for all."""
    return None if limit is None else limit + 1


def _first(rows: Iterable[AnyT], limit: int | None) -> tuple[list[AnyT], bool]:
    """Return at most `limit` rows, and whether there are more; None for all."""
    found = list(rows if limit is None else islice(rows, limit + 1))
    return found[:limit], limit is not None and len(found) > limit


def _unexamined(
    episode: EpisodeRecord, run: RunRecord, asked: AskedTimes
) -> tuple[tuple[float, float], ...]:
    """Return the unexamined parts of the requested time, where characters may appear unseen."""
    first_asked = asked.start if asked.at is None else asked.at
    if first_asked is not None and first_asked >= episode.duration_seconds:
        raise NotFoundError(
            f"{episode.name}: ends at {format_time(episode.duration_seconds)}; ask for a time"
            " before that"
        )
    return tuple((start, end) for start, end in run.missing_seconds if asked.meets(start, end))
