"""Which episodes were never searched for repeats."""

from sqlalchemy import Connection, select

from db.library.current import CURRENT, RunSelection, selected_runs
from db.questions.appearances import ANY_SEASON, Season
from db.schema import episode, repeat_search


def never_searched(
    connection: Connection,
    episode_id: int | None = None,
    season: Season = ANY_SEASON,
    selection: RunSelection = CURRENT,
) -> dict[int, str]:
    """Return the names of the episodes with a shown run that were never searched, by id.

    Args:
        connection: An open connection.
        episode_id: Only this one.
        season: Only of this season.
        selection: The runs; the current ones by default.
    """
    runs = selected_runs(selection)
    query = (
        select(episode.c.id, episode.c.name)
        .join(runs, runs.c.episode_id == episode.c.id)
        .where(episode.c.id.not_in(select(repeat_search.c.episode_id)), *season.conditions)
        .order_by(episode.c.name, episode.c.id)
    )
    if episode_id is not None:
        query = query.where(episode.c.id == episode_id)
    return {row.id: row.name for row in connection.execute(query)}
