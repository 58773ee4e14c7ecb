"""castline thresholds: shown, set for all or for one character, and reset."""

import json
from pathlib import Path
from typing import Any

import pytest

from castline.tagging.enqueue import model_record
from db.engine import Database
from db.upgrade import upgrade_database
from tests.integration.worker.test_finish import tag_chunk
from tests.rows.records import episode_named, make_run
from tests.servers.commands import castline_here, one_line
from tests.stills.models import write_model_by_lot
from worker.parameters import RunParameters
from worker.settings import Settings

pytestmark = pytest.mark.integration

LABELS = ("homer_simpson", "moe_szyslak", "ned_flanders", "unknown")

TAGS = {500: 0.65, 1000: 0.8, 1500: 0.65, 2000: 0.35, 2500: 0.2}
"""Ned's confidences by pts; the model's own onset is 0.6 and its offset 0.3."""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home in which a model saw Ned in an episode, by its own thresholds."""
    home = tmp_path / "home"
    version = write_model_by_lot(
        home / "models",
        "cast",
        labels=LABELS,
        onset=0.6,
        offset=0.3,
        label_thresholds={"homer_simpson": (0.9, 0.8)},
    )
    database = Database(Settings.from_environment(home, {}).database_url)
    upgrade_database(database)
    make_run(
        database,
        episode_named("pilot.mkv"),
        model_record(version),
        chunks=((0, 60_000),),
        params=RunParameters.for_model(version.manifest).to_json(),
        hashed=True,
    )
    assert tag_chunk(database, TAGS)
    database.dispose()
    return home


def ran(home: Path, *arguments: str) -> str:
    ended = castline_here(home, *arguments)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def seen(home: Path) -> list[tuple[float, float]]:
    found = json.loads(ran(home, "who", "pilot", "--json"))
    return [(each["start_seconds"], each["end_seconds"]) for each in found]


def shown(home: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(ran(home, "thresholds", "show", "--model", "cast", "--json"))
    return found


def test_thresholds_of_all_are_set_and_reset(home: Path) -> None:
    assert seen(home) == [(0.5, 2.5)]
    before = shown(home)
    assert [(each["label"], each["onset"]) for each in before["labels"]] == [
        ("homer_simpson", 0.9),
        ("moe_szyslak", 0.6),
        ("ned_flanders", 0.6),
    ]
    ran(home, "thresholds", "set", "--model", "cast", "--onset", "0.7", "--offset", "0.5")
    assert seen(home) == [(1.0, 2.0)]
    assert {(each["onset"], each["offset"]) for each in shown(home)["labels"]} == {(0.7, 0.5)}
    ran(home, "thresholds", "reset", "--model", "cast")
    assert (seen(home), shown(home)) == ([(0.5, 2.5)], before)


def test_a_characters_own_thresholds_and_back(home: Path) -> None:
    ran(home, "thresholds", "set", "--model", "cast", "--label", "ned", "--offset", "0.6")
    assert seen(home) == [(0.5, 2.0)]
    ran(home, "thresholds", "set", "--model", "cast", "--min-duration-on", "2")
    assert seen(home) == []
    labels = {each["label"]: each for each in shown(home)["labels"]}
    assert (labels["ned_flanders"]["offset"], labels["ned_flanders"]["own_offset"]) == (0.6, 0.3)
    ran(home, "thresholds", "reset", "--model", "cast", "--label", "Ned Flanders")
    assert seen(home) == [(0.5, 2.5)]  # and appearances of less than 2 s are dropped still
    assert shown(home)["min_duration_on_seconds"] == 2


def test_runs_have_them_as_parameters(home: Path) -> None:
    """No episode is stale, and what is tagged from now on has them, too."""
    ran(home, "thresholds", "set", "--model", "cast", "--label", "ned", "--onset", "0.7")
    ran(home, "models", "promote", "cast", "--force")
    planned = json.loads(ran(home, "rerun", "--stale", "--dry-run", "--json"))
    assert planned == []
    planned = json.loads(ran(home, "rerun", "--all", "--dry-run", "--json"))
    assert [(each["run"], each["is_done"]) for each in planned] == [(1, True)]


MISTAKES = {
    "nothing": ((), 1, "nothing to set"),
    "an offset above the onset": (("--offset", "0.65"), 1, "give --onset and --offset together"),
    "an offset that no tag has": (("--offset", "0.01"), 1, "from a confidence of 0.05"),
    "no confidence": (("--onset", "1.5"), 2, "less than or equal to 1"),
    "a label of nobody": (("--label", "bart", "--onset", "0.7"), 1, "no such label; cast@1 has"),
    "least durations of one": (("--label", "ned", "--min-duration-on", "1"), 1, "leave it out"),
    "no time": (("--min-duration-on", "soon"), 1, "is not a time"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_told_in_one_line_and_changes_nothing(case: str, home: Path) -> None:
    arguments, code, message = MISTAKES[case]
    ended = castline_here(home, "thresholds", "set", "--model", "cast", *arguments)
    assert ended.returncode == code
    assert message in " ".join(ended.stderr.split())
    if code == 1:
        one_line(ended.stderr)
    assert seen(home) == [(0.5, 2.5)]
