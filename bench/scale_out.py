"""Measure how throughput grows with the number of extracting processes, on Redis and PostgreSQL.

    python -m bench.scale_out [CLIP] [--episodes 40] [--extract 1 2 4] [--small]

Remuxes a clip with different tags, so that each file is an episode of its own, enqueues all of them
while extraction is stopped, and times from there a Celery worker with a number of extract processes
and another with one classify process. Servers and workers are started here and share this machine.
Loading TensorFlow is not counted: a short episode is processed first.

Prints a table in Markdown, and the CPU time of a chunk: of workers, PostgreSQL and Redis. With
--small: four episodes, with one and two extract processes.
"""

import argparse
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import psutil

from tests.servers.cluster import Cluster, cluster
from tests.servers.commands import castline
from tests.servers.databases import postgresql_server
from tests.servers.processes import tree_of
from tests.video.clips import write_clip

CLIP = Path("../shared/video/big_buck_bunny_480p_30s.mp4")

POLL_SECONDS = 2.0
"""Seconds between polls of the database, whose own work is measured."""


@dataclass(frozen=True)
class Timed:
    """The measurements of one number of extract processes."""

    extract_processes: int
    seconds: float
    episodes: int
    frames: int
    chunks: int
    rows: int
    """Rows of tags."""
    core_seconds: dict[str, float]
    """CPU time of extract, classify, PostgreSQL and Redis."""

    def speedup(self, alone: "Timed") -> float:
        """Return the speed-up relative to another measurement."""
        return alone.seconds / self.seconds

    def efficiency(self, alone: "Timed") -> float:
        """Return the speed-up divided by the ideal speed-up of as many processes."""
        return self.speedup(alone) * alone.extract_processes / self.extract_processes


def main() -> None:
    arguments = _arguments()
    with tempfile.TemporaryDirectory(prefix="castline-bench-") as name, postgresql_server() as url:
        folder = Path(name)
        episodes = folder / "episodes"
        for number in range(arguments.episodes):
            remux(arguments.clip, episodes / f"episode_{number:03}{arguments.clip.suffix}", number)
        warm_up = write_clip(folder / "warm_up.mp4", seconds=4)
        timed = [
            _work_through(folder / f"home_{processes}", url, episodes, warm_up, processes)
            for processes in arguments.extract
        ]
    print(
        f"{arguments.episodes} episodes of {arguments.clip.name}, {os.cpu_count()} cores for"
        " workers, servers and whatever else runs\n"
    )
    print("\n".join(table(timed)))
    print()
    print("\n".join(costs(timed[0])))


def remux(clip: Path, copy: Path, number: int) -> None:
    """Write the same pictures to a file with other content, which counts as another episode."""
    copy.parent.mkdir(exist_ok=True)
    with av.open(str(clip)) as source, av.open(str(copy), "w") as target:
        target.metadata["comment"] = str(number)
        [stream] = source.streams.video
        copied = target.add_stream_from_template(stream)
        for packet in source.demux(stream):
            if packet.dts is not None:  # the last one only marks the end
                packet.stream = copied
                target.mux(packet)


def table(timed: Sequence[Timed]) -> Iterator[str]:
    """Yield a line of Markdown for each measurement, relative to the first."""
    yield "| extract processes | s | episodes/s | frames/s | speed-up | efficiency |"
    yield "|---:|---:|---:|---:|---:|---:|"
    for item in timed:
        yield (
            f"| {item.extract_processes} | {item.seconds:.1f} | {item.episodes / item.seconds:.2f}"
            f" | {item.frames / item.seconds:.1f} | {item.speedup(timed[0]):.2f}"
            f" | {item.efficiency(timed[0]):.0%} |"
        )


def costs(timed: Timed) -> Iterator[str]:
    """Yield the CPU time of a chunk, in Markdown."""
    yield f"| {timed.frames / timed.chunks:.0f} frames a chunk | core-milliseconds a chunk |"
    yield "|---|---:|"
    for name, seconds in timed.core_seconds.items():
        yield f"| {name} | {seconds / timed.chunks * 1000:.1f} |"
    yield f"| (rows of tags a chunk) | {timed.rows / timed.chunks:.0f} |"


def _work_through(
    home: Path, postgresql_url: str, episodes: Path, warm_up: Path, processes: int
) -> Timed:
    with cluster(home, postgresql_url, [("extract", processes), ("classify", 1)]) as workers:
        _enqueue(workers, warm_up)
        workers.wait_until_done()
        [[warm_frames, warm_chunks, warm_rows]] = workers.ask(_DONE)
        with workers.suspended("extract"):
            _enqueue(workers, episodes)
            before = _core_seconds(workers)
            [[began]] = workers.ask("SELECT clock_timestamp()")
        while not workers.is_done():
            time.sleep(POLL_SECONDS)
        after = _core_seconds(workers)
        [[frames, chunks, rows]] = workers.ask(_DONE)
        [[done, ended]] = workers.ask(
            "SELECT count(*), max(ended_at) FROM run WHERE state = 'done'"
        )
    return Timed(
        extract_processes=processes,
        seconds=(ended - began).total_seconds(),
        episodes=done - 1,
        frames=frames - warm_frames,
        chunks=chunks - warm_chunks,
        rows=rows - warm_rows,
        core_seconds={name: after[name] - before[name] for name in after},
    )


_DONE = (
    "SELECT (SELECT sum(frames) FROM run), (SELECT count(*) FROM chunk WHERE state = 'tagged'),"
    " (SELECT count(*) FROM tag)"
)


def _enqueue(workers: Cluster, path: Path) -> None:
    ended: subprocess.CompletedProcess[str] = castline(
        workers.home, "enqueue", path, **workers.settings
    )
    assert ended.returncode == 0, ended.stderr


def _core_seconds(workers: Cluster) -> dict[str, float]:
    """Return the CPU time of each part so far, including child processes."""
    [[folder]] = workers.ask("SHOW data_directory")
    postgresql = int(Path(folder, "postmaster.pid").read_text().splitlines()[0])
    pids = {name: worker.pid for name, worker in workers.workers.items()}
    pids |= {"PostgreSQL": postgresql, "Redis": workers.broker.client.info()["process_id"]}
    return {name: sum(map(_computed, tree_of(pid))) for name, pid in pids.items()}


def _computed(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system + times.children_user + times.children_system)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("clip", nargs="?", type=Path, default=CLIP)
    parser.add_argument("--episodes", type=int, default=40)
    parser.add_argument("--extract", type=int, nargs="+", default=[1, 2, 4], help="processes")
    parser.add_argument("--small", action="store_true", help="4 episodes; 1 and 2 processes")
    arguments = parser.parse_args()
    if arguments.small:
        arguments.episodes, arguments.extract = 4, [1, 2]
    return arguments


if __name__ == "__main__":
    main()
