"""Check that episodes' files exist."""

import os
from pathlib import Path

from castline.errors import RequestError
from db.records import EpisodeRecord
from ingest.storage.remote_files import is_remote


def is_gone(episode: EpisodeRecord) -> bool:
    """Tell whether there is no file at the path of an episode on this machine."""
    return not is_remote(episode.uri) and size_of(Path(episode.uri)) < 0


def is_elsewhere(episode: EpisodeRecord) -> bool:
    """Tell whether an episode's file is gone, or another file took its path."""
    return not is_remote(episode.uri) and size_of(Path(episode.uri)) != episode.size_bytes


def size_of(path: Path) -> int:
    """Return the size of a file in bytes, or -1 if there is none."""
    try:
        return os.stat(path).st_size  # noqa: PTH116 - Path.stat raises other errors for odd names
    except (OSError, ValueError):
        return -1


def gone(episode: EpisodeRecord) -> RequestError:
    """Return the error for an episode whose file is gone."""
    return RequestError(
        f"{episode.uri}: the episode's file is not there any more; if it was moved, run: castline"
        " episodes locate FOLDER"
    )
