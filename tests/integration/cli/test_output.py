"""What the commands print, with which code they end, and what they do when nobody listens."""

import json
import os
import pty
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from castline.upkeep.checkup import _check_database
from db.changes.writes import cancel_run, finish_run
from db.engine import Database
from db.errors import DatabaseError
from db.library.runs import list_runs
from db.records import AppearanceRecord
from db.states import RunState
from db.upgrade import upgrade_database
from tests.rows.found import rows_of
from tests.rows.records import made_episode, make_run
from tests.servers.commands import (
    BY_LOT,
    COMMAND,
    castline_here,
    environment_of,
    new_home,
    one_line,
)
from tests.video.clips import write_clip
from tests.waiting import PATIENCE_SECONDS, wait_until
from worker.installation import Installation
from worker.settings import Settings

pytestmark = pytest.mark.integration

LIKE_MARKUP = "Pilot [x265] [bold].mp4"

SECONDS_AT_WORK = 0.5
"""Of computing after the database was opened: the query begins some milliseconds after that."""

Work = Callable[[str, list[AppearanceRecord]], None]


@contextmanager
def database_of(home: Path) -> Iterator[Database]:
    database = Database(Settings.from_environment(home, {}).database_url)
    try:
        upgrade_database(database)
        yield database
    finally:
        database.dispose()


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with an episode whose name, and a run whose error, look like markup."""
    home = tmp_path_factory.mktemp("library")
    with database_of(home) as database:
        make_run(database, made_episode(name=LIKE_MARKUP))
    with rows_of(home) as connection, connection:
        connection.execute("UPDATE run SET state = 'failed', error = 'no such [/x]'")
    return home


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clips") / "it's a clip.mp4", seconds=4)


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Work:
    """Sets how the work of the next command ends, in place of decoding and classifying."""

    def end_with(state: str, appearances: list[AppearanceRecord]) -> None:
        def work_on(installation: Installation, *_: object, **__: object) -> None:
            with installation.database.write() as connection:
                for run in list_runs(connection):
                    if run.is_open and state == "cancelled":
                        cancel_run(connection, run.id)
                    elif run.is_open:
                        finish_run(
                            connection,
                            run_id=run.id,
                            episode_id=run.episode_id,
                            state=RunState(state),
                            frames=8,
                            decode_errors=0,
                            missing=(),
                            error=None,
                            appearances=appearances,
                        )

        monkeypatch.setattr("castline.tagging.work.work_on", work_on)

    return end_with


def seen(label: str) -> AppearanceRecord:
    return AppearanceRecord(label, 0, 100, 0.0, 2.0, 4, 0.8, 0.9)


@pytest.mark.parametrize("command", ["episodes", "status"])
def test_a_name_that_looks_like_markup_is_shown_as_it_is(command: str, library: Path) -> None:
    ended = castline_here(library, command)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert LIKE_MARKUP in ended.stdout
    assert ("no such [/x]" in ended.stdout) == (command == "status")


def test_status_watch_shows_such_a_name_too_and_ctrl_c_ends_it_without_a_word(
    library: Path,
) -> None:
    ours, theirs = pty.openpty()
    environment = environment_of(library) | {"COLUMNS": "200", "TERM": "xterm"}
    with (
        subprocess.Popen(
            [*COMMAND, "status", "--watch"], stdout=theirs, stderr=subprocess.PIPE, env=environment
        ) as process,
        ExitStack() as at_the_end,
    ):
        at_the_end.callback(process.kill)  # what did not end would be waited for without an end
        os.close(theirs)
        shown = b""
        while b"no such [/x]" not in shown:
            shown += os.read(ours, 65536)
        process.send_signal(signal.SIGINT)
        with suppress(OSError):  # which tells that nobody writes to the terminal any more
            while os.read(ours, 65536):  # unread, it fills up, and who writes to it waits
                pass
        _, complaint = process.communicate(timeout=PATIENCE_SECONDS)
        os.close(ours)
    assert LIKE_MARKUP.encode() in shown
    assert (process.returncode, complaint) == (130, b"")


@pytest.mark.parametrize("arguments", [("status",), ("status", "--json")], ids=" ".join)
def test_a_reader_that_went_away_is_no_error(arguments: tuple[str, ...], library: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    ended = subprocess.run(
        [*COMMAND, *arguments],
        stdout=writer,
        stderr=subprocess.PIPE,
        env=environment_of(library),
        timeout=PATIENCE_SECONDS,
    )
    os.close(writer)
    assert (ended.returncode, ended.stderr) == (0, b"")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_json_is_utf_8_whatever_the_terminal_takes(encoding: str, library: Path) -> None:
    ended = subprocess.run(
        [*COMMAND, "sql", "SELECT 'ü' AS x", "--json"],
        capture_output=True,
        env=environment_of(library) | {"PYTHONIOENCODING": encoding},
        timeout=PATIENCE_SECONDS,
    )
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert ended.stdout == '[\n  {\n    "x": "ü"\n  }\n]\n'.encode()


def test_json_of_a_select_holds_nothing_that_json_has_not(library: Path) -> None:
    statement = "SELECT 1e999 AS far, -1e999 AS low, x'00ff' AS bytes, 0.5 AS half"
    ended = castline_here(library, "sql", statement, "--json")
    strict = json.loads(ended.stdout, parse_constant=pytest.fail)
    assert strict == [{"far": "inf", "low": "-inf", "bytes": "00ff", "half": 0.5}]


def test_a_select_without_an_end_is_stopped_by_ctrl_c(library: Path) -> None:
    endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT max(x) FROM c"
    process = subprocess.Popen(
        [*COMMAND, "sql", endless],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment_of(library),
    )
    with ExitStack() as at_the_end:
        at_the_end.callback(process.kill)
        child = psutil.Process(process.pid)
        wait_until(lambda: any(file.path.endswith("castline.db") for file in child.open_files()))
        opened_seconds = child.cpu_times().user
        wait_until(lambda: child.cpu_times().user > opened_seconds + SECONDS_AT_WORK)
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_SECONDS) == 130


def test_a_table_shows_what_the_terminal_cannot_write_as_escapes(library: Path) -> None:
    ended = subprocess.run(
        [*COMMAND, "sql", "SELECT 'ü→' AS x"],
        capture_output=True,
        env=environment_of(library) | {"PYTHONIOENCODING": "latin-1"},
        timeout=PATIENCE_SECONDS,
    )
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert ended.stdout.split() == [b"x", "ü".encode("latin-1") + b"\\u2192"]


@pytest.mark.parametrize(
    ("state", "code"), [("done", 0), ("partial", 3), ("failed", 1), ("cancelled", 1)]
)
def test_worker_until_idle_ends_as_the_runs_that_ended_meanwhile_did(
    state: str, code: int, work: Work, clip: Path, tmp_path: Path
) -> None:
    home = new_home(tmp_path / "home")
    with database_of(home) as database:
        make_run(database, made_episode("e" * 64, "before.mkv"))
    work("failed", [])
    assert castline_here(home, "worker", "--until-idle").returncode == 1
    assert castline_here(home, "enqueue", clip, *BY_LOT).returncode == 0
    work(state, [])
    ended = castline_here(home, "worker", "--until-idle")
    assert ended.returncode == code
    assert f"{clip.name}: {state}" in ended.stderr
    assert "before.mkv" not in ended.stderr, "it ended before"
    assert castline_here(home, "worker", "--until-idle").returncode == 0


def test_tag_shows_its_own_run_and_says_when_queries_show_another(
    work: Work, clip: Path, tmp_path: Path
) -> None:
    home = new_home(tmp_path / "home")
    work("done", [seen("apple")])
    whole = castline_here(home, "tag", clip, *BY_LOT)
    assert (whole.returncode, "apple" in whole.stdout) == (0, True)
    assert "shown" not in whole.stderr
    assert "Worked for" in whole.stderr

    work("partial", [seen("birch")])
    part = castline_here(home, "tag", clip, *BY_LOT, "--every", "1/4")
    assert part.returncode == 3
    assert "birch" in part.stdout
    assert "apple" not in part.stdout
    assert "run 1 by by_lot@1, every 0.5 s is still shown; run 2" in part.stderr
    assert "is partial" in part.stderr
    assert "apple" in castline_here(home, "who", "clip").stdout

    again = castline_here(home, "tag", clip, *BY_LOT)
    assert "apple" in again.stdout
    assert again.stderr == "", "it answered at once: there is no work to tell of"


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_tag_shows_nobody_where_nobody_looked(
    state: str, work: Work, clip: Path, tmp_path: Path
) -> None:
    home = new_home(tmp_path / "home")
    work(state, [])
    ended = castline_here(home, "tag", clip, *BY_LOT)
    assert ended.returncode == 1
    assert one_line(ended.stdout).startswith(f"{clip.name}: {state}")
    assert "Nobody" not in ended.stderr


def test_a_command_to_copy_is_quoted(clip: Path, tmp_path: Path) -> None:
    home = new_home(tmp_path / "home")
    assert castline_here(home, "enqueue", clip, *BY_LOT).returncode == 0
    line = one_line(castline_here(home, "who", "clip").stderr)
    asked = subprocess.run(
        ["bash", "-c", f"printf '%s\\n' {line.rpartition('run: ')[2]}"],
        capture_output=True,
        text=True,
    )
    assert asked.stdout.splitlines() == ["castline", "tag", str(clip)]


def test_doctor_says_what_to_do_with_the_database_of_a_newer_castline(tmp_path: Path) -> None:
    with database_of(tmp_path):
        pass
    with rows_of(tmp_path) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(DatabaseError, match=r"newer Castline .* install that version"):
        _check_database(Settings.from_environment(tmp_path, {}))
