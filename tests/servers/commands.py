"""The `castline` command as a person starts it: in its own process, with a home of its own."""

import io
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from types import MappingProxyType

import pytest

from tests.stills.models import NAME, write_model_by_lot
from tests.waiting import PATIENCE_SECONDS

COMMAND = (sys.executable, "-m", "cli")

BY_LOT = ("--model", NAME)
"""Options of `tag` and `enqueue`."""


def new_home(folder: Path) -> Path:
    """A home that holds nothing but a model version: name it as BY_LOT to use it."""
    write_model_by_lot(folder / "models")
    return folder


def environment_of(home: Path, **settings: str | int) -> dict[str, str]:
    """This process's environment with Castline's own settings, and none that lie around."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CASTLINE_")}
    chosen = {f"CASTLINE_{name.upper()}": str(value) for name, value in settings.items()}
    return kept | {"CASTLINE_HOME": str(home)} | chosen


def castline(
    home: Path, *arguments: str | Path, **settings: str | int
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end.

    Args:
        home: CASTLINE_HOME.
        arguments: of the command.
        settings: more of the environment: `chunk_seconds=10` sets CASTLINE_CHUNK_SECONDS.
    """
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        env=environment_of(home, **settings),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )


def castline_here(
    home: Path, *arguments: str | Path, **settings: str | int
) -> subprocess.CompletedProcess[str]:
    """Run a command in this process: a second sooner, where being a process is not the point."""
    from cli.main import main

    printed, complained = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("CASTLINE_")]:
            patch.delenv(name)
        for name, value in environment_of(home, **settings).items():
            if name.startswith("CASTLINE_"):
                patch.setenv(name, value)
        patch.setattr(sys, "argv", ["castline", *map(str, arguments)])
        # What a log that the command asks for changes, for this process to have again.
        patch.setattr(logging.getLogger(), "handlers", [*logging.getLogger().handlers])
        for place, name in ((sys, "excepthook"), (threading, "excepthook")):
            patch.setattr(place, name, getattr(place, name))
        with redirect_stdout(printed), redirect_stderr(complained):
            try:
                main()
                code = 0
            except SystemExit as end:
                code = int(end.code or 0)
    return subprocess.CompletedProcess(arguments, code, printed.getvalue(), complained.getvalue())


def start_castline(
    home: Path,
    *arguments: str | Path,
    environment: Mapping[str, str] = MappingProxyType({}),
    **settings: str | int,
) -> subprocess.Popen[str]:
    """Start a command and do not wait for it; what it prints on stderr is kept for `end_of`."""
    return subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        env={**environment_of(home, **settings), **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def end_of(process: subprocess.Popen[str]) -> subprocess.CompletedProcess[str]:
    """Wait for a command that was started; one that does not end is killed, and the test fails."""
    try:
        _, errors = process.communicate(timeout=PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise
    return subprocess.CompletedProcess(process.args, process.returncode, "", errors)


def one_line(text: str) -> str:
    """The only line of a text; fails if there are more or fewer."""
    lines = text.splitlines()
    assert len(lines) == 1, text
    return lines[0]
