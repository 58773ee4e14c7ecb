"""Measure how long each question takes in a library of 1,000 episodes with 2.6 million tags.

    python -m bench.queries [--episodes 1000] [--rounds 40] [--only sqlite|postgresql]
                            [--corrections 10000]

Fills a database with synthetic episodes of 22 minutes, two tags a second, the appearances that
follow from them, an opening and credits in each, lets people correct them, then asks each question
with names drawn by their frequency. Prints the median and the 95th percentile of the time in the
database layer, from the call to the last row; and the 95th percentile of the CPU time of this
process and of the server's process that answers it, which does not depend on the load of the
machine. Questions with --raw and --skip-repeats have no target.
"""

import argparse
import gc
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from castline.asking.timelines import find_matches
from castline.corrections.files import write_corrections
from castline.corrections.managing import import_
from db.changes.repeats import replace_repeats
from db.changes.writes import create_run, finish_run, register_episode, register_model_version
from db.engine import Database, Transaction
from db.library.corrections import list_corrections
from db.library.current import RunSelection
from db.library.episodes import list_episodes
from db.library.repeats import RepeatRecord
from db.library.runs import current_run_of
from db.questions.appearances import (
    Season,
    find_appearances,
    first_appearances,
    known_labels,
    screen_time,
    shared_time,
)
from db.questions.reading import select_rows
from db.questions.snapshot import write_snapshot
from db.records import AppearanceRecord, CorrectionRecord, EpisodeRecord
from db.states import RunState
from db.upgrade import upgrade_database
from exact.verdicts import Verdict
from tests.rows.records import PARAMS, made_episode, made_model
from tests.servers.databases import new_postgresql_url, postgresql_server, with_reader
from timeline.expressions import parse_expression
from worker.installation import Installation
from worker.settings import Settings

CAST = tuple(f"character_{number:02}" for number in range(17))
WEIGHTS = tuple(1 / (number + 1) for number in range(len(CAST)))
"""Frequencies of the characters by Zipf's law: the second appears half as often as the first."""

MINUTES = 22
SAMPLE_MILLISECONDS = 500
LIMIT = 100
TARGET_MILLISECONDS = 50.0

TAGS = (
    """
    CREATE TEMPORARY TABLE number AS
    WITH RECURSIVE counted (k) AS (SELECT 0 UNION ALL SELECT k + 500 FROM counted WHERE k < 1000000)
    SELECT k FROM counted
    """,
    """
    INSERT INTO tag (run_id, pts, label, region, confidence, seconds,
                     place_x, place_y, place_width, place_height)
    SELECT run_id, start_pts + k, label, 'full', 0.9, (start_pts + k) / 1000.0,
           0.5, 0.4375, 0.25, 0.625
    FROM appearance JOIN number ON k < end_pts - start_pts
    """,
)
"""Creates the tags of all appearances inside the database, which is much faster than sending
them."""

WITHOUT_REPEATS = RunSelection(skip_repeats=True)

UNTARGETED = "--raw", "--skip-repeats"
"""Options of questions without a target."""

VERDICTS = tuple(verdict for verdict in Verdict if verdict is not Verdict.UNDO)

Question = Callable[[Connection, random.Random], object]


@dataclass(frozen=True)
class Shot:
    """Samples of a run in which the same characters are on screen."""

    start: int
    end: int
    labels: tuple[str, ...]


def main() -> None:
    arguments = _arguments()
    slow = False
    for name in arguments.only or ("sqlite", "postgresql"):
        with (
            tempfile.TemporaryDirectory(prefix="castline-bench-") as folder,
            database_url(name, Path(folder)) as url,
        ):
            database = Database(url)
            upgrade_database(database)
            if not database.is_sqlite:
                with_reader(database)
            started = time.perf_counter()
            fill(database, arguments.episodes)
            # Exclude the objects loaded by now from garbage collection: its pauses of 70 ms would
            # be attributed to a question, but a command asks only one.
            gc.collect()
            gc.freeze()
            print(f"{name}: filled in {time.perf_counter() - started:.0f} s; {_counts(database)}")
            _note_repeats(database)
            if arguments.corrections:
                _correct(database, arguments.corrections, arguments.episodes, Path(folder))
            slow |= _report(database, arguments.rounds, Path(folder))
            database.dispose()
    if slow:
        sys.exit(f"a question takes more than {TARGET_MILLISECONDS:.0f} ms at the 95th percentile")


