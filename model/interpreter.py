"""The command line that starts another Python with the same packages."""

import sys


def python_command(*arguments: str) -> list[str]:
    """Return a command that runs this interpreter with the same import path.

    The working directory may contain a `numpy.py` of its own, and so may a folder in PYTHONPATH,
    which pipx makes its programs ignore.

    Args:
        arguments: Arguments of the interpreter, such as `-m` and a module.
    """
    ignored = ["-E"] if sys.flags.ignore_environment else []
    return [sys.executable, "-P", *ignored, *arguments]
