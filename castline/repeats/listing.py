"""List what recurs in episodes, as it was found by the last search."""

from collections.abc import Collection, Sequence
from operator import attrgetter

from castline.asking.names import (
    asked_episode_id,
    asked_season,
    require_tagged_episode,
    shown_names,
)
from castline.repeats.values import Repeat, Repeats
from castline.tables import columns_of
from db.engine import Transaction
from db.library.all_runs import LibraryEntry, list_library
from db.library.current import CURRENT, find_selection
from db.library.repeats import RepeatSearch, repeat_searches
from db.questions.repeats import never_searched
from db.records import EpisodeRecord
from worker.installation import Installation

REPEAT_COLUMNS = columns_of(Repeat)


def repeats(installation: Installation, references: Sequence[str], series: str | None) -> Repeats:
    """Return what recurs in episodes; see `Library.repeats`."""
    with installation.database.read() as connection:
        chosen = [entry.episode for entry in chosen_entries(connection, references, series)]
        searches = repeat_searches(connection, [one.id for one in chosen])
        names = shown_names(connection, {one.id: one.name for one in chosen})
        rows = repeat_rows(connection, chosen, searches)
    return Repeats(
        rows,
        REPEAT_COLUMNS,
        nothing_in=tuple(
            names[one.id] for one in chosen if one.id in searches and not searches[one.id].repeats
        ),
        unsearched=tuple(names[one.id] for one in chosen if one.id not in searches),
    )


def unsearched(
    installation: Installation,
    *,
    episode: str | None,
    season: int | None,
    series: str | None,
    run: int | None,
    model: str | None,
) -> tuple[str, ...]:
    """Return the episodes of a question that were never searched; see `Library.unsearched`."""
    with installation.database.read() as connection:
        selection = find_selection(connection, run, model)
        found = never_searched(
            connection,
            asked_episode_id(connection, episode, selection),
            asked_season(connection, season, series, selection),
            selection,
        )
        return tuple(shown_names(connection, found).values())


def chosen_entries(
    connection: Transaction, references: Sequence[str], series: str | None
) -> list[LibraryEntry]:
    """Return the tagged episodes that are asked for, all by default, by name.

    Raises:
        NotFoundError: A name matches no episode or series, or several, or one without a run.
    """
    ids = {require_tagged_episode(connection, each).id for each in references}
    wanted = asked_season(connection, None, series, CURRENT).series
    return [
        entry
        for entry in list_library(connection)
        if entry.current is not None
        and (not ids or entry.episode.id in ids)
        and (wanted is None or entry.episode.called.series == wanted)
    ]


def repeat_rows(
    connection: Transaction,
    episodes: Collection[EpisodeRecord],
    searches: dict[int, RepeatSearch],
) -> tuple[Repeat, ...]:
    """Return a row for each range that recurs in these episodes."""
    called = {entry.episode.id: entry.episode.name for entry in list_library(connection)}
    names = shown_names(connection, called)
    return tuple(
        Repeat(
            names[one.id],
            one.id,
            one.seconds_at(each.start_pts),
            one.seconds_at(each.end_pts),
            each.start_pts,
            each.end_pts,
            tuple(names[other] for other in each.elsewhere if other in names),
            search.searched_at,
        )
        for one in sorted(episodes, key=attrgetter("name", "id"))
        for search in [searches.get(one.id)]
        if search is not None
        for each in search.repeats
    )
