"""The commands of `castline`, each imported when it is asked for: most need few modules."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

import typer

MODULES = {
    "cli.demo": ("demo",),
    "cli.tagging.work": ("tag", "enqueue", "worker"),
    "cli.tagging.runs": ("status", "cancel", "retry"),
    "cli.tagging.rerunning": ("rerun",),
    "cli.episodes": ("episodes",),
    "cli.asking.questions": ("who", "screen-time", "plot"),
    "cli.asking.meetings": ("when", "together", "first"),
    "cli.asking.own_sql": ("sql", "snapshot"),
    "cli.asking.exporting": ("export",),
    "cli.asking.scoring": ("evaluate",),
    "cli.corrections.judging": ("correct",),
    "cli.corrections.managing": ("corrections",),
    "cli.corrections.reviewing": ("review",),
    "cli.stills.composing": ("compose",),
    "cli.stills.datasets": ("dataset",),
    "cli.models.training": ("train",),
    "cli.models.listing": ("models",),
    "cli.models.thresholds": ("thresholds",),
    "cli.upkeep": ("doctor", "prune", "db"),
}
"""The modules, and the commands that each adds, in the order of `castline --help`."""


class CommandsOnDemand(Mapping[str, Any]):
    """All commands by their names; a command's module is imported when it is looked up."""

    def __init__(self) -> None:
        self._places = {name: module for module, names in MODULES.items() for name in names}
        self._loaded: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._loaded:
            self._loaded |= _commands_of(self._places[name])
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def _commands_of(module: str) -> dict[str, Any]:
    part = typer.Typer()
    import_module(module).add_commands(part)
    return {**typer.main.get_group(part).commands}
