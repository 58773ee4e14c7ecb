"""Errors of episode files and their storage. Every message is one line: what, where, what to do."""


class IngestError(Exception):
    """Base of all errors that prevent reading or writing a file, a frame or a store."""


class MediaRefused(IngestError):  # noqa: N818 - named for what happened to the file
    """The path may not be opened: not a regular file, outside the roots, decompression bomb."""


class VideoError(IngestError):
    """The file cannot be used as video: unreadable, no video stream, or changed since added."""


class DecoderLost(IngestError):  # noqa: N818 - named for what happened to the process
    """The decoder process died, fell silent, ran out of memory or sent nonsense."""

    killed: bool = False
    """Whether another process sent it SIGKILL, which proves nothing against the file."""


class ShortageError(IngestError):
    """The machine currently lacks memory, threads, processes or open files; no file is at fault."""


class FrameStoreError(IngestError):
    """A frame store file cannot be written, or its content is damaged."""


class StorageFullError(FrameStoreError):
    """There is no space left for more frames."""


class StorageUnreachable(IngestError):  # noqa: N818 - named for what happened to the storage
    """Shared storage does not answer, or refuses access; no chunk is at fault."""
