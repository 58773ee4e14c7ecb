"""What becomes of episodes: files that move, names that people set, episodes that are removed."""

from dataclasses import asdict

from sqlalchemy import Connection, delete, update

from db.engine import insert_ignoring_conflict
from db.episode_names import EpisodeName
from db.records import EpisodeRecord
from db.schema import episode, former_name


def move_episode(
    connection: Connection, known: EpisodeRecord, uri: str, name: str, file_stamp: str
) -> None:
    """Notes that an episode's file lies elsewhere: its name follows, and the old one is kept."""
    connection.execute(
        insert_ignoring_conflict(connection, former_name).values(
            episode_id=known.id, uri=known.uri, name=known.name
        )
    )
    connection.execute(
        delete(former_name).where(former_name.c.episode_id == known.id, former_name.c.uri == uri)
    )
    called = known.called.after_move(known.uri, uri)
    connection.execute(
        update(episode)
        .where(episode.c.id == known.id)
        .values(uri=uri, name=name, file_stamp=file_stamp, **asdict(called))
    )


def rename_episode(connection: Connection, episode_id: int, called: EpisodeName) -> None:
    """Sets what people call an episode."""
    connection.execute(update(episode).where(episode.c.id == episode_id).values(**asdict(called)))
