"""Write what a search for repeats found."""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, insert, select

from db.library.repeats import RepeatRecord
from db.locks import lock_episodes, lock_repeats
from db.queue.claims import database_now
from db.schema import episode, repeat, repeat_elsewhere, repeat_search


def replace_repeats(
    connection: Connection, episode_id: int, found: Sequence[RepeatRecord], compared: int
) -> bool:
    """Replace what was found in an episode before.

    Args:
        connection: A connection inside a write transaction.
        episode_id: The episode.
        found: What recurs in it; other episodes that are gone are left out.
        compared: Number of other episodes with which it was compared.

    Returns:
        Whether the episode is still there.
    """
    ids = {episode_id, *(other for one in found for other in one.elsewhere)}
    lock_episodes(connection, ids)  # none of them is removed meanwhile
    there = set(connection.execute(select(episode.c.id).where(episode.c.id.in_(ids))).scalars())
    if episode_id not in there:
        return False
    lock_repeats(connection, episode_id)
    connection.execute(delete(repeat_search).where(repeat_search.c.episode_id == episode_id))
    now = database_now(connection)
    connection.execute(
        insert(repeat_search).values(episode_id=episode_id, compared=compared, searched_at=now)
    )
    for one in found:
        key = {"episode_id": episode_id, "start_pts": one.start_pts}
        connection.execute(insert(repeat).values(**key, end_pts=one.end_pts))
        others = [key | {"other_id": other} for other in one.elsewhere if other in there]
        if others:
            connection.execute(insert(repeat_elsewhere), others)
    return True