def fill(database: Database, episodes: int) -> None:
    """Add episodes, each with a finished run: its tags, appearances and totals."""
    length = MINUTES * 60_000
    with database.write() as connection:
        model_version_id = register_model_version(connection, made_model())
        for number in range(episodes):
            lot = random.Random(number)  # noqa: S311 - made data
            name = f"Show.S{number // 22 + 1:02}E{number % 22 + 1:02}.mkv"
            episode = replace(made_episode(f"{number:064x}", name), end_pts=length)
            appearances = list(_appearances(list(_shots(lot))))
            add_finished_run(connection, model_version_id, episode, appearances)
        for statement in (*TAGS, "ANALYZE"):
            connection.execute(sa.text(statement))


def add_finished_run(
    connection: Transaction,
    model_version_id: int,
    episode: EpisodeRecord,
    appearances: Sequence[AppearanceRecord],
) -> int:
    """Add an episode of MINUTES with a finished run, and return the episode's number."""
    episode_id = register_episode(connection, episode)
    run_id, _ = create_run(
        connection,
        episode_id=episode_id,
        model_version_id=model_version_id,
        params=PARAMS,
        params_hash="c" * 64,
        chunks=((0, episode.end_pts),),
        missing=(),
    )
    finish_run(
        connection,
        run_id=run_id,
        episode_id=episode_id,
        state=RunState.DONE,
        frames=MINUTES * 120,
        decode_errors=0,
        missing=(),
        error=None,
        appearances=appearances,
    )
    return episode_id


def _note_repeats(database: Database) -> None:
    """Note an opening of a minute and credits of half a minute in each episode."""
    end_pts = MINUTES * 60_000
    with database.write() as connection:
        for episode in list_episodes(connection):
            start_pts = episode.id % 5 * 30_000
            found = [
                RepeatRecord(start_pts, start_pts + 60_000, ()),
                RepeatRecord(end_pts - 30_000, end_pts, ()),
            ]
            replace_repeats(connection, episode.id, found, compared=6)


def _correct(database: Database, count: int, episodes: int, folder: Path) -> None:
    """Let people have judged so many appearances, of all episodes alike."""
    records = []
    for number in range(count):
        lot = random.Random(f"correction {number}")  # noqa: S311 - made data
        label, other = _drawn(lot, 2)
        verdict = lot.choice(VERDICTS)
        start = lot.randrange(0, MINUTES * 60_000 - 5000, SAMPLE_MILLISECONDS)
        end = start + lot.randrange(1500, 5000, SAMPLE_MILLISECONDS)
        records.append(
            CorrectionRecord(
                key=f"{number:032x}",
                sha256=f"{number % episodes:064x}",
                verdict=verdict,
                label=label,
                start_pts=start,
                end_pts=end,
                other=other if verdict is Verdict.RELABEL else None,
                part=(start + 500, end) if verdict is Verdict.TRIM else None,
                supersedes=None,
                author="bench",
                reason="",
                model="cast@1",
                confidence=0.9,
                made_at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=number),
            )
        )
    path = folder / "corrections.json"
    write_corrections(path, records, {})
    settings = Settings.from_environment(folder, {})
    with database.read() as connection:  # the pool's one, which the import uses, too
        cpu_seconds = _cpu_clock(connection)
    started, computed = time.perf_counter(), cpu_seconds()
    done = import_(Installation(settings, database), path)
    seconds, computing = time.perf_counter() - started, cpu_seconds() - computed
    with database.write() as connection:
        connection.execute(sa.text("ANALYZE"))
    print(
        f"{done.added} corrections of {done.episodes} episodes taken over in {seconds:.0f} s, of"
        f" which {computing:.0f} s computing"
    )


