"""The table of commands against what their modules add."""

from importlib import import_module
from pathlib import Path

import pytest
import typer

import cli
from cli.on_demand import MODULES, CommandsOnDemand


@pytest.mark.parametrize("module", MODULES)
def test_a_module_adds_the_commands_that_the_table_lists(module: str) -> None:
    part = typer.Typer()
    import_module(module).add_commands(part)
    assert tuple(typer.main.get_group(part).commands) == MODULES[module]


def test_the_table_lists_every_module_that_adds_commands() -> None:
    folder = Path(cli.__file__).parent
    found = {
        ".".join(("cli", *path.relative_to(folder).with_suffix("").parts))
        for path in folder.rglob("*.py")
        if "def add_commands(app: typer.Typer)" in path.read_text(encoding="utf-8")
    }
    assert found == set(MODULES)


def test_a_command_that_does_not_exist_is_none() -> None:
    assert CommandsOnDemand().get("whn") is None
