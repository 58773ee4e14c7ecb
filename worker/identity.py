"""Identify the holder of a claim: a process on a machine, unique even if names are shared."""

import os
import socket
import sys
import uuid
from functools import cache
from pathlib import Path

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
"""Identifies one machine between two boots, including all containers on it."""

NAMESPACES = ("pid", "time")
"""Containers may share a host's name and its process ids, and may count time differently: process
ids and start times can be compared only within the same namespaces."""


def worker_identity() -> str:
    """Return this process as `host/pid/start/scope`; the host is for people."""
    own = os.getpid()
    try:
        start = _start(own)
    except OSError:
        start = None  # where its own scope is unknown, too
    return f"{socket.gethostname()}/{own}/{start}/{_scope()}"


def host_and_pid(identity: str) -> tuple[str, int]:
    """The machine of a worker and the number of its process there; 0 where that cannot be read."""
    match identity.rsplit("/", 3):
        case [host, pid, _, _] if pid.isdecimal():
            return host, int(pid)
        case _:
            return identity, 0


def is_dead(identity: str) -> bool:
    """Tell whether a worker is certainly no longer running.

    This is never known of a worker of another machine or container, or of a malformed identity:
    there only the end of its lease counts.
    """
    match identity.rsplit("/", 3):
        case [_, pid, start, scope] if scope == _scope() and pid.isdecimal():
            try:
                return _start(int(pid)) != start
            except OSError:
                return False  # a process of another user, which is hidden from us
        case _:
            return False


@cache
def _scope() -> str:
    """Return the scope in which process ids are comparable; a random one where it is unknown."""
    try:
        if sys.platform != "linux":
            return f"{uuid.getnode():x}"
        if str(Path("/proc/self").readlink()) == str(
            os.getpid()
        ):  # else it shows another namespace
            # The number of a namespace is reused when it and all its processes are gone.
            numbers = [Path(f"/proc/self/ns/{name}").stat().st_ino for name in NAMESPACES]
            return ".".join([BOOT_ID.read_text().strip(), *map(str, numbers)])
    except OSError:
        pass
    return uuid.uuid4().hex


def _start(pid: int) -> str | None:
    """Return when a process started, by a monotonic clock; None where there is no process.

    Raises:
        OSError: The information is not accessible.
    """
    if sys.platform != "linux":
        return _start_by_psutil(pid)
    # psutil adds the boot time, which moves whenever the clock is corrected: a live worker would
    # seem dead from then on. Field 22 of proc(5) counts ticks since boot; the name, field 2, may
    # contain spaces and parentheses, so fields are counted from behind it.
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError) as error:
        if _exists(pid):
            raise PermissionError(f"process {pid} is hidden") from error
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[3 - 3] == "Z" else fields[22 - 3]


def _exists(pid: int) -> bool:
    """Tell whether there is such a process, even if `/proc` hides it because of its user."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return True


def _start_by_psutil(pid: int) -> str | None:
    import psutil  # which Linux, where most workers and all containers are, does without

    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return f"{process.create_time():.2f}"
    except psutil.NoSuchProcess:
        return None
    except psutil.AccessDenied as error:
        raise PermissionError(str(error)) from error