def _shots(lot: random.Random) -> Iterator[Shot]:
    start, samples = 0, MINUTES * 120
    while start < samples:
        end = min(samples, start + lot.randint(3, 10))  # 1.5 to 5 s
        count = lot.choices((0, 1, 2, 3), (25, 50, 20, 5))[0]
        labels = {*lot.choices(CAST, WEIGHTS, k=count)}
        yield Shot(start, end, tuple(sorted(labels)))
        start = end


def _appearances(shots: list[Shot]) -> Iterator[AppearanceRecord]:
    """Return the shots of each label; consecutive ones are merged."""
    for label in CAST:
        open_shot: Shot | None = None
        for shot in shots:
            if label in shot.labels:
                start = open_shot.start if open_shot else shot.start
                open_shot = replace(shot, start=start)
            elif open_shot:
                yield _appearance(label, open_shot)
                open_shot = None
        if open_shot:
            yield _appearance(label, open_shot)


def _appearance(label: str, shot: Shot) -> AppearanceRecord:
    start, end = shot.start * SAMPLE_MILLISECONDS, shot.end * SAMPLE_MILLISECONDS
    return AppearanceRecord(
        label, start, end, start / 1000, end / 1000, shot.end - shot.start, 0.9, 0.95
    )


def _drawn(lot: random.Random, count: int) -> list[str]:
    """Draw different characters, frequent ones more often."""
    found: list[str] = []
    while len(found) < count:
        found += [name for name in lot.choices(CAST, WEIGHTS) if name not in found]
    return found


def _when(text: str, count: int, **options: Any) -> Question:
    def ask(connection: Connection, lot: random.Random) -> object:
        asked = parse_expression(text.format(*_drawn(lot, count)))
        return list(islice(find_matches(connection, asked, **options), LIMIT))

    return ask


QUESTIONS: dict[str, Question] = {
    "when A": _when("{}", 1),
    "when A & B": _when("{} & {}", 2),
    "when A & !B": _when("{} & !{}", 2),
    "when (A | B) & !C": _when("({} | {}) & !{}", 3),
    "when A & B --season 7": _when("{} & {}", 2, season=Season(7)),
    "who EPISODE": lambda connection, lot: find_appearances(
        connection, episode_id=lot.randint(1, 100)
    ),
    "who EPISODE --at": lambda connection, lot: find_appearances(
        connection, episode_id=lot.randint(1, 100), at_seconds=lot.uniform(0, MINUTES * 60)
    ),
    "who EPISODE --json": lambda connection, lot: find_appearances(
        connection, episode_id=lot.randint(1, 100), places=True
    ),
    "who EPISODE --at --json": lambda connection, lot: find_appearances(
        connection,
        episode_id=lot.randint(1, 100),
        at_seconds=lot.uniform(0, MINUTES * 60),
        places=True,
    ),
    "who EPISODE --from --to": lambda connection, lot: find_appearances(
        connection, episode_id=lot.randint(1, 100), from_seconds=600.0, to_seconds=660.0
    ),
    "screen-time": lambda connection, _: screen_time(connection),
    "screen-time --by episode": lambda connection, _: screen_time(
        connection, by="episode", limit=LIMIT
    ),
    "screen-time --by season": lambda connection, _: screen_time(
        connection, by="season", limit=LIMIT
    ),
    "together": lambda connection, _: shared_time(connection, limit=20),
    "together A": lambda connection, lot: shared_time(connection, tuple(_drawn(lot, 1)), limit=20),
    "together A B": lambda connection, lot: shared_time(
        connection, tuple(_drawn(lot, 2)), by_episode=True, limit=LIMIT
    ),
    "first A": lambda connection, lot: first_appearances(
        connection, _drawn(lot, 1)[0], limit=LIMIT
    ),
    "first A --json": lambda connection, lot: first_appearances(
        connection, _drawn(lot, 1)[0], limit=LIMIT, places=True
    ),
    "screen-time --raw": lambda connection, _: screen_time(
        connection, selection=RunSelection(raw=True)
    ),
    "who EPISODE --raw": lambda connection, lot: find_appearances(
        connection, episode_id=lot.randint(1, 100), selection=RunSelection(raw=True)
    ),
    "when A & B --raw": _when("{} & {}", 2, selection=RunSelection(raw=True)),
    "together --raw": lambda connection, _: shared_time(
        connection, limit=20, selection=RunSelection(raw=True)
    ),
    "who EPISODE --skip-repeats": lambda connection, lot: find_appearances(
        connection, episode_id=lot.randint(1, 100), selection=WITHOUT_REPEATS
    ),
    "when A & B --skip-repeats": _when("{} & {}", 2, selection=WITHOUT_REPEATS),
    "screen-time --skip-repeats": lambda connection, _: screen_time(
        connection, selection=WITHOUT_REPEATS
    ),
    "together --skip-repeats": lambda connection, _: shared_time(
        connection, limit=20, selection=WITHOUT_REPEATS
    ),
    "first A --skip-repeats": lambda connection, lot: first_appearances(
        connection, _drawn(lot, 1)[0], limit=LIMIT, selection=WITHOUT_REPEATS
    ),
    "corrections of EPISODE": lambda connection, lot: list_corrections(
        connection, [f"{lot.randint(0, 99):064x}"]
    ),
    "labels": lambda connection, _: list(known_labels(connection)),
    "episodes": lambda connection, _: list_episodes(connection),
    "current run of EPISODE": lambda connection, lot: current_run_of(
        connection, lot.randint(1, 100)
    ),
}


