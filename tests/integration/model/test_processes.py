"""Processes that work beside this one, and what is told when one of them dies."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NoReturn

import psutil
import pytest

from model.errors import DatasetError
from model.processes import Processes
from model.stills.files import StillFile
from model.stills.reading_processes import read_into
from model.stills.work_file import open_work_file
from tests.servers.processes import kill_spawned
from tests.stills.still_folders import write_stills

pytestmark = pytest.mark.integration


@pytest.fixture
def two() -> Iterator[Processes]:
    processes = Processes(2)
    yield processes
    processes.shutdown()


def _square(number: int) -> tuple[int, int]:
    return number**2, os.getpid()


def _fail(_task: int) -> NoReturn:
    raise ValueError("no such picture")


def _die_halfway_through_the_answer(_task: int) -> str:
    def send_half(self: Connection, message: bytes) -> NoReturn:
        os.write(self.fileno(), message[: len(message) // 2])
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("it was killed")

    setattr(Connection, "_send", send_half)  # noqa: B010 - in a process that is about to die
    return "an answer"


@pytest.mark.parametrize("tasks", [0, 1, 2, 9])
def test_results_come_in_order_from_all_processes(two: Processes, tasks: int) -> None:
    answers = list(two.results(_square, range(tasks)))
    assert [square for square, _ in answers] == [n**2 for n in range(tasks)]
    assert len({process for _, process in answers}) == min(tasks, 2)


def test_tasks_larger_than_a_pipe_with_results_larger_than_a_pipe(two: Processes) -> None:
    large = [bytes([n]) * 1_000_000 for n in range(5)]
    assert list(two.results(bytes.upper, large)) == large


def test_an_error_is_raised_here_and_says_where_it_came_from(two: Processes) -> None:
    with pytest.raises(ValueError, match="no such picture") as caught:
        list(two.results(_fail, range(5)))
    assert "in _fail" in "".join(caught.value.__notes__)
    assert [square for square, _ in two.results(_square, [3, 4])] == [9, 16]


def test_who_stopped_early_finds_nothing_of_that_later(two: Processes) -> None:
    results = two.results(_square, range(9))
    assert next(results)[0] == 0
    results.close()
    assert [square for square, _ in two.results(_square, [5, 6])] == [25, 36]


def test_a_process_killed_halfway_through_an_answer_is_no_endless_wait(two: Processes) -> None:
    # The executor of concurrent.futures waits here for ever.
    with pytest.raises(BrokenProcessPool, match="died"):
        list(two.results(_die_halfway_through_the_answer, range(5)))


def test_killed_processes_are_told_of_and_none_is_left(two: Processes) -> None:
    pids = [pid for _, pid in two.results(_square, range(2))]
    os.kill(pids[0], signal.SIGKILL)
    with pytest.raises(BrokenProcessPool, match="died"):
        list(two.results(_square, range(2)))
    two.shutdown()
    assert not any(psutil.pid_exists(pid) for pid in pids)


def test_a_killed_process_that_reads_stills_is_one_line_and_what_was_read_is_kept(
    tmp_path: Path,
) -> None:
    source = write_stills(tmp_path / "stills", {"apple": 400})
    files = [StillFile(path, "apple", path.name) for path in sorted(source.rglob("*.png"))]
    done = 0

    def kill_readers(files_done: int) -> None:
        nonlocal done
        done = files_done
        kill_spawned()

    with open_work_file(tmp_path / "read.sqlite") as work:
        with pytest.raises(DatasetError, match="a process that reads stills died") as caught:
            read_into(work, [file.path for file in files], 2, kill_readers)
        assert 0 < done == len(files) - len(work.unread(files))
    assert "\n" not in str(caught.value)
