"""One training at a time in a folder."""

import subprocess
import sys
from pathlib import Path

import pytest

from model.errors import TrainingError
from model.training.folder import alone_at_work

WAITING = """
import sys
from pathlib import Path

from model.training.folder import alone_at_work

with alone_at_work(Path(sys.argv[1])):
    print("in", flush=True)
    sys.stdin.read()
"""


def test_second_training_is_refused_until_the_first_ends_even_by_a_kill(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "fruit-1"
    command = [sys.executable, "-c", WAITING, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == b"in\n"
        with pytest.raises(TrainingError, match="uses it; wait") as caught, alone_at_work(folder):
            pass
        assert str(folder) in str(caught.value)
        assert "--name" in str(caught.value)
        first.kill()
        first.wait()
    for _again in range(2):
        with alone_at_work(folder):
            assert folder.is_dir()


def test_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    folder = tmp_path / "file" / "fruit-1"
    with pytest.raises(TrainingError, match="cannot be written") as caught, alone_at_work(folder):
        pass
    assert "\n" not in str(caught.value)
