"""What was found in an episode, as the exact ranges that `timeline` works with."""

from db.engine import Transaction
from db.queries import find_appearances
from db.records import EpisodeRecord
from timeline.truth import LabelledRange


def labelled_ranges(connection: Transaction, episode: EpisodeRecord) -> list[LabelledRange]:
    """The appearances of an episode's current run, in seconds from its first frame."""
    found = find_appearances(connection, episode_id=episode.id)
    return [
        LabelledRange(
            label=item.appearance.label,
            start_seconds=(item.appearance.start_pts - episode.start_pts) * episode.time_base,
            end_seconds=(item.appearance.end_pts - episode.start_pts) * episode.time_base,
        )
        for item in found
    ]
