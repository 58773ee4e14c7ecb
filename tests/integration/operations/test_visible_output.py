"""What came from outside is shown, never obeyed: no command lets it act on a terminal."""

import ast
import io
import json
import logging
import os
import pty
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import redirect_stderr, suppress
from pathlib import Path

import pytest
from rich.progress import Progress

from castline.tagging.values import RunProgress
from cli.progress import RunBars
from cli.terminal import Terminal
from db.engine import Database
from db.upgrade import upgrade_database
from tests.rows.records import end_run, made_appearance, made_episode, make_run
from tests.servers.commands import (
    BY_LOT,
    COMMAND,
    castline_here,
    environment_of,
    new_home,
    one_line,
)
from tests.stills.models import write_model_by_lot
from tests.video.clips import write_clip
from worker.settings import Settings
from worker.telemetry.log import configure_logging
from worker.visible import visible

pytestmark = pytest.mark.integration

SPOOF = "9999: done, 5 frames"
HOSTILE = f"a\x1b]0;owned\x07\x9b31m\rb\n{SPOOF}\u202e\u2028c"
"""Sets a window's title, turns red, overwrites its line, begins another, and runs backwards."""

ASKING = (
    *("status", "episodes", "screen-time", "who 9999", "when c", "first c", "together"),
    *("sql SELECT_*_FROM_timeline", "models list", "models show cast"),
    *("rerun --all --dry-run --model cast", "prune --dry-run", "status --json"),
    *("episodes --json", "who 9999 --json", "models show cast --json", "screen-time --json"),
    *("models list --json", "export 9999 -f json", "cancel 1", "retry 1", "together c c"),
)
"""Commands that name what is in the library; `_` is a blank within a word."""


def acting(text: str) -> set[str]:
    """The characters of a text that would act on a terminal, but for line ends."""
    return {
        letter
        for letter in text
        if letter != "\n"
        and (
            unicodedata.category(letter) in ("Cc", "Zl", "Zp", "Cs")
            or unicodedata.bidirectional(letter) in ("RLO", "LRO", "RLE", "LRE", "PDF")
        )
    }


