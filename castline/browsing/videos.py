"""Open an episode's file for a browser that plays it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from castline.asking.files import gone, is_gone
from castline.asking.names import EpisodeReference, require_episode
from castline.browsing.values import OpenVideo
from castline.errors import MediaError
from ingest.media.file import open_media
from ingest.storage.remote_files import is_remote
from worker.installation import Installation

_MEDIA_TYPES = {
    "mp4": "video/mp4",
    "webm": "video/webm",
    "avi": "video/x-msvideo",
    "mpegts": "video/mp2t",
    "flv": "video/x-flv",
}
"""Internet media types by the name of a demuxer, which may be one of several."""

_WEBM_CODECS = ("vp8", "vp9", "av1")
"""Codecs that WebM holds; a browser plays Matroska with them as WebM."""


@contextmanager
def open_video(installation: Installation, reference: EpisodeReference) -> Iterator[OpenVideo]:
    """Open an episode's file; see `Library.open_video`."""
    with installation.database.read() as connection:
        known = require_episode(connection, reference)
    if is_gone(known):
        raise gone(known)
    path = Path(known.uri)
    if is_remote(known.uri):
        path = installation.episode_cache.fetch(known.uri, known.sha256)
    with open_media(path, installation.settings.readable_roots) as file:
        status = file.status
        if status.st_size != known.size_bytes:
            raise MediaError(f"{known.name}: was changed since it was added; enqueue it again")
        yield OpenVideo(
            known.name, known.sha256, file.place, status, media_type(known.container, known.codec)
        )


def media_type(container: str, codec: str) -> str:
    """Return the Internet media type of a file by its demuxer and its codec."""
    names = container.split(",")
    if "matroska" in names and codec not in _WEBM_CODECS:
        return "video/x-matroska"
    found = (_MEDIA_TYPES[name] for name in names if name in _MEDIA_TYPES)
    return next(found, "application/octet-stream")
