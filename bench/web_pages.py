"""Measure how long the web server takes for its pages in a library of 1,000 episodes.

    python -m bench.web_pages [--episodes 1000] [--rounds 40]

Fills a database on SQLite as `bench.queries` does, adds an episode of 22 minutes with 30 lanes and
1,500 bars, and asks for each page in this process, without a network. Prints the median and the
95th percentile of the wall time and of the CPU time, which does not depend on the load of the
machine, with the size of the answer. The target is 100 ms.
"""

import argparse
import gc
import json
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from sqlalchemy import update
from starlette.testclient import TestClient

from bench.queries import MINUTES, add_finished_run, fill
from castline.library import Library
from db.changes.writes import register_model_version
from db.engine import Database
from db.records import AppearanceRecord
from db.schema import model_version
from db.upgrade import upgrade_database
from tests.rows.records import made_episode, made_model
from web.access import Access
from web.app import make_app
from worker.settings import Settings

LANES, BARS = 30, 1500
LABELS = [f"character_{number:02}" for number in range(LANES)]
CROWDED = "Crowd.mkv"

PAGES = (
    "/",
    "/?text=s02",
    "/?label=character_03&order=newest",
    "/?state=done&order=longest",
    "/episodes/1",
    "/episodes/{crowded}",
    "/search?q=character_00+%26+!character_01",
    "/search?q=character_15+%26+character_16",
    "/queue",
    "/api/v1/episodes?limit=200",
    "/api/v1/episodes/{crowded}/appearances",
    "/api/v1/matches?expression=character_00",
    "/api/v1/runs",
)


def main() -> None:
    """Print a table of times."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.from_environment(Path(folder), {})
        database = Database(settings.database_url)
        upgrade_database(database)
        fill(database, arguments.episodes)
        with database.write() as connection:
            connection.execute(update(model_version).values(labels=json.dumps(LABELS)))
        crowded = _crowded(database)
        database.dispose()
        client = TestClient(make_app(Library(settings), Access()), base_url="http://localhost")
        client.headers["accept-encoding"] = "gzip"
        gc.collect()
        gc.freeze()  # as the server does
        print(f"{'page':58} {'median':>7} {'p95':>7} {'CPU p95':>8} {'kB':>7}  (ms)")
        for page in PAGES:
            _measure(client, page.format(crowded=crowded), arguments.rounds)


def _measure(client: TestClient, path: str, rounds: int) -> None:
    size = len(client.get(path).content)
    walls, cpus = [], []
    for _ in range(rounds):
        wall, cpu = time.perf_counter(), time.process_time()
        answer = client.get(path)
        walls.append(1000 * (time.perf_counter() - wall))
        cpus.append(1000 * (time.process_time() - cpu))
        assert answer.status_code == 200, (path, answer.text)
    figures = f"{statistics.median(walls):7.1f} {_p95(walls):7.1f} {_p95(cpus):8.1f}"
    print(f"{path:58} {figures} {size / 1000:7.1f}")


def _p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]


def _crowded(database: Database) -> int:
    """Add an episode with many lanes and bars, and return its number."""
    length = MINUTES * 60_000
    step = length * LANES // BARS
    appearances = [
        AppearanceRecord(LABELS[lane], start, end, start / 1000, end / 1000, 8, 0.8, 0.9)
        for lane in range(LANES)
        for start in range(lane * 100, length - step, step)
        for end in [start + step // 3]
    ]
    with database.write() as connection:
        model_version_id = register_model_version(connection, made_model())
        episode = replace(made_episode("f" * 64, CROWDED), end_pts=length)
        return add_finished_run(connection, model_version_id, episode, appearances)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--episodes", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=40)
    return parser.parse_args()


if __name__ == "__main__":
    main()
