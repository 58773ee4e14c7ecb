"""Where the `castline` command begins; `python -m cli` is the same.

What the command needs takes a second to import. Ctrl-C then ends it as it does later, with 130 and
without a traceback.
"""

import sys
from importlib.util import find_spec
from pathlib import Path

INTERRUPTED = 128 + 2  # SIGINT's number, as shells tell it

SIBLINGS = ("db", "ingest", "model", "timeline", "worker")
"""Packages whose names a file of the user's may have, too."""


def main() -> None:
    """Runs the command."""
    if intruder := _intruder():
        print(
            f"castline: {intruder}: is taken for a part of Castline; rename it, or start castline"
            " without this folder in PYTHONPATH",
            file=sys.stderr,
        )
        sys.exit(1)
    try:
        from cli.main import main as run
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    run()


def _intruder() -> str | None:
    """What Python would import in place of one of the packages that lie beside this one."""
    ours = Path(__file__).resolve().parents[1]
    for name in SIBLINGS:
        found = find_spec(name)
        if found and found.origin and Path(found.origin).resolve().parents[1] != ours:
            return found.origin
    return None


if __name__ == "__main__":
    main()
