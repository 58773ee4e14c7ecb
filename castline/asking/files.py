"""Whether episodes' files are where they were."""

import os
from pathlib import Path

from castline.errors import RequestError
from db.records import EpisodeRecord
from ingest.storage.remote_files import is_remote


def is_gone(episode: EpisodeRecord) -> bool:
    """Whether a file of this machine is not where it was, or another one lies there."""
    return not is_remote(episode.uri) and size_of(Path(episode.uri)) != episode.size_bytes


def size_of(path: Path) -> int:
    """The size of a file in bytes; -1 where there is none."""
    try:
        return os.stat(path).st_size  # noqa: PTH116 - Path.stat raises other errors for odd names
    except (OSError, ValueError):
        return -1


def gone(episode: EpisodeRecord) -> RequestError:
    """What tells a person that a file is gone, and what to do."""
    return RequestError(
        f"{episode.uri}: the episode's file is not there any more; if it was moved, run: castline"
        " episodes locate FOLDER"
    )
