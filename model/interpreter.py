"""The command by which this Python starts another one, which imports the same packages."""

import sys


def python_command(*arguments: str) -> list[str]:
    """Return a command that runs this interpreter and imports from where it does.

    The folder that the user happens to be in might hold a `numpy.py` of its own, and so might one
    in PYTHONPATH, which pipx has its programs ignore.

    Args:
        arguments: of the interpreter, such as `-m` and a module.
    """
    ignored = ["-E"] if sys.flags.ignore_environment else []
    return [sys.executable, "-P", *ignored, *arguments]
