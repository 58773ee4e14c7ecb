"""Parse untrusted JSON within limits, and access it without assumptions about its structure."""

import json
from pathlib import Path
from typing import Any, Final

from model.errors import StillsError
from model.stills.annotations.entries import read_text

MAX_CONTAINERS: Final = 2_000_000
"""Most objects and lists: of 200 bytes each on average, they take 400 MB. A file of boxes has about
four per box."""


def read_json(path: Path) -> Any:
    """Return the content of a JSON file.

    Raises:
        StillsError: The file cannot be read, is not JSON, nested too deeply or too large; the
            message names it.
    """
    text = read_text(path)
    if text.count("{") + text.count("[") > MAX_CONTAINERS:
        raise StillsError(f"{path}: too much for a file of boxes; write them to several files")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        how = "nested too deeply" if isinstance(error, RecursionError) else f"not JSON ({error})"
        raise StillsError(f"{path}: {how}; export the boxes again") from error


def objects(value: Any) -> list[dict[str, Any]]:
    """Return the objects among a list's items; an empty list if it is not a list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def text_of(value: Any) -> str:
    """Return a text; an empty one if it is not a text."""
    return value if isinstance(value, str) else ""
