"""What can go wrong with an episode file. Every message is one line: what, where, what to do."""


class IngestError(Exception):
    """Anything that kept a file, a frame or a store from being read or written."""


class MediaRefused(IngestError):  # noqa: N818 - named for what happened to the file
    """The path may not be opened: not a regular file, outside the roots, a picture bomb."""


class VideoError(IngestError):
    """The file cannot be used as video: unreadable, no video stream, changed since it was added."""


class DecoderLost(IngestError):  # noqa: N818 - named for what happened to the process
    """The decoder process died, fell silent, ran out of memory or talked nonsense."""

    killed: bool = False
    """Someone outside sent it SIGKILL, which proves nothing against the file."""


class ShortageError(IngestError):
    """This machine lacks memory, threads, processes or open files now: no file's fault."""


class FrameStoreError(IngestError):
    """A frame store file cannot be written, or is not what was written."""


class StorageFullError(FrameStoreError):
    """There is no room for more frames."""


class StorageUnreachable(IngestError):  # noqa: N818 - named for what happened to the storage
    """Shared storage does not answer, or refuses: no chunk's fault."""
