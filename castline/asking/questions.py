"""Questions about characters on screen. None of them imports TensorFlow."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import islice
from typing import TypeVar

from castline.asking.names import (
    asked_episode_id,
    asked_season,
    read_expression,
    require_label,
    require_selected_run,
    require_tagged_episode,
    shown_names,
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
from db.engine import Transaction
from db.library.current import find_selection
from db.library.episodes import list_episodes
from db.questions.appearances import (
    EpisodeAppearance,
    find_appearances,
    first_appearances,
    shared_time,
)
from db.questions.appearances import ScreenTime as FoundTime
from db.questions.appearances import SharedTime as FoundSharedTime
from db.questions.appearances import screen_time as find_screen_time
from db.records import EpisodeRecord, RunRecord
from exact.place import Place as StoredPlace
from timeline.times import format_time
from worker.installation import Installation

APPEARANCE_COLUMNS = columns_of(Appearance)
MATCH_COLUMNS = columns_of(Match)
EPISODE_COLUMNS = ("episode", "episode_id", *columns_of(Episode)[2:])
GROUP_COLUMNS: Mapping[Grouping, tuple[str, ...]] = {
    "character": (),
    "episode": ("episode", "episode_id"),
    "season": ("series", "season"),
}
SCREEN_TIME_COLUMNS = ("label", "seconds", "appearances", "episodes")
PAIR_COLUMNS = ("label", "other", "seconds", "times", "episodes")

AnyT = TypeVar("AnyT")


def episodes(installation: Installation) -> Table[Episode]:
    """Return the episodes in the library, by name."""
    with installation.database.read() as connection:
        return Table(listed_episodes(connection), EPISODE_COLUMNS)


def listed_episodes(
    connection: Transaction, ids: Collection[int] | None = None
) -> tuple[Episode, ...]:
    """Episodes as a list shows them, by name: all, or only these."""
    found = [item for item in list_episodes(connection) if ids is None or item.id in ids]
    names = shown_names(connection, {item.id: item.name for item in found})
    return tuple(
        Episode(
            item.id,
            names[item.id],
            item.called.series,
            item.called.season,
            item.called.number,
            item.called.title,
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
    skip_repeats: bool,
    places: bool,
) -> Appearances:
    """Return the appearances in an episode; see `Library.who`."""
    asked = asked_times(at, from_, to)
    with installation.database.read() as connection:
        known = require_tagged_episode(connection, episode)
        selection = find_selection(connection, run, model, raw, skip_repeats)
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
        rows = _appearances(connection, found)
    unexamined = _unexamined(known, shown_run, asked)
    return Appearances(rows, APPEARANCE_COLUMNS, unexamined=unexamined)


def when(
    installation: Installation,
    expression: str,
    *,
    episode: str | None,
    season: int | None,
    series: str | None,
    min_seconds: Time,
    gap: Time,
    limit: int | None,
    run: int | None,
    model: str | None,
    raw: bool,
    skip_repeats: bool,
) -> Matches:
    """Return the ranges in which an expression holds; see `Library.when`."""
    from timeline.expressions import Label, format_expression

    shortest, longest_gap = exact_seconds(min_seconds), exact_seconds(gap)
    with installation.database.read() as connection:
        asked = read_expression(connection, expression)
        selection = find_selection(connection, run, model, raw, skip_repeats)
        matches = find_matches(
            connection,
            asked,
            episode_id=asked_episode_id(connection, episode, selection),
            season=asked_season(connection, season, series, selection),
            min_seconds=shortest,
            gap_seconds=longest_gap,
            selection=selection,
        )
        found, has_more = _first(matches, limit)
        names = shown_names(connection, {item.episode_id: item.episode for item in found})
    label = asked.name if isinstance(asked, Label) else None
    text = format_expression(asked)
    rows = tuple(_match_of(item, names, label, text) for item in found)
    return Matches(rows, MATCH_COLUMNS, has_more, text, label, shortest)


def screen_time(
    installation: Installation,
    *,
    episode: str | None,
    by: Grouping,
    label: str | None,
    season: int | None,
    series: str | None,
    top: int | None,
    limit: int | None,
    run: int | None,
    model: str | None,
    raw: bool,
    skip_repeats: bool,
) -> Table[ScreenTime]:
    """Return the screen time of each character; see `Library.screen_time`."""
    with installation.database.read() as connection:
        selection = find_selection(connection, run, model, raw, skip_repeats)
        name = None if label is None else require_label(connection, label)
        found = find_screen_time(
            connection,
            asked_episode_id(connection, episode, selection),
            by=by,
            label=name,
            season=asked_season(connection, season, series, selection, adds_up=by == "character"),
            top=top,
            limit=_one_more(limit),
            selection=selection,
        )
        first, has_more = _first(found, limit)
        names = _names_of(connection, first)
    rows = (ScreenTime(**vars(item) | _named(item, names)) for item in first)
    return Table(tuple(rows), (*GROUP_COLUMNS[by], *SCREEN_TIME_COLUMNS), has_more)


def together(
    installation: Installation,
    names: tuple[str, ...],
    *,
    episode: str | None,
    season: int | None,
    series: str | None,
    limit: int | None,
    run: int | None,
    model: str | None,
    raw: bool,
    skip_repeats: bool,
) -> SharedTimes:
    """Return how long pairs of characters share the screen; see `Library.together`."""
    with installation.database.read() as connection:
        selection = find_selection(connection, run, model, raw, skip_repeats)
        labels = tuple(require_label(connection, name) for name in names)
        if len(labels) == 2 and labels[0] == labels[1]:
            raise RequestError(f"{labels[0]}: is named twice; name another one, or none")
        found = shared_time(
            connection,
            labels,
            by_episode=len(labels) == 2,
            episode_id=asked_episode_id(connection, episode, selection),
            season=asked_season(connection, season, series, selection, adds_up=len(labels) < 2),
            limit=_one_more(limit),
            selection=selection,
        )
        first, has_more = _first(found, limit)
        episodes = _names_of(connection, first)
    columns = (*GROUP_COLUMNS["episode"], *PAIR_COLUMNS) if len(labels) == 2 else PAIR_COLUMNS
    rows = tuple(SharedTime(**vars(item) | _named(item, episodes)) for item in first)
    return SharedTimes(rows, columns, has_more, labels)


def first(
    installation: Installation,
    label: str,
    *,
    season: int | None,
    series: str | None,
    limit: int | None,
    run: int | None,
    model: str | None,
    raw: bool,
    skip_repeats: bool,
    places: bool,
) -> Appearances:
    """Return a character's first appearance in each episode; see `Library.first`."""
    with installation.database.read() as connection:
        selection = find_selection(connection, run, model, raw, skip_repeats)
        name = require_label(connection, label)
        found = first_appearances(
            connection,
            name,
            season=asked_season(connection, season, series, selection),
            limit=_one_more(limit),
            places=places,
            selection=selection,
        )
        some, has_more = _first(found, limit)
        rows = _appearances(connection, some)
    return Appearances(rows, APPEARANCE_COLUMNS, has_more, name)


