"""JSON from anywhere: bounded, and looked into without belief in its shape."""

import json
from pathlib import Path
from typing import Any, Final

from model.errors import StillsError
from model.stills.annotations.entries import read_text

MAX_CONTAINERS: Final = 2_000_000
"""Objects and lists: of 200 bytes each on average, they take 400 MB. A file of boxes has about four
per box."""


def read_json(path: Path) -> Any:
    """Return what a JSON file holds.

    Raises:
        StillsError: it cannot be read, is no JSON, too deep or too large; the line names it.
    """
    text = read_text(path)
    if text.count("{") + text.count("[") > MAX_CONTAINERS:
        raise StillsError(f"{path}: too much for a file of boxes; write them to several files")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        how = "is nested too deep" if isinstance(error, RecursionError) else f"is no JSON ({error})"
        raise StillsError(f"{path}: {how}; export the boxes again") from error


def objects(value: Any) -> list[dict[str, Any]]:
    """Return the objects among a list's items; none where it is no list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def text_of(value: Any) -> str:
    """Return a text; empty where it is none."""
    return value if isinstance(value, str) else ""
