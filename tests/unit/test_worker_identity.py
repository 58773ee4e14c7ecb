"""Telling a worker that is gone from one that lives, and from a later one with its number."""

import os
import socket
import subprocess
import sys

import psutil
import pytest

from tests.waiting import wait_until
from worker.identity import is_dead, worker_identity

SLEEPING = [sys.executable, "-c", "import signal; signal.pause()"]
IDENTITY = [
    sys.executable,
    "-c",
    "from worker.identity import worker_identity; print(worker_identity())",
]


def test_a_worker_that_runs_is_not_dead() -> None:
    assert worker_identity().startswith(f"{socket.gethostname()}/{os.getpid()}/")
    assert not is_dead(worker_identity())


def test_a_worker_that_ended_is_dead() -> None:
    ended = subprocess.run(IDENTITY, capture_output=True, text=True, check=True)
    assert is_dead(ended.stdout.strip())


def test_a_killed_worker_is_dead_before_anyone_took_note() -> None:
    with subprocess.Popen([*SLEEPING]) as process:
        process.kill()
        wait_until(lambda: psutil.Process(process.pid).status() == psutil.STATUS_ZOMBIE)
        assert is_dead(f"{socket.gethostname()}/{process.pid}/1")


def test_another_process_with_the_same_number_is_not_the_worker() -> None:
    host, pid, start = worker_identity().rsplit("/", 2)
    assert is_dead(f"{host}/{pid}/{int(float(start)) - 1}")


def test_a_worker_of_another_machine_is_never_known_to_be_dead() -> None:
    assert not is_dead("another-machine/1/1")


@pytest.mark.skipif(sys.platform != "linux", reason="only there the boot time moves with the clock")
def test_a_corrected_clock_kills_no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    from psutil import _pslinux

    identity = worker_identity()
    boot_seconds = _pslinux.boot_time()
    monkeypatch.setattr(_pslinux, "boot_time", lambda: boot_seconds + 3600)
    assert not is_dead(identity)
    assert worker_identity() == identity
