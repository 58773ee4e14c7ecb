"""What can go wrong with an episode file. Every message is one line: what, where, what to do."""


class IngestError(Exception):
    """Anything that kept a file, a frame or a store from being read or written."""


class MediaRefused(IngestError):
    """The path is not something that may be opened: not a regular file, outside the roots, a bomb."""


class VideoError(IngestError):
    """The file cannot be used as video: unreadable, no video stream, changed since it was added."""


class DecoderLost(IngestError):
    """The decoder process died, fell silent, ran out of memory or talked nonsense."""


class FrameStoreError(IngestError):
    """A frame store file cannot be written, or is not what was written."""
