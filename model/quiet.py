"""Load native libraries without their log messages."""

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_CHATTER: Final = re.compile(
    rb"I0000 |WARNING: All log messages before absl::InitializeLog\(\)|E0000 .*cuInit"
    rb"|W0000 .*tf_tfl_flatbuffer_helpers|INFO: Created TensorFlow Lite"
)
# Lines that the native libraries write while they load, at any log level. `cuInit` says that there
# is no GPU, which is no error: `choose_device` reports it where it matters.


@contextmanager
def without_chatter() -> Iterator[None]:
    """Hold back output to stderr inside, then pass on everything but the known messages."""
    stderr_descriptor = 2  # native code writes there, independent of sys.stderr
    kept = os.dup(stderr_descriptor)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), stderr_descriptor)
        try:
            yield
        finally:
            os.dup2(kept, stderr_descriptor)
            os.close(kept)
            held.seek(0)
            lines = [line for line in held if not _CHATTER.match(line)]
            os.write(stderr_descriptor, b"".join(lines))
