"""Lower the memory limit temporarily, on systems that report how much is in use."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_STATUS = Path("/proc/self/status")
_KIB = 1024


@contextmanager
def memory_for_a_while(more_bytes: int) -> Iterator[None]:
    """Limit this process to `more_bytes` of data memory beyond its current use.

    Where the amount in use is unknown (anywhere but on Linux) nothing is limited.
    """
    used = _data_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if used is None or (soft != resource.RLIM_INFINITY and used + more_bytes >= soft):
        yield
        return
    resource.setrlimit(resource.RLIMIT_DATA, (used + more_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _data_bytes() -> int | None:
    if not _STATUS.exists():
        return None
    for line in _STATUS.read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith("VmData:"):
            return int(line.split()[1]) * _KIB
    return None
