"""How long other thresholds take for a library of 1,000 episodes with 2.6 million tags.

    python -m bench.thresholds [--episodes 1000] [--only sqlite|postgresql]

Fills a database with made episodes of 22 minutes, two looks a second, tags with places and cuts,
and derives all appearances by other thresholds, as `castline thresholds set` does, in a process of
its own. Meanwhile a reader asks for one character's screen time again and again. Prints the seconds
in all and of the last transaction, the peak memory of the process, and how long the reader waited;
fails if it takes more than a minute, or if the reader saw anything but all-old or all-new.
"""

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import threading
import time
from bisect import bisect_right
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import sqlalchemy as sa
from sqlalchemy import Connection

from bench.queries import MINUTES, SAMPLE_MILLISECONDS, database_url, fill
from db.changes.writes import register_model_version
from db.engine import Database
from db.questions.appearances import screen_time
from db.upgrade import upgrade_database
from ingest.cuts import Cuts, Frames
from tests.rows.records import made_model
from timeline.appearances.rules import Rules, ShotRules
from worker.parameters import RunParameters
from worker.steps.rederiving import rederive

MOST_SECONDS = 60.0

PAUSE_SECONDS = 0.1
"""Between two questions of the reader, who is not to take the time that is measured."""

FRAME_MILLISECONDS = 40
SIGNATURE_BYTES = 288

SHOTS = ShotRules(sure=0.95, link_seconds=Fraction(3))

CHANGED = Rules(0.7, 0.5, Fraction(3, 4), Fraction(3, 4))

UNSURE = (
    "UPDATE tag SET confidence = 0.4 + 0.6 * ((pts / 500 * 7919 + run_id * 31) % 97) / 96.0",
    "UPDATE run SET params = :params, chunks_total = :minutes, chunks_done = :minutes",
    "DELETE FROM chunk",
)
"""Confidences that go up and down across the thresholds, and room for a chunk per minute."""

