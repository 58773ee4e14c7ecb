"""docs/reference/python.md tells of every method of a library, and of none that is not there."""

import inspect
import re
from pathlib import Path

import castline

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "python.md").read_text("utf-8")


def public(kind: type) -> set[str]:
    return {name for name, _ in inspect.getmembers(kind, callable) if not name.startswith("_")}


def test_the_table_of_methods_is_complete() -> None:
    section = PAGE.partition("## Methods")[2].partition("\n## ")[0]
    table = "\n".join(line for line in section.splitlines() if line.startswith("|"))
    told = set(re.findall(r"`(\w+)\(", table))
    assert told == public(castline.Library) - {"at", "elsewhere", "connect", "close"}


def test_the_table_of_errors_is_complete() -> None:
    table = PAGE.partition("## Errors")[2]
    told = set(re.findall(r"`(\w+Error)`", table)) - {"OSError", "MemoryError", "ImportError"}
    kinds = {name for name in dir(castline) if name.endswith("Error")}
    assert told == kinds - {"CastlineError"}


def test_every_method_tells_what_it_does() -> None:
    for name in public(castline.Library):
        assert inspect.getdoc(getattr(castline.Library, name)), name
