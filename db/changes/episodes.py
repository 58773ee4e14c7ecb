"""Changes of episodes: files that move, and names that users set."""

from dataclasses import asdict

from sqlalchemy import Connection, delete, update

from db.engine import insert_ignoring_conflict
from db.episode_names import EpisodeName
from db.locks import lock_episodes
from db.records import EpisodeRecord
from db.schema import episode, former_name


def move_episode(
    connection: Connection, known: EpisodeRecord, uri: str, name: str, file_stamp: str
) -> None:
    """Change the path of an episode's file: its name follows, and the old one is kept."""
    lock_episodes(connection, [known.id])
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


def note_stamp(connection: Connection, known: EpisodeRecord, file_stamp: str) -> None:
    """Update the stamp of an episode's file, unless the episode has moved in the meantime."""
    connection.execute(
        update(episode)
        .where(episode.c.id == known.id, episode.c.uri == known.uri)
        .values(file_stamp=file_stamp)
    )


def rename_episode(connection: Connection, episode_id: int, called: EpisodeName) -> None:
    """Set the series, season, number and title of an episode."""
    connection.execute(update(episode).where(episode.c.id == episode_id).values(**asdict(called)))