CHUNK = """
    INSERT INTO chunk (run_id, number, start_pts, end_pts, state, attempts, losses, token,
                       frames_decoded, decode_errors, missing, is_reused, sampled_pts, cuts)
    SELECT id, :number, :start, :end, 'tagged', 0, 0, 1, 1440, 0, '[]', :no, :sampled, :cuts
    FROM run
    """


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--episodes", type=int, default=1000)
    parser.add_argument("--only", choices=("sqlite", "postgresql"), action="append")
    parser.add_argument("--derive", metavar="URL", help=argparse.SUPPRESS)
    parser.add_argument("--onset", type=float, help=argparse.SUPPRESS)
    parser.add_argument("--offset", type=float, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.derive:
        derive(arguments.derive, arguments.onset, arguments.offset)
        return
    slow = [
        measure(name, arguments.episodes) for name in arguments.only or ("sqlite", "postgresql")
    ]
    if any(slow):
        sys.exit(f"it takes more than {MOST_SECONDS:.0f} s")


def measure(name: str, episodes: int) -> bool:
    """Print what one database takes; returns whether that is too much."""
    with (
        tempfile.TemporaryDirectory(prefix="castline-bench-") as folder,
        database_url(name, Path(folder)) as url,
    ):
        database = Database(url)
        upgrade_database(database)
        fill(database, episodes)
        with database.write() as connection:
            make_unsure(connection)
        own = RunParameters.from_json(parameters()).rules
        rederived(url, own)  # so that there are appearances of these tags
        reader = Reader(database)
        reader.start()
        found = rederived(url, CHANGED)
        reader.stop()
        reader.check()
        print(
            f"{name}: {found['runs']} runs, {found['appearances']} appearances of"
            f" {tags(database)} tags derived in {found['seconds']:.1f} s"
            f" ({found['own_seconds']:.1f} s of computing, {found['last_seconds']:.1f} s in the"
            f" last transaction); {found['peak_megabytes']:.0f} MB at most;"
            f" {len(reader.answers)} answers meanwhile, the longest after"
            f" {reader.longest_seconds:.2f} s, all old or all new"
        )
        database.dispose()
        return bool(found["seconds"] > MOST_SECONDS)


def make_unsure(connection: Connection) -> None:
    """Give tags confidences across thresholds, and runs the chunks that a decoder would tell of."""
    for statement in UNSURE:
        connection.execute(sa.text(statement), {"params": parameters(), "minutes": MINUTES})
    lot = random.Random(0)  # noqa: S311 - made data
    shots = [0]
    while shots[-1] < MINUTES * 60_000:
        shots.append(shots[-1] + lot.randint(1500, 5000))
    for number in range(MINUTES):
        start, end = number * 60_000, (number + 1) * 60_000
        values = {
            "number": number,
            "start": start,
            "end": end,
            "no": False,
            "sampled": json.dumps(list(range(start, end, SAMPLE_MILLISECONDS))),
            "cuts": seen(range(start, end, FRAME_MILLISECONDS), shots).to_json(),
        }
        connection.execute(sa.text(CHUNK), values)
    connection.execute(sa.text("ANALYZE"))


def seen(pts: Sequence[int], shots: Sequence[int]) -> Cuts:
    """The cuts of a chunk that shows quite another grey in each shot."""
    greys = [20 + 70 * (bisect_right(shots, each) % 4) for each in pts]
    return Cuts.among(
        Frames(tuple(pts), np.repeat(np.array([greys], np.uint8).T, SIGNATURE_BYTES, axis=1))
    )


def parameters() -> str:
    """Those of a new run of a model with onset 0.6 and offset 0.4."""
    rules = Rules(0.6, 0.4, Fraction(3, 4), Fraction(3, 4), shots=SHOTS)
    return RunParameters(Fraction(1, 2), rules).to_json()


def rederived(url: str, rules: Rules) -> dict[str, float]:
    """What another process says that it did."""
    command = [sys.executable, "-m", "bench.thresholds", "--derive", url]
    command += ["--onset", str(rules.onset), "--offset", str(rules.offset)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(ended.stdout)
    return found


def derive(url: str, onset: float, offset: float) -> None:
    """Derive by these thresholds and print figures as JSON."""
    database = Database(url)
    with database.write() as connection:
        key = register_model_version(connection, made_model())
    rules = Rules(onset, offset, Fraction(3, 4), Fraction(3, 4))
    moments = [time.perf_counter()]

    def progress(done: int, total: int) -> None:
        if done == total:
            moments.append(time.perf_counter())

    done = rederive(database, key, rules, lambda _connection: None, progress)
    moments.append(time.perf_counter())
    used = resource.getrusage(resource.RUSAGE_SELF)
    figures = {
        "runs": done.runs,
        "appearances": done.appearances,
        "seconds": moments[-1] - moments[0],
        "last_seconds": moments[-1] - moments[-2],
        "own_seconds": used.ru_utime + used.ru_stime,
        "peak_megabytes": used.ru_maxrss / 1024,
    }
    print(json.dumps(figures))


class Reader(threading.Thread):
    """Asks for everybody's screen time again and again."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self._database = database
        self._stop_asking = threading.Event()
        self.answers: list[str] = []
        self.longest_seconds = 0.0

    def run(self) -> None:
        """Ask until told to stop."""
        while not self._stop_asking.wait(PAUSE_SECONDS):
            began = time.perf_counter()
            with self._database.read() as connection:
                self.answers.append(str(screen_time(connection)))
            self.longest_seconds = max(self.longest_seconds, time.perf_counter() - began)

    def stop(self) -> None:
        """Ask once more, and end."""
        self._stop_asking.set()
        self.join()

    def check(self) -> None:
        """Fail unless all answers until one are alike, and all after it."""
        distinct = list(dict.fromkeys(self.answers))
        changes = sum(one != other for one, other in pairwise(self.answers))
        if len(distinct) > 2 or changes > 1:
            sys.exit(f"a reader saw {len(distinct)} answers in {changes} changes")


def tags(database: Database) -> int:
    """How many there are."""
    with database.read() as connection:
        return int(connection.execute(sa.text("SELECT count(*) FROM tag")).scalar_one())


if __name__ == "__main__":
    main()
