"""Sources of episodes: files on this machine, or URLs of shared storage."""

from collections.abc import Sequence
from pathlib import Path

from castline.errors import RequestError
from castline.tagging.enqueue import VIDEO_SUFFIXES, Enqueued, enqueue_episode
from castline.tagging.parts import WHOLE, Part
from db.states import Lane
from ingest.decoder.parent import Decoder
from ingest.errors import IngestError, MediaRefused
from ingest.media.file import open_media
from ingest.storage.remote_files import RemoteFiles, is_remote
from model.version.artifact import ModelVersion
from worker.installation import Installation
from worker.parameters import RunParameters
from worker.settings import Settings


def find_remote_episodes(places: Sequence[str], settings: Settings) -> list[str]:
    """Return the URLs to enqueue: given files, and those below given prefixes, in order of name.

    URLs outside the media roots are not searched: `enqueue_source` refuses them.

    Raises:
        StorageUnreachable: The storage does not answer.
        RequestError: There is no video file below a prefix.
    """
    found: list[str] = []
    for place in places:
        folder, _, name = place.rpartition("/")
        if not _is_allowed(place, settings) or (name and RemoteFiles(folder).has(name)):
            found.append(place)
            continue
        prefix = RemoteFiles(place)
        names = sorted(file.name for file in prefix.entries())
        inside = [name for name in names if _is_video(name)]
        if not inside:
            raise RequestError(
                f"{place}: no video file there; looked for {' '.join(sorted(VIDEO_SUFFIXES))}"
            )
        found.extend(map(prefix.url_of, inside))
    return found


def _is_video(name: str) -> bool:
    is_hidden = any(part.startswith(".") for part in name.split("/"))
    return not is_hidden and Path(name).suffix.lower() in VIDEO_SUFFIXES


def enqueue_source(
    installation: Installation,
    source: str,
    decoder: Decoder,
    version: ModelVersion,
    parameters: RunParameters | None,
    part: Part = WHOLE,
    lane: Lane = Lane.BULK,
) -> Enqueued:
    """Create the run of a local or remote episode; see `enqueue_episode`.

    Raises:
        IngestError: The file cannot be used.
        DatabaseError: The database cannot be used.
    """
    settings = installation.settings
    path, url = Path(source), None
    if settings.media_roots and not is_remote(source):
        with open_media(path, settings.media_roots):
            pass  # an error names the roots as the user wrote them
    if is_remote(source):
        if not _is_allowed(source, settings):
            allowed = ", ".join((*map(str, settings.media_roots), *settings.media_urls))
            raise MediaRefused(
                f"{source}: lies outside the media folders, {allowed}; move it there, or add its"
                " place to CASTLINE_MEDIA_ROOTS"
            )
        path, url = installation.episode_cache.add(source), source
    try:
        return enqueue_episode(
            path,
            database=installation.database,
            decoder=decoder,
            version=version,
            parameters=parameters,
            chunk_seconds=settings.chunk_seconds,
            part=part,
            lane=lane,
            url=url,
        )
    except IngestError as error:
        # A user who gave a URL does not know its local copy.
        raise type(error)(str(error).replace(str(path), source)) from error


def _is_allowed(url: str, settings: Settings) -> bool:
    roots = settings.media_urls
    return not settings.readable_roots or any(f"{url}/".startswith(f"{root}/") for root in roots)