def assert_harmless(text: str) -> None:
    assert not acting(text), acting(text)
    assert not any(line.startswith(SPOOF) for line in text.splitlines()), text


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which all that can be named was named by an attacker."""
    home = tmp_path_factory.mktemp("library")
    write_model_by_lot(home / "models", "cast", licence=HOSTILE, metrics={HOSTILE: 0.5})
    database = Database(Settings.from_environment(home, {}).database_url)
    upgrade_database(database)
    run_id = make_run(database, made_episode(name=f"{HOSTILE}.mkv"))
    end_run(database, run_id, [made_appearance(HOSTILE)], state="partial", error=HOSTILE)
    database.dispose()
    return home


@pytest.mark.parametrize("command", ASKING)
def test_no_answer_holds_what_acts_on_a_terminal(
    command: str, library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # where an export goes
    ended = castline_here(library, *(word.replace("_", " ") for word in command.split()))
    assert_harmless(ended.stdout + ended.stderr)
    assert "Traceback" not in ended.stderr
    if "--json" in command:
        assert json.loads(ended.stdout)


def test_the_answers_do_hold_the_names(library: Path) -> None:
    assert visible(HOSTILE) in castline_here(library, "episodes").stdout
    assert r"\x1b]0;owned\x07\x9b31m\rb\n9999: done" in castline_here(library, "status").stdout
    [episode] = json.loads(castline_here(library, "episodes", "--json").stdout)
    assert episode["episode"] == f"{HOSTILE}.mkv", "the very same, for programs"


@pytest.mark.parametrize(
    "arguments",
    [
        ("status", HOSTILE),
        ("cancel", HOSTILE),
        (f"--{HOSTILE}",),
        (HOSTILE,),
        ("episodes", f"--{HOSTILE}"),
        ("who", f"x{HOSTILE}"),
        ("when", f"({HOSTILE}"),
        ("sql", f"SELECT '{HOSTILE}"),
        ("tag", HOSTILE),
        ("tag", "absent.mkv", "--model", HOSTILE),
        ("enqueue", f"/absent/{HOSTILE}"),
        ("evaluate", "9999", HOSTILE),
        ("models", "import", HOSTILE),
        ("dataset", "show", HOSTILE),
        ("dataset", "build", HOSTILE, "-o", "dataset"),
        ("train", HOSTILE),
        ("snapshot", "-o", f"/absent/{HOSTILE}"),
    ],
    ids=lambda arguments: " ".join(arguments)[:20].encode("unicode_escape").decode(),
)
def test_no_error_holds_what_acts_on_a_terminal(
    arguments: tuple[str, ...], library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = castline_here(library, *arguments)
    assert ended.returncode != 0
    assert ended.stderr
    assert_harmless(ended.stdout + ended.stderr)


@pytest.fixture
def hostile_clip(tmp_path: Path) -> Path:
    name = HOSTILE.replace("/", "")
    return write_clip(tmp_path / "clip.mp4", seconds=2).rename(tmp_path / f"{name}.mp4")


def test_what_a_command_says_of_a_file_on_a_terminal_is_harmless(
    hostile_clip: Path, tmp_path: Path
) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, "enqueue", str(hostile_clip), *BY_LOT],
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        env=environment_of(new_home(tmp_path / "home")) | {"COLUMNS": "300", "TERM": "xterm"},
    )
    os.close(theirs)
    shown = b""
    with suppress(OSError):  # which tells that nobody writes to the terminal any more
        while more := os.read(ours, 65536):
            shown += more
    os.close(ours)
    assert process.wait() == 0, shown
    text = shown.decode()
    assert r"\x1b]0;owned" in text
    assert "\x1b]0;" not in text
    assert not any(letter in text for letter in "\x07\x9b\u202e\u2028")
    assert not any(line.lstrip("\r").startswith(SPOOF) for line in text.split("\n")), text


def test_a_bar_of_an_episode_is_one_line() -> None:
    screen = io.StringIO()
    with Progress(console=Terminal(file=screen, force_terminal=True, width=300)) as progress:
        RunBars(progress).show([RunProgress(1, HOSTILE, frames=10.0, frames_total=20.0)])
        progress.refresh()
    shown = screen.getvalue()
    assert visible(HOSTILE) in shown
    assert "\x1b]0;" not in shown
    assert f"\n{SPOOF}" not in shown


@pytest.fixture
def kept_logging() -> Iterator[None]:
    root, last = logging.getLogger(), logging.lastResort
    handlers, formatter = root.handlers, last.formatter if last else None
    yield
    root.handlers = handlers
    if last:
        last.setFormatter(formatter)


@pytest.mark.usefixtures("kept_logging")
@pytest.mark.parametrize("log_format", ["text", "json", None])
def test_no_line_of_a_log_holds_what_acts_on_a_terminal(log_format: str | None) -> None:
    lines = io.StringIO()
    with redirect_stderr(lines):
        logging.getLogger().handlers = []
        configure_logging(log_format)
        logging.getLogger("worker").warning("%s", HOSTILE)
    assert_harmless(one_line(lines.getvalue()))
    assert "owned" in lines.getvalue()


@pytest.mark.usefixtures("kept_logging")
def test_no_line_of_a_traceback_passes_for_one_of_the_log() -> None:
    lines = io.StringIO()
    with redirect_stderr(lines):
        configure_logging("text")
        try:
            int(HOSTILE)
        except ValueError:
            logging.getLogger("worker").exception("failed")
    assert_harmless(lines.getvalue())
    assert sum(not line.startswith(" ") for line in lines.getvalue().splitlines()) == 1


def test_every_command_prints_through_the_one_terminal() -> None:
    folder = Path(sys.modules["cli.terminal"].__file__ or "").parent
    for path in folder.rglob("*.py"):
        if path.name in ("console.py", "terminal.py"):
            continue
        called = {
            ast.unparse(node.func)
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Call)
        }
        printing = {"print", "Console", "sys.stdout.write", "sys.stderr.write", "stdout.print"}
        assert not called & {*printing, "stderr.print", "typer.secho"}, path
        assert "typer.echo" not in called or path.name == "main.py", path
