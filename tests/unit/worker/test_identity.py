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
        host, _, start, scope = worker_identity().rsplit("/", 3)
        assert is_dead(f"{host}/{process.pid}/{start}/{scope}")


def test_another_process_with_the_same_number_is_not_the_worker() -> None:
    host, pid, start, scope = worker_identity().rsplit("/", 3)
    assert is_dead(f"{host}/{pid}/{int(float(start)) - 1}/{scope}")


def test_a_worker_of_another_machine_is_never_known_to_be_dead() -> None:
    scope = worker_identity().rsplit("/", 1)[1]
    assert not is_dead(f"another-machine/1/1/of another boot.{scope}")


@pytest.mark.parametrize(
    "identity", ["", "host", f"{socket.gethostname()}/1/1", "a/b/c/d", "///", "host/1e9/1/{scope}"]
)
def test_what_no_worker_of_this_version_wrote_is_never_known_to_be_dead(identity: str) -> None:
    assert not is_dead(identity.format(scope=worker_identity().rsplit("/", 1)[1]))


UNSHARED = ["unshare", "--user", "--map-root-user", "--pid", "--fork"]


def run_unshared(*options: str) -> str:
    """What a worker in a PID namespace of its own says of itself; skips where none can be made."""
    try:
        ended = subprocess.run([*UNSHARED, *options, *IDENTITY], capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("unshare is not installed")
    if ended.stderr.startswith("unshare:"):
        pytest.skip(ended.stderr.strip())
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


@pytest.mark.skipif(sys.platform != "linux", reason="only there are PID namespaces")
@pytest.mark.parametrize("options", [("--mount-proc",), ()])
def test_two_workers_of_one_host_name_in_two_namespaces_know_nothing_of_each_other(
    options: tuple[str, ...],
) -> None:
    """As containers with one `hostname:`; the second has not even a `/proc` of its own."""
    one, other = run_unshared(*options), run_unshared(*options)
    assert one.split("/")[:2] == [socket.gethostname(), "1"]
    assert one.rsplit("/", 1)[1] != worker_identity().rsplit("/", 1)[1]
    assert not is_dead(one)
    assert not is_dead(other)


@pytest.mark.skipif(sys.platform != "linux", reason="only there is /proc")
def test_a_worker_of_another_user_that_proc_hides_is_not_dead(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As with the mount option hidepid: there is no folder of it, and a signal is not allowed."""

    def refuse(_pid: int, _signal: int) -> None:
        raise PermissionError

    ended = subprocess.run(IDENTITY, capture_output=True, text=True, check=True)
    assert is_dead(ended.stdout.strip())
    monkeypatch.setattr("worker.identity.os.kill", refuse)
    assert not is_dead(ended.stdout.strip())


@pytest.mark.skipif(sys.platform != "linux", reason="only there the boot time moves with the clock")
def test_a_corrected_clock_kills_no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    from psutil import _pslinux

    identity = worker_identity()
    boot_seconds = _pslinux.boot_time()
    monkeypatch.setattr(_pslinux, "boot_time", lambda: boot_seconds + 3600)
    assert not is_dead(identity)
    assert worker_identity() == identity
