"""What was found in an episode, as the exact ranges that `timeline` works with."""

import hashlib
from pathlib import Path

from db.current import CURRENT, Shown
from db.engine import Transaction
from db.episodes import get_episode_by_sha256, list_episodes
from db.queries import find_appearances
from db.records import EpisodeRecord
from timeline.truth import LabelledRange


def labelled_ranges(
    connection: Transaction, episode: EpisodeRecord, shown: Shown = CURRENT
) -> list[LabelledRange]:
    """The appearances of an episode's shown run, in seconds from its first frame."""
    found = find_appearances(connection, episode_id=episode.id, shown=shown)
    return [
        LabelledRange(
            label=item.appearance.label,
            start_seconds=(item.appearance.start_pts - episode.start_pts) * episode.time_base,
            end_seconds=(item.appearance.end_pts - episode.start_pts) * episode.time_base,
        )
        for item in found
    ]


def episode_of_file(connection: Transaction, path: Path) -> EpisodeRecord | None:
    """The episode with a file's content, whatever its name; None if it was never added.

    Only a file of an episode's size is hashed, so that other files cost nothing.
    """
    if not path.is_file():
        return None
    if path.stat().st_size not in {item.size_bytes for item in list_episodes(connection)}:
        return None
    with path.open("rb") as file:
        return get_episode_by_sha256(connection, hashlib.file_digest(file, "sha256").hexdigest())