def _report(database: Database, rounds: int, folder: Path) -> bool:
    """Print a table of the questions; return whether any is slower than the target."""
    print(f"{'question':28}{'median ms':>10}{'95 % ms':>10}{'computing':>11}{'rows':>8}")
    slow = False
    for name, question in QUESTIONS.items():
        lot = random.Random(name)  # noqa: S311 - made data
        milliseconds, computing, rows = [], [], 0
        for _ in range(rounds):
            with database.read() as connection:
                cpu_seconds = _cpu_clock(connection)
                started, computed = time.perf_counter(), cpu_seconds()
                found = question(connection, lot)
                computing.append((cpu_seconds() - computed) * 1000)
                milliseconds.append((time.perf_counter() - started) * 1000)
            rows = max(rows, len(found) if isinstance(found, list) else 1)
        late, busy = (statistics.quantiles(each, n=20)[-1] for each in (milliseconds, computing))
        slow |= late > TARGET_MILLISECONDS and not name.endswith(UNTARGETED)
        middle = statistics.median(milliseconds)
        print(f"{name:28}{middle:10.1f}{late:10.1f}{busy:11.1f}{rows:8}")
    started = time.perf_counter()
    with database.read() as connection:
        write_snapshot(connection, folder / "snapshot.db", {})
    size = (folder / "snapshot.db").stat().st_size
    print(f"snapshot: {time.perf_counter() - started:.1f} s, {size / 1e6:.0f} MB\n", flush=True)
    return slow


def _cpu_clock(connection: Connection) -> Callable[[], float]:
    """Return what tells the CPU seconds of this thread and of the server's process."""
    if connection.dialect.name == "sqlite":
        return time.thread_time
    number = connection.execute(sa.text("SELECT pg_backend_pid()")).scalar_one()
    of_server = Path(f"/proc/{number}/schedstat")  # of Linux: first the nanoseconds on a CPU
    return lambda: time.thread_time() + int(of_server.read_text().split()[0]) / 1e9


def _counts(database: Database) -> str:
    tables = ("episode", "tag", "appearance", "run_label", "run_pair", "correction")
    counts = ", ".join(f"(SELECT count(*) FROM {table})" for table in tables)  # noqa: S608
    [row] = select_rows(database, f"SELECT {counts}").rows
    return ", ".join(f"{count:,} {table}" for count, table in zip(row, tables, strict=True))


@contextmanager
def database_url(name: str, folder: Path) -> Iterator[str]:
    """The URL of a new database: `sqlite`, in a folder, or `postgresql`."""
    if name == "sqlite":
        yield f"sqlite:///{folder / 'castline.db'}"
    else:
        with postgresql_server() as server:
            yield new_postgresql_url(server)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--episodes", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=40, help="how often each question is asked")
    parser.add_argument("--corrections", type=int, default=10_000)
    parser.add_argument("--only", choices=["sqlite", "postgresql"], action="append")
    return parser.parse_args()


if __name__ == "__main__":
    main()
