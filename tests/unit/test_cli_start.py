"""Where the command begins, before what it needs is imported."""

import subprocess
import sys

import pytest

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
