"""Where the `castline` command begins; `python -m castline` and `python -m cli` are the same.

What the command needs takes a second to import. Ctrl-C then ends it as it does later, with 130 and
without a traceback.
"""

import sys

INTERRUPTED = 128 + 2  # SIGINT's number, as shells tell it


def main() -> None:
    """Runs the command."""
    try:
        from cli.main import main as run
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except ImportError as error:
        if error.name != "castline":
            raise
        sys.exit(f"castline: {error}")  # which says what stands in the place of what
    run()


if __name__ == "__main__":
    main()
