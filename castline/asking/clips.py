"""Write the ranges of a timeline as clips: the only export that opens the video."""

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from castline.asking.files import gone, is_gone
from castline.errors import RequestError
from db.records import EpisodeRecord
from ingest.decoder.parent import Decoder
from ingest.frames.cutting import Cut
from ingest.storage.remote_files import is_remote
from model.labels import label_of
from timeline.export.formats import Entry, ExportedTimeline
from timeline.times import format_time
from worker.installation import Installation


def write_clips(
    installation: Installation,
    decoder: Decoder,
    episode: EpisodeRecord,
    timeline: ExportedTimeline,
    folder: Path,
) -> list[Path]:
    """Cut each range out of the video, into a folder that is created atomically.

    Args:
        installation: The installation, with local copies of episodes on shared storage.
        decoder: Opens the video.
        episode: The episode to cut.
        timeline: Its ranges.
        folder: The folder to create; an existing one is replaced.

    Returns:
        The clips, in the order of the ranges.

    Raises:
        IngestError: The video cannot be read, or a clip cannot be written.
        RequestError: The video is gone, or the folder cannot be created.
    """
    source = episode.uri
    if is_gone(episode):
        raise gone(episode)
    if is_remote(source):
        source = str(installation.episode_cache.fetch(source, episode.sha256))
    names = [_name(timeline, number, entry) for number, entry in enumerate(timeline.entries, 1)]
    with _whole_folder(folder) as temporary:
        for entry, name in zip(timeline.entries, names, strict=True):
            output = temporary / name
            decoder.cut_out(Cut.of(episode, source, entry.start_pts, entry.end_pts, output))
    return [folder / name for name in names]


def _name(timeline: ExportedTimeline, number: int, entry: Entry) -> str:
    """Return a name valid on every file system, such as `0007_ned_flanders_00-01-23.480.mp4`."""
    label = label_of(entry.label)
    start = format_time(timeline.seconds(entry.start_pts)).replace(":", "-")
    return f"{number:04}_{label}_{start}.mp4"


@contextmanager
def _whole_folder(folder: Path) -> Iterator[Path]:
    temporary = folder.with_name(f".{folder.name}-{secrets.token_hex(4)}")
    try:
        temporary.mkdir(parents=True)
        yield temporary
        if folder.exists():
            shutil.rmtree(folder)
        temporary.rename(folder)
    except OSError as error:
        raise RequestError(
            f"{folder}: cannot be made ({error.strerror}); name another folder with -o"
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
