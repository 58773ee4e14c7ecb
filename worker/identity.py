"""Who holds a claim: a process on a machine, told apart from a later one with the same number."""

import os
import socket
import sys
from pathlib import Path

import psutil


def worker_identity() -> str:
    """This process as `host/pid/start`."""
    return f"{socket.gethostname()}/{os.getpid()}/{_start(os.getpid())}"


def is_dead(identity: str) -> bool:
    """Whether a worker surely does not run any more.

    A worker of another machine is never known to be dead: there only the end of its lease counts.
    """
    host, pid, start = identity.rsplit("/", 2)
    if host != socket.gethostname():
        return False
    try:
        return _start(int(pid)) != start
    except psutil.NoSuchProcess:
        return True


def _start(pid: int) -> str:
    """When a process started, by a clock that nobody sets; raises where there is no process."""
    process = psutil.Process(pid)
    if process.status() == psutil.STATUS_ZOMBIE:
        raise psutil.NoSuchProcess(pid)
    if sys.platform != "linux":
        return f"{process.create_time():.2f}"
    # psutil adds the boot time, which moves whenever the clock is corrected: a living worker would
    # seem dead from then on. Field 22 of proc(5) counts ticks since boot; the name, field 2, may
    # hold blanks and brackets, so fields are counted from behind it.
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError) as error:
        raise psutil.NoSuchProcess(pid) from error
    return stat.rpartition(")")[2].split()[22 - 3]
