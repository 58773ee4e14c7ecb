"""A decoder process that breaks or waits.

    python -m tests.video.decoders crash:5000 wait:0:/tmp/gate

It is the real one until it is asked for a chunk. Of a chunk that holds one of the times it does
what damaged or hostile files make decoders do. Of a chunk at or after a time with a gate, which is
a file that may appear, it stays in the middle until the gate is there, and reports all the while:
so a test that needs work to be under way has it, however fast the machine is.
"""

import os
import shlex
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import ingest.progress
from ingest.decoder import process as decoder_process
from ingest.decoder.parent import Decoder
from ingest.frames.extract_request import Extracted, Extraction
from ingest.media.file import MediaFile
from ingest.progress import Report
from tests.waiting import PATIENCE_SECONDS

MEMORY_BYTES = 1 << 30
"""Enough for the small episodes of tests, and soon exhausted."""

SILENT_SECONDS = 0.5
"""For which a decoder may be silent that said that it hangs now; until then a slow machine may take
as long as it likes."""

HANGS_NOW = -1
"""What it reports just before."""


class PatientDecoder(Decoder):
    """A decoder that loses its patience only with a child that said that it hangs."""

    def __init__(self, *faults: str) -> None:
        super().__init__(command=command(*faults), silent_seconds=PATIENCE_SECONDS)

    def extract(self, request: Extraction, on_progress: Report | None = None) -> Extracted:
        def heed(done: int) -> None:
            if done == HANGS_NOW:
                self._child.silent_seconds = SILENT_SECONDS
            elif on_progress is not None:
                on_progress(done)

        try:
            return super().extract(request, heed)
        finally:
            self._child.silent_seconds = PATIENCE_SECONDS


def command(*faults: str) -> list[str]:
    """Starts a process that breaks as told, each `fault:pts`, or waits, `wait:pts:gate`."""
    return [sys.executable, "-m", "tests.video.decoders", *faults]


def environment(*faults: str) -> dict[str, str]:
    """What of a command's environment makes all its decoders such ones."""
    path = [str(Path(__file__).parents[1] / "startup"), str(Path(__file__).parents[2])]
    path += filter(None, [os.environ.get("PYTHONPATH")])
    return {"PYTHONPATH": os.pathsep.join(path), "DECODER_FAULTS": shlex.join(faults)}


def _crash(_on_progress: Report) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def _abort(_on_progress: Report) -> None:
    os.abort()


def _hang(on_progress: Report) -> None:
    on_progress(HANGS_NOW)
    signal.pause()


def _exhaust_memory(_on_progress: Report) -> None:
    taken = []
    while True:
        taken.append(bytes(64 << 20))  # promised alone, which even a busy machine does at once


FAULTS: dict[str, Callable[[Report], None]] = {
    "crash": _crash,
    "abort": _abort,
    "hang": _hang,
    "exhaust": _exhaust_memory,
}


def _held_by(gate: Path, on_progress: Report) -> Report:
    """Reports, and once a frame is decoded goes on reporting until the gate is there."""

    def report(done: int) -> None:
        on_progress(done)
        while done and not gate.exists():
            time.sleep(0.02)
            on_progress(done)

    return report


def main(faults: list[str]) -> None:
    """Serve requests like `ingest.decoder.process`, but for the faults."""
    extract = decoder_process._extract
    told = [item.split(":", 2) for item in faults]
    breaks = [(int(pts), FAULTS[name]) for name, pts, *gate in told if not gate]
    gates = [(int(pts), Path(gate[0])) for _, pts, *gate in told if gate]
    if gates:
        ingest.progress.REPORT_EVERY_SECONDS = 0  # and so before the first frame is decoded

    def extract_or_break(argument: str, file: MediaFile, on_progress: Report) -> str:
        chunk = Extraction.from_json(argument)
        for pts, fault in breaks:
            if chunk.start_pts <= pts < chunk.end_pts:
                fault(on_progress)
        for pts, gate in gates:
            if chunk.start_pts >= pts:
                on_progress = _held_by(gate, on_progress)
        return extract(argument, file, on_progress)

    decoder_process._extract = extract_or_break
    # Core files of deliberate crashes are of no use to anyone.
    os.chdir(Path("/"))
    decoder_process.main(MEMORY_BYTES)


if __name__ == "__main__":
    main(sys.argv[1:])
