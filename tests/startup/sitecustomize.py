"""What Python does first in commands that a test starts with `tests.video.decoders.environment`.

Python looks for a module of this name on its path at every start, so that this reaches processes
which a command starts in its turn.
"""

import os
import shlex
import sys
import time
from functools import partialmethod

from ingest.decoder.parent import Decoder
from tests.video.decoders import command

Decoder.__init__ = partialmethod(  # type: ignore[assignment,method-assign]
    Decoder.__init__, command=command(*shlex.split(os.environ["DECODER_FAULTS"]))
)

if "billiard.spawn" in " ".join(sys.orig_argv):
    time.sleep(float(os.environ.get("POOL_STARTS_AFTER_SECONDS", "0")))
