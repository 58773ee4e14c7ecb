"""The decoder process: `python -m ingest.decoder.process`, started by `ingest.decoder.parent`.

All demuxing and decoding of a user's file happens here, where a crash, a hang or an exploit costs
one chunk. Requests arrive as lines of JSON on stdin, a socket, each with the descriptor of the file
to which it applies; answers leave as lines of JSON on the original stdout:

    {"ready": true}  once, before the first request
    {"call": "extract", "path": "/episodes/pilot.mkv", "argument": "..."}
    {"progress": 480}
    {"answer": "..."}  or  {"error": "VideoError", "message": "..."}
"""

import ctypes
import json
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from ingest.errors import DecoderLost, IngestError
from ingest.media.file import MediaFile
from ingest.progress import Pulse, Report
from ingest.shortages import shortage, what_is_lacking

CPU_SECONDS_PER_REQUEST = 3600
"""CPU time for one request: an episode of 22 minutes that cannot be cut into chunks decodes within
an hour even in 8K; a longer request is in an endless loop."""

ROOM_BYTES = 8 << 20
"""Memory that must be free before a request begins: FFmpeg crashes where even small allocations
fail, and a crashed process cannot report that it lacked memory."""

_READ_BYTES = 1 << 16

_PR_SET_PDEATHSIG = 1
"""From <linux/prctl.h>: send this process a signal when its parent dies."""


def main(memory_bytes: int) -> None:
    """Answer requests until stdin ends.

    Args:
        memory_bytes: Limit of the process's data memory.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides about Ctrl-C
    _die_with_parent()
    replies = _private_replies()
    _import_media()
    _reply(replies, {"ready": True})
    message = "the decoder ran out of memory; the file may be hostile or very large"
    lost = json.dumps({"error": DecoderLost.__name__, "message": message}).encode() + b"\n"
    resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
    try:
        _answer_requests(replies)
    except MemoryError:
        os.write(replies.fileno(), lost)  # allocated memory may be in any state


def _answer_requests(replies: IO[str]) -> None:
    for line, descriptor in _requests():
        _limit_cpu()
        try:
            _reply(replies, {"answer": _answer(line, descriptor, _reporter(replies))})
        except MemoryError:
            raise
        except BrokenPipeError:
            return  # the parent no longer listens
        except Exception as error:
            _reply(replies, _failure(error))
        finally:
            os.close(descriptor)


def _failure(error: Exception) -> dict[str, str | int]:
    if lacking := what_is_lacking(error):
        error = shortage(lacking)
    if isinstance(error, IngestError):
        return {"error": type(error).__name__, "message": str(error)}
    message = f"decoding failed ({type(error).__name__}: {error}); convert the file to MP4"
    return {"error": IngestError.__name__, "message": message}


def _requests() -> Iterator[tuple[bytes, int]]:
    """Yield the requests; the parent sends none before the last was answered."""
    with socket.socket(fileno=os.dup(0)) as requests:
        while True:
            line, descriptors = b"", list[int]()
            while not line.endswith(b"\n"):
                part, came, _, _ = socket.recv_fds(requests, _READ_BYTES, 1)
                if not part:
                    return
                line += part
                descriptors += came
            yield line, descriptors[0]


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _private_replies() -> IO[str]:
    """Reserve stdout for replies: output that a library prints goes to stderr."""
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return replies


def _import_media() -> None:
    """Load the libraries before memory is limited, so that the limit counts media alone."""
    import av.logging
    import av.subtitles.stream  # would be loaded on opening a file
    import cv2

    import ingest.description.describe
    import ingest.description.picture_area
    import ingest.frames.cutting
    import ingest.frames.extract  # noqa: F401

    av.logging.set_level(None)
    cv2.setNumThreads(1)  # several decoder processes run in parallel


def _limit_cpu() -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime) + CPU_SECONDS_PER_REQUEST
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.RLIM_INFINITY))


def _reply(replies: IO[str], message: dict[str, str | int]) -> None:
    replies.write(json.dumps(message) + "\n")
    replies.flush()


def _reporter(replies: IO[str]) -> Report:
    return lambda done: _reply(replies, {"progress": done})


def _answer(line: bytes, descriptor: int, on_progress: Report) -> str:
    request = json.loads(line)
    calls: dict[str, Callable[[str, MediaFile, Report], str]] = {
        "hash": _hash,
        "probe": _probe,
        "find_picture_area": _find_picture_area,
        "extract": _extract,
        "cut_out": _cut_out,
    }
    file = MediaFile(Path(request["path"]), descriptor)
    bytearray(ROOM_BYTES)  # or MemoryError
    return calls[request["call"]](request["argument"], file, on_progress)


def _hash(_argument: str, file: MediaFile, on_progress: Report) -> str:
    from ingest.description.describe import sha256_of

    return sha256_of(file, Pulse(on_progress))


def _probe(_argument: str, file: MediaFile, on_progress: Report) -> str:
    from ingest.description.describe import probe

    return probe(file, on_progress).to_json()


def _find_picture_area(argument: str, file: MediaFile, on_progress: Report) -> str:
    from dataclasses import asdict

    from ingest.description.picture_area import find_picture_area
    from ingest.media.probe import Probe

    return json.dumps(asdict(find_picture_area(Probe.from_json(argument), file, on_progress)))


def _extract(argument: str, file: MediaFile, on_progress: Report) -> str:
    from ingest.frames.extract import extract_chunk
    from ingest.frames.extract_request import Extraction

    return extract_chunk(Extraction.from_json(argument), file, on_progress).to_json()


def _cut_out(argument: str, file: MediaFile, on_progress: Report) -> str:
    from ingest.frames.cutting import Cut, cut_out

    return str(cut_out(Cut.from_json(argument), file, on_progress))


if __name__ == "__main__":
    main(memory_bytes=int(sys.argv[1]))
