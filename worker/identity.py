"""Who holds a claim: a process on a machine, told apart from any other that may share its names."""

import os
import socket
import sys
import uuid
from functools import cache
from pathlib import Path

import psutil

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
"""One machine between two boots, and all containers on it."""

NAMESPACES = ("pid", "time")
"""Containers may share a host's name and its numbers of processes, and may count time differently:
only in the same namespaces does a process number, or a start, mean the same."""


def worker_identity() -> str:
    """This process as `host/pid/start/scope`; the host is for people."""
    own = os.getpid()
    try:
        start = _start(own)
    except OSError:
        start = None  # where its own scope cannot be told either
    return f"{socket.gethostname()}/{own}/{start}/{_scope()}"


def host_and_pid(identity: str) -> tuple[str, int]:
    """The machine of a worker and the number of its process there; 0 where that cannot be read."""
    match identity.rsplit("/", 3):
        case [host, pid, _, _] if pid.isdecimal():
            return host, int(pid)
        case _:
            return identity, 0


def is_dead(identity: str) -> bool:
    """Whether a worker surely does not run any more.

    Of a worker of another machine or container, or of an identity that cannot be read, that is
    never known: there only the end of its lease counts.
    """
    match identity.rsplit("/", 3):
        case [_, pid, start, scope] if scope == _scope() and pid.isdecimal():
            try:
                return _start(int(pid)) != start
            except OSError:
                return False  # of another user, whose processes are not for us to see
        case _:
            return False


@cache
def _scope() -> str:
    """Where process numbers mean what they mean here; at random where that cannot be told."""
    try:
        if sys.platform != "linux":
            return f"{uuid.getnode():x}"
        if str(Path("/proc/self").readlink()) == str(
            os.getpid()
        ):  # else it shows another namespace
            # The number of a namespace is given again when it is gone, all processes with it.
            numbers = [Path(f"/proc/self/ns/{name}").stat().st_ino for name in NAMESPACES]
            return ".".join([BOOT_ID.read_text().strip(), *map(str, numbers)])
    except OSError:
        pass
    return uuid.uuid4().hex


def _start(pid: int) -> str | None:
    """When a process started, by a clock that nobody sets; None where there is no process.

    Raises:
        OSError: That is not for us to know.
    """
    if sys.platform != "linux":
        return _start_by_psutil(pid)
    # psutil adds the boot time, which moves whenever the clock is corrected: a living worker would
    # seem dead from then on. Field 22 of proc(5) counts ticks since boot; the name, field 2, may
    # hold blanks and brackets, so fields are counted from behind it.
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError) as error:
        if _exists(pid):
            raise PermissionError(f"process {pid} is hidden") from error
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[3 - 3] == "Z" else fields[22 - 3]


def _exists(pid: int) -> bool:
    """Whether there is such a process, which `/proc` may hide if it is of another user."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return True


def _start_by_psutil(pid: int) -> str | None:
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return f"{process.create_time():.2f}"
    except psutil.NoSuchProcess:
        return None
    except psutil.AccessDenied as error:
        raise PermissionError(str(error)) from error
