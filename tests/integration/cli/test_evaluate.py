"""evaluate: whose timeline is scored, and what the names in a truth mean."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from db.engine import Database
from db.upgrade import upgrade_database
from tests.integration.cli.test_export_all import seen
from tests.rows.records import end_run, episode_named, made_model, make_run
from tests.servers.commands import castline_here, one_line
from worker.settings import Settings

pytestmark = pytest.mark.integration

HEAD = "label,start_seconds,end_seconds\n"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An episode that two models looked at: the second one knows Moe, too, and saw him alone."""
    home = tmp_path_factory.mktemp("evaluate")
    database = Database(Settings.from_environment(home, {}).database_url)
    upgrade_database(database)
    episode = episode_named("pilot.mkv")
    end_run(database, make_run(database, episode), [seen("ned_flanders", 0, 10)])
    labels = ("homer_simpson", "moe_szyslak", "ned_flanders", "unknown")
    second = replace(
        made_model("2" * 64, "2", 2027), labels=labels, names={"moe_szyslak": "Moe (barkeeper)"}
    )
    end_run(database, make_run(database, episode, second), [seen("moe_szyslak", 20, 30)])
    database.dispose()
    return home


def scored(
    home: Path, truth: Path, *arguments: str, of: tuple[str, ...] = ("--model", "cast@2")
) -> tuple[dict[str, Any], list[str]]:
    ended = castline_here(home, "evaluate", "pilot", truth, "--json", *of, *arguments)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout), ended.stderr.splitlines()


def test_a_model_and_a_run_are_scored_instead(home: Path, tmp_path: Path) -> None:
    truth = tmp_path / "truth.csv"
    truth.write_text(HEAD + "ned_flanders,0,10\n")
    current, _ = scored(home, truth, of=())
    second, _ = scored(home, truth)
    first, said = scored(home, truth, of=("--model", "cast@1"))
    by_run, _ = scored(home, truth, of=("--run", "1"))
    assert current in (first, second)
    assert (second["model"], second["f1"]) == ("cast@2", 0.0)
    assert (first["model"], first["f1"], said) == ("cast@1", 1.0, [])
    assert by_run == first
    ended = castline_here(home, "evaluate", "pilot", truth, "--model", "cast@3")
    assert "cast@3: never ran here" in one_line(ended.stderr)


@pytest.mark.parametrize("name", ["moe_szyslak", "Moe (Barkeeper)", "Moe Szyslak", "moe"])
def test_a_name_in_a_truth_means_what_it_means_elsewhere(
    home: Path, tmp_path: Path, name: str
) -> None:
    truth = tmp_path / "truth.csv"
    truth.write_text(HEAD + f"{name},20,30\n")
    found, said = scored(home, truth)
    assert found["f1"] == 1.0
    part = ["The truth's moe is taken for moe_szyslak"]
    assert said == (part if name == "moe" else [])


def test_unknown_in_a_truth_is_nobody_known(home: Path, tmp_path: Path) -> None:
    truth = tmp_path / "truth.csv"
    truth.write_text(HEAD + "moe,20,30\nunknown,40,50\n")
    found, _ = scored(home, truth)
    assert (found["f1"], [*found["labels"]]) == (1.0, ["moe_szyslak"])


def test_labels_that_cannot_be_found_are_named(home: Path, tmp_path: Path) -> None:
    truth = tmp_path / "truth.csv"
    truth.write_text(HEAD + "Moe Szyslack,20,30\nbart,1,2\nned,0,10\n")
    found, said = scored(home, truth)
    assert found["f1"] == 0.0
    assert found["absent_labels"] == ["bart", "moe_szyslack"]
    assert said == [
        "The truth's ned is taken for ned_flanders",
        "No model here has the truth's bart; --map bart=LABEL reads it as another",
        (
            "No model here has the truth's moe_szyslack; did you mean moe_szyslak?"
            " --map moe_szyslack=LABEL reads it as another"
        ),
    ]
    _, said = scored(home, truth, "--map", "Moe Szyslack=moe", of=("--model", "cast@1"))
    assert said[-1] == "cast@1 cannot give moe_szyslak: all of it is missed"


def test_a_label_of_the_truth_is_read_as_another(home: Path, tmp_path: Path) -> None:
    truth = tmp_path / "truth.csv"
    truth.write_text(HEAD + "the barkeeper,20,30\n")
    found, said = scored(home, truth, "--map", "The Barkeeper=moe")
    assert (found["f1"], said) == (1.0, [])


REFUSED = {
    "no two names": (("--map", "moe"), 2, "'moe' is not OLD=NEW"),
    "a name that the truth lacks": (("--map", "bart=moe"), 1, "has no bart; it has ned"),
    "a label that nobody has": (("--map", "ned=bart"), 1, "bart is none of homer_simpson, moe_"),
    "a run and a model": (("--run", "1", "--model", "cast"), 1, "leave one of them out"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_mistake_is_told_in_one_line(case: str, home: Path, tmp_path: Path) -> None:
    arguments, code, message = REFUSED[case]
    truth = tmp_path / "truth.csv"
    truth.write_text(HEAD + "ned,0,10\n")
    ended = castline_here(home, "evaluate", "pilot", truth, *arguments)
    assert (ended.returncode, ended.stdout) == (code, "")
    assert message in " ".join(ended.stderr.split())
