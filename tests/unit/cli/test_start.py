"""Where the command begins, before what it needs is imported."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers.commands import environment_of, one_line

ROOT = Path(__file__).parents[3]

AS_A_MODULE = "runpy.run_module('cli', run_name='__main__')"

AS_THE_CONSOLE_SCRIPT = """
from importlib.metadata import entry_points

[castline] = entry_points(group="console_scripts", name="castline")
castline.load()()
"""

INTERRUPT_THE_IMPORT = """
import runpy, signal, sys

class CtrlC:
    def find_spec(self, name, path=None, target=None):
        if name == "typer":
            signal.raise_signal(signal.SIGINT)

sys.meta_path.insert(0, CtrlC())
sys.argv = ["castline", "doctor"]
"""


@pytest.mark.parametrize("start", [AS_A_MODULE, AS_THE_CONSOLE_SCRIPT])
def test_ctrl_c_while_the_command_is_imported_ends_it_without_a_traceback(start: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", INTERRUPT_THE_IMPORT + start],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "")


@pytest.mark.parametrize("name", ["model.py", "db.py", "worker/__init__.py"])
def test_a_file_that_python_takes_for_a_part_of_castline_is_named(
    name: str, tmp_path: Path
) -> None:
    intruder = tmp_path / name
    intruder.parent.mkdir(exist_ok=True)
    intruder.write_text("raise SystemExit('run')")
    ended = start_script(tmp_path, tmp_path, ROOT)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert str(intruder) in one_line(ended.stderr)


def test_files_of_the_folder_where_it_is_started_are_not_taken(tmp_path: Path) -> None:
    for name in ("cli", "db", "ingest", "model", "timeline", "worker", "numpy", "av"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('run')")
    ended = start_script(tmp_path, ROOT)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("castline ")


def start_script(folder: Path, *path: Path) -> subprocess.CompletedProcess[str]:
    """Run `castline --version` in a folder as its console script does, which is not on the path."""
    script = "import sys; from cli.__main__ import main; sys.argv[1:] = ['--version']; main()"
    return subprocess.run(
        [sys.executable, "-P", "-c", script],
        cwd=folder,
        env=environment_of(folder / "home") | {"PYTHONPATH": os.pathsep.join(map(str, path))},
        capture_output=True,
        text=True,
    )
