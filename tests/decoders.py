"""A decoder process that breaks at certain times: `python -m tests.decoders crash:5000 hang:9000`.

It is the real one until it is asked for a chunk that holds one of these times. Then it does what
damaged or hostile files make decoders do.
"""

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from ingest import decoder_process
from ingest.decoder import Decoder
from ingest.extraction import Extraction
from ingest.progress import Report

MEMORY_BYTES = 1 << 30
"""Enough for the small episodes of tests, and soon exhausted."""

SILENT_SECONDS = 5.0
"""Longer than a busy machine needs to start a decoder (3 s were too short once in some hundred runs
of the tests), shorter than a test's patience."""


def breaking_decoder(*faults: str) -> Decoder:
    """A decoder whose process breaks as told, each `fault:pts`."""
    command = [sys.executable, "-m", "tests.decoders", *faults]
    return Decoder(command=command, silent_seconds=SILENT_SECONDS)


def _crash() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def _abort() -> None:
    os.abort()


def _hang() -> None:
    time.sleep(3600)


def _exhaust_memory() -> None:
    taken = []
    while True:
        taken.append(bytes(64 << 20))  # promised alone, which even a busy machine does at once


FAULTS: dict[str, Callable[[], None]] = {
    "crash": _crash,
    "abort": _abort,
    "hang": _hang,
    "exhaust": _exhaust_memory,
}


def main(faults: list[str]) -> None:
    """Serve requests like `ingest.decoder_process`, but for the faults."""
    extract = decoder_process._extract
    breaks = [(int(pts), FAULTS[name]) for name, _, pts in (item.partition(":") for item in faults)]

    def extract_or_break(argument: str, on_progress: Report) -> str:
        chunk = Extraction.from_json(argument)
        for pts, fault in breaks:
            if chunk.start_pts <= pts < chunk.end_pts:
                fault()
        return extract(argument, on_progress)

    decoder_process._extract = extract_or_break
    # Core files of deliberate crashes are of no use to anyone.
    os.chdir(Path("/"))
    decoder_process.main(MEMORY_BYTES)


if __name__ == "__main__":
    main(sys.argv[1:])
