"""The processes under a running command, and what becomes of them."""

import random
import subprocess
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress

import psutil

from tests.waiting import wait_until

ROLES = {
    "ingest.decoder.process": "decoder",
    "tests.video.decoders": "decoder",
    "worker.embedded.classify_process": "classify",
}
"""What the command line of a child says that it is for."""

SHORT_PAUSES = 0.8
"""Of all pauses: with more of them the classify process would never live to be ready."""


def tree_of(pid: int) -> list[psutil.Process]:
    """A process and all that it started, as far as they run."""
    try:
        main = psutil.Process(pid)
        return [process for process in (main, *main.children(recursive=True)) if _runs(process)]
    except psutil.NoSuchProcess:
        return []


def kill_spawned() -> None:
    """Kill all that multiprocessing spawned from this process, as a lack of memory would."""
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # a zombie by now
            if "spawn_main" in " ".join(process.cmdline()):
                process.kill()


def role_of(process: psutil.Process) -> str:
    """`main`, `decoder` or `classify`; a process that is not yet what it will be counts as main."""
    try:
        line = process.cmdline()
    except psutil.NoSuchProcess:
        return "main"
    return next((role for module, role in ROLES.items() if module in line), "main")


def still_running(processes: Sequence[psutil.Process]) -> list[str]:
    """The command lines of those that go on running; none is good, and is told at once."""
    with suppress(AssertionError):
        wait_until(lambda: not any(map(_runs, processes)))
    return [" ".join(process.cmdline()) for process in processes if _runs(process)]


def run_under_kills(
    start: Callable[[], subprocess.Popen[str]], kills: int, lot: random.Random
) -> Counter[str]:
    """Start a command again and again until it ends well, killing processes of its tree.

    Args:
        start: starts the command.
        kills: how many SIGKILLs to send at most; a command may end well before the last of them.
        lot: draws moments and victims.

    Returns:
        How many processes of each role were killed.
    """
    killed: Counter[str] = Counter()
    process = start()
    for _ in range(10 * kills + 10):
        pause_seconds = _pause(lot) if killed.total() < kills else None
        try:
            process.wait(pause_seconds)
        except subprocess.TimeoutExpired:
            killed += _kill_one(tree_of(process.pid), lot)
            continue
        assert process.stderr is not None
        complaint = process.stderr.read()
        process.stderr.close()
        if process.returncode == 0:
            return killed
        assert killed, f"it failed before any kill: {complaint}"
        process = start()
    raise AssertionError(f"still not done after {dict(killed)}")


def _pause(lot: random.Random) -> float:
    """Mostly blow upon blow; now and then time enough that chunks are decoded and classified."""
    return lot.uniform(0.02, 0.5) if lot.random() < SHORT_PAUSES else lot.uniform(1, 5)


def _kill_one(tree: Sequence[psutil.Process], lot: random.Random) -> Counter[str]:
    """A role first and then one of those who have it: decoders are many, the others alone."""
    role = lot.choice(["main", "decoder", "classify"])
    candidates = [process for process in tree if role_of(process) == role]
    if not candidates:
        return Counter()
    victim = lot.choice(candidates)
    try:
        victim.kill()
    except psutil.NoSuchProcess:
        return Counter()
    return Counter([role])


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
