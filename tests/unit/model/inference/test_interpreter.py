"""Processes of Python that this one starts."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]

PRINT_COMMAND = f"""
import json, sys

sys.path.insert(0, {str(ROOT)!r})
from model.interpreter import python_command

print(json.dumps(python_command("-c", "import intruder")))
"""


@pytest.mark.parametrize(("options", "is_found"), [((), True), (("-E",), False)])
def test_they_look_into_pythonpath_if_this_one_does_and_never_into_the_users_folder(
    options: tuple[str, ...], is_found: bool, tmp_path: Path
) -> None:
    command = json.loads(
        subprocess.run(
            [sys.executable, *options, "-c", PRINT_COMMAND], capture_output=True, check=True
        ).stdout
    )
    (tmp_path / "intruder.py").touch()
    by_path = subprocess.run(command, env={"PYTHONPATH": str(tmp_path)}, capture_output=True)
    assert (by_path.returncode == 0) == is_found
    by_folder = subprocess.run(command, cwd=tmp_path, env={}, capture_output=True)
    assert by_folder.returncode == 1
