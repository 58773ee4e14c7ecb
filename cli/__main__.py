"""Entry point of the `castline` command; `python -m castline` and `python -m cli` are the same.

Importing the command takes a second. Ctrl-C during the import ends it as it does later, with exit
code 130 and without a traceback.
"""

import sys

INTERRUPTED = 128 + 2  # exit code after SIGINT, as shells count it


def main() -> None:
    """Run the command."""
    try:
        from cli.main import main as run
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except ImportError as error:
        if error.name != "castline":
            raise
        sys.exit(f"castline: {error}")  # names the module that shadows one of ours
    run()


if __name__ == "__main__":
    main()
