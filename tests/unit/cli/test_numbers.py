"""Whole numbers that commands take have bounds, so that none fills memory or breaks a library."""

from collections.abc import Iterator
from typing import Any

import pytest
import typer

from cli.main import app


def whole_numbers(command: Any, path: str = "castline") -> Iterator[tuple[str, Any]]:
    """The options and arguments of a command, and of those below it, that are whole numbers."""
    for name, below in getattr(command, "commands", {}).items():
        yield from whole_numbers(below, f"{path} {name}")
    for parameter in command.params:
        described = getattr(parameter, "type_descriptor", None)
        if described and described.annotation is int:
            yield f"{path} {parameter.name}", parameter


NUMBERS = dict(whole_numbers(typer.main.get_command(app)))

BOUND_BY_THE_PLAN = {"castline dataset build shards", "castline dataset build seed"}
"""Of a dataset, which names its bounds itself; see `model.dataset.plan`."""


def test_there_are_such_numbers() -> None:
    assert {"castline compose seconds", "castline train seed", "castline worker concurrency"} <= {
        *NUMBERS
    }


@pytest.mark.parametrize("name", sorted(NUMBERS.keys() - BOUND_BY_THE_PLAN))
def test_each_has_a_least_and_a_largest(name: str) -> None:
    assert NUMBERS[name].min is not None
    assert NUMBERS[name].max is not None
    assert NUMBERS[name].max < 2**63