def _appearances(
    connection: Transaction, found: Sequence[EpisodeAppearance]
) -> tuple[Appearance, ...]:
    """Appearances as questions are answered with them."""
    names = shown_names(connection, {item.episode_id: item.episode for item in found})
    return tuple(
        Appearance(
            names[item.episode_id],
            **vars(item.appearance),
            place=_place_of(item.place),
            episode_id=item.episode_id,
        )
        for item in found
    )


def _names_of(
    connection: Transaction, found: Iterable[FoundTime | FoundSharedTime]
) -> dict[int, str]:
    """What the episodes are called that sums are of, if they are of single episodes."""
    names = {item.episode_id: item.episode for item in found if item.episode_id and item.episode}
    return shown_names(connection, names)


def _named(found: FoundTime | FoundSharedTime, names: Mapping[int, str]) -> dict[str, str]:
    return {"episode": names[found.episode_id]} if found.episode_id else {}


def _place_of(stored: StoredPlace | None) -> Place | None:
    return None if stored is None else Place(*stored.shares)


def _match_of(found: FoundRange, names: Mapping[int, str], label: str | None, text: str) -> Match:
    shown = found.appearance
    return Match(
        names[found.episode_id],
        label,
        text,
        found.start_seconds,
        found.end_seconds,
        found.start_pts,
        found.end_pts,
        shown.frames if shown else None,
        shown.mean_confidence if shown else None,
        shown.max_confidence if shown else None,
        found.episode_id,
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
    return tuple((start, end) for start, end in run.unexamined_seconds if asked.meets(start, end))
