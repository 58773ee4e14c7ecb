"""Who holds a claim: a process on a machine, told apart from a later one with the same number."""

import os
import socket

import psutil


def worker_identity() -> str:
    """This process as `host/pid/start time`."""
    return f"{socket.gethostname()}/{os.getpid()}/{_started(os.getpid()):.2f}"


def is_dead(identity: str) -> bool:
    """Whether a worker surely does not run any more.

    A worker of another machine is never known to be dead: there only the end of its lease counts.
    """
    host, pid, started = identity.rsplit("/", 2)
    if host != socket.gethostname():
        return False
    try:
        return f"{_started(int(pid)):.2f}" != started
    except psutil.NoSuchProcess:
        return True


def _started(pid: int) -> float:
    process = psutil.Process(pid)
    if process.status() == psutil.STATUS_ZOMBIE:
        raise psutil.NoSuchProcess(pid)
    return process.create_time()
