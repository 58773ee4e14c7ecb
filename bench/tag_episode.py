"""Compare the time of `castline tag` for 22 minutes with ffmpeg and two plain loops.

    python -m bench.tag_episode [CLIP] [--minutes 22] [--skip-loops]

Loops a clip by stream copy, and prints wall times, ratios and peak memory per process, all from
this single run. Everything is included: start-up of Python and TensorFlow, hashing, the frame
store, the database.
"""

import argparse
import math
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg
import psutil

CLIP = Path("../shared/video/big_buck_bunny_480p_30s.mp4")
ROLES = {
    "ingest.decoder.process": "extract",
    "worker.embedded.classify_process": "classify",
    "castline": "castline (queue, progress)",
}
POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Timed:
    """A command's wall time and the peak memory of its processes, by role."""

    name: str
    seconds: float
    peak_megabytes: dict[str, float]


def main() -> None:
    arguments = _arguments()
    ffmpeg = shutil.which("ffmpeg") or imageio_ffmpeg.get_ffmpeg_exe()
    with tempfile.TemporaryDirectory(prefix="castline-bench-") as folder:
        episode = Path(folder) / "episode.mp4"
        loop_clip(ffmpeg, arguments.clip, episode, arguments.minutes)
        castline = [sys.executable, "-m", "cli", "--home", f"{folder}/home", "tag", str(episode)]
        decode_all = [ffmpeg, "-v", "error", "-i", str(episode), "-map", "0:v:0", "-f", "null", "-"]
        timed = [_timed("castline tag", castline), _timed("ffmpeg -f null", decode_all)]
        if not arguments.skip_loops:
            for frames in (1, 32):
                loop = [sys.executable, "-m", "bench.plain_loop", str(episode), str(frames)]
                name = f"plain loop, predict on {frames} frame{'s' if frames > 1 else ''}"
                timed.append(_timed(name, loop))
        _report(timed, arguments, episode, Path(folder) / "home")


def _report(timed: list[Timed], arguments: argparse.Namespace, episode: Path, home: Path) -> None:
    castline = timed[0]
    print(f"{arguments.minutes} minutes of {arguments.clip.name}, {os.cpu_count()} cores")
    print(f"{'':34}{'wall s':>8}{'castline is':>16}")
    for item in timed:
        ratio = "" if item is castline else f"{item.seconds / castline.seconds:.2f} x faster"
        print(f"{item.name:34}{item.seconds:8.1f}{ratio:>16}")
    print(f"\ncastline / ffmpeg = {castline.seconds / timed[1].seconds:.2f}")
    print(f"real time x {arguments.minutes * 60 / castline.seconds:.0f}")
    for role, megabytes in castline.peak_megabytes.items():
        print(f"peak memory of {role}: {megabytes:.0f} MB")
    frames_bytes = sum(path.stat().st_size for path in (home / "frames").rglob("*.zip"))
    print(
        f"frame store: {frames_bytes / 1e6:.1f} MB; episode {episode.stat().st_size / 1e6:.0f} MB"
    )
    with sqlite3.connect(home / "castline.db") as connection:
        for state, frames in connection.execute("SELECT state, frames FROM run"):
            print(f"run: {state}, {frames} frames")


def loop_clip(ffmpeg: str, clip: Path, episode: Path, minutes: float) -> None:
    probe = subprocess.run(
        [ffmpeg, "-i", str(clip)], capture_output=True, text=True, check=False
    ).stderr
    hours, minutes_, seconds = probe.split("Duration: ")[1].split(",")[0].split(":")
    clip_seconds = int(hours) * 3600 + int(minutes_) * 60 + float(seconds)
    again = math.ceil(minutes * 60 / clip_seconds) - 1
    subprocess.run(
        [
            *(ffmpeg, "-v", "error", "-stream_loop", str(again), "-i", str(clip)),
            *("-c", "copy", "-t", str(minutes * 60), str(episode)),
        ],
        check=True,
    )


def _timed(name: str, command: list[str]) -> Timed:
    peaks: dict[str, float] = {}
    ended = threading.Event()
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        watcher = threading.Thread(target=_watch_memory, args=(process.pid, peaks, ended))
        watcher.start()
        _, stderr = process.communicate()
    seconds = time.perf_counter() - started
    ended.set()
    watcher.join()
    if process.returncode != 0:
        sys.exit(f"{name} ended with code {process.returncode}: {stderr.decode()}")
    return Timed(name, seconds, peaks)


def _watch_memory(pid: int, peaks: dict[str, float], ended: threading.Event) -> None:
    while not ended.wait(POLL_SECONDS):
        try:
            parent = psutil.Process(pid)
            for process in (parent, *parent.children(recursive=True)):
                role = _role(process.cmdline())
                peaks[role] = max(peaks.get(role, 0.0), _peak_megabytes(process.pid))
        except (psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError):
            continue


def _role(command: list[str]) -> str:
    text = " ".join(command)
    return next((role for part, role in ROLES.items() if part in text), "other")


def _peak_megabytes(pid: int) -> float:
    # The kernel's own high-water mark: no peak between two polls is lost.
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("clip", nargs="?", type=Path, default=CLIP)
    parser.add_argument("--minutes", type=float, default=22)
    parser.add_argument("--skip-loops", action="store_true", help="only castline and ffmpeg")
    return parser.parse_args()


if __name__ == "__main__":
    main()
