"""Measure how long `castline dataset build` takes for 30,000 stills, and how fast they are read.

    python -m bench.build_dataset [STILLS] [--number 30000]

Takes a folder of LABEL/PICTURE files, and adds copies up to the number: mirrored, two or three
times as large, as JPEG. Prints figures of this single run.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path

import cv2
import psutil

from model.dataset.folder import Dataset, open_dataset
from model.dataset.reading import stream_batches
from model.inference.tensorflow_runtime import load_tensorflow

STILLS = Path("../shared/data/simpsons")
POLL_SECONDS = 0.2
BATCH_SIZE = 40


def main() -> None:
    arguments = _arguments()
    stills = sorted(path for path in arguments.stills.glob("*/*") if path.is_file())
    if not stills:
        sys.exit(f"{arguments.stills}: no LABEL/PICTURE files; give a folder of labelled folders")
    with tempfile.TemporaryDirectory(prefix="castline-bench-") as name:
        folder = Path(name)
        missing = max(arguments.number - len(stills), 0)
        again = zip(islice(cycle(stills), missing), cycle((2, 3)))
        for number, (still, times) in enumerate(again):
            _write_enlarged(still, times, folder / "more" / still.parent.name / f"{number}.jpg")
        sources = [arguments.stills, *([folder / "more"] if missing else [])]
        print(f"{len(stills) + missing} stills")
        seconds, peak = _build(sources, folder / "dataset")
        print(f"{'built in':24}{seconds:8.0f} s")
        print(f"{'peak of all processes':24}{peak / 1e6:8.0f} MB")
        dataset = open_dataset(folder / "dataset")
        size = sum(path.stat().st_size for path in dataset.folder.rglob("*") if path.is_file())
        print(f"{'on disk':24}{size / 1e6:8.0f} MB")
        started = time.perf_counter()
        dataset.check_shards()
        print(f"{'checked by SHA-256 in':24}{time.perf_counter() - started:8.1f} s")
        print(f"{'read':24}{_stills_per_second(dataset):8.0f} stills/s")


def _write_enlarged(still: Path, times: int, target: Path) -> None:
    picture = cv2.imread(str(still))
    if picture is None:
        sys.exit(f"{still}: cannot be read as a picture; leave it out")
    larger = cv2.resize(picture, None, fx=times, fy=times, interpolation=cv2.INTER_CUBIC)
    target.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(target), cv2.flip(larger, 1))


def _build(sources: list[Path], output: Path) -> tuple[float, float]:
    """Return the seconds, and the peak memory of all processes together in bytes."""
    build = [sys.executable, "-m", "cli", "dataset", "build"]
    command = [*build, *map(str, sources), "-o", str(output)]
    started, peak = time.perf_counter(), 0.0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None:
            peak = max(peak, _bytes_of(process.pid))
            time.sleep(POLL_SECONDS)
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)}: ended with code {process.returncode}")
    return time.perf_counter() - started, peak


def _bytes_of(pid: int) -> float:
    """Return the current memory of a process and its children; shared pages count once."""
    total = 0.0
    try:
        parent = psutil.Process(pid)
        for process in (parent, *parent.children(recursive=True)):
            total += process.memory_full_info().pss
    except psutil.NoSuchProcess:
        pass  # it ended meanwhile
    return total


def _stills_per_second(dataset: Dataset) -> float:
    load_tensorflow()
    started, count = time.perf_counter(), 0
    for pictures, _ in stream_batches(dataset, "train", batch_size=BATCH_SIZE, shuffle_seed=0):
        count += len(pictures)
    return count / (time.perf_counter() - started)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("stills", nargs="?", type=Path, default=STILLS)
    parser.add_argument("--number", type=int, default=30_000)
    return parser.parse_args()


if __name__ == "__main__":
    main()
