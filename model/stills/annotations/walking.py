"""List the files below a folder."""

import os
from collections.abc import Iterator
from pathlib import Path


def files_below(folder: Path, suffix: str) -> Iterator[Path]:
    """Yield the files with a suffix in sorted order, without hidden files and linked folders."""
    for path, inner, names in os.walk(folder):
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        for name in sorted(names):
            if name.lower().endswith(suffix) and not name.startswith("."):
                yield Path(path, name)
