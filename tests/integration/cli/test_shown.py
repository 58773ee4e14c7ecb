"""What people see while they try models and parameters: from a fresh home to the way back."""

import json
import shlex
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import update

from db.changes.writes import finish_run
from db.library.runs import list_runs
from db.records import AppearanceRecord, RunRecord
from db.schema import chunk
from db.states import RunState
from model.version.artifact import find_model
from tests.servers.commands import castline_here, one_line
from tests.servers.databases import new_postgresql_url
from tests.stills.models import write_model_by_lot
from tests.video.clips import write_clip
from worker.installation import Installation
from worker.parameters import RunParameters

pytestmark = pytest.mark.integration

IN_USE: Final = find_model(None).manifest.reference


def seen_by(run: RunRecord) -> str:
    """The label that a run finds here: its model's name, and how often it looked."""
    every = RunParameters.from_json(run.params).every_seconds
    return f"{run.model.partition('@')[0]}_{every.numerator}_{every.denominator}"


@pytest.fixture
def states(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How the next runs end, in place of decoding and classifying; `done` where nothing is said."""
    states: list[str] = []

    def work_on(installation: Installation, *_: object, **__: object) -> None:
        with installation.database.write() as connection:
            for run in list_runs(connection):
                if not run.is_open:
                    continue
                state = states.pop(0) if states else "done"
                of_run = chunk.c.run_id == run.id
                left = "tagged" if state == "done" else "quarantined"
                connection.execute(update(chunk).where(of_run).values(state=left))
                finish_run(
                    connection,
                    run_id=run.id,
                    episode_id=run.episode_id,
                    state=RunState(state),
                    frames=8,
                    decode_errors=0,
                    missing=(),
                    error=None,
                    appearances=[AppearanceRecord(seen_by(run), 0, 100, 0.0, 2.0, 4, 0.8, 0.9)],
                )

    for module in ("work", "rerun"):
        monkeypatch.setattr(f"castline.tagging.{module}.work_on", work_on)
    return states


class Town:
    """A home with the model `toy` beside the bundled one, and an episode."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.home, self.settings = folder / "home", settings
        write_model_by_lot(self.home / "models", "toy")
        self.clip = write_clip(folder / "pilot.mp4", seconds=4)

    def does(self, *arguments: str | Path, code: int = 0) -> list[str]:
        """Runs a command; returns what it says, without what its work took."""
        ended = castline_here(self.home, *arguments, **self.settings)
        assert ended.returncode == code, ended.stderr
        return [line for line in ended.stderr.splitlines() if not line.startswith("Worked for")]

    def answers(self, *arguments: str | Path) -> Any:
        ended = castline_here(self.home, *arguments, "--json", **self.settings)
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout)

    def shows(self, *which: str) -> str:
        """The label that `who` finds."""
        [found] = self.answers("who", "pilot", *which)
        return str(found["label"])


@pytest.fixture(params=["sqlite", "postgresql"])
def town(request: pytest.FixtureRequest, tmp_path: Path, states: list[str]) -> Town:
    """The same on either database."""
    if request.param == "sqlite":
        return Town(tmp_path)
    base_url = request.getfixturevalue("postgresql_base_url")
    return Town(tmp_path, database_url=new_postgresql_url(base_url))


def way_in(line: str, after: str) -> list[str]:
    """The command that a line names after these words."""
    _, found, command = line.partition(f"{after}castline ")
    assert found, line
    return shlex.split(command.partition(",")[0].partition(";")[0])


def test_from_a_fresh_home_to_the_way_back(town: Town) -> None:
    assert town.does("tag", town.clip) == []
    assert town.shows() == "springfield_1_2"
    assert town.answers("models", "show", "springfield")["promotions"] == [], "by nobody"

    # A trial changes nothing, and says how it is seen.
    [line] = town.does("tag", town.clip, "--model", "toy")
    assert line == (
        f"pilot.mp4: run 1 by {IN_USE} is still shown; run 2 by toy@1 is not of the model in use:"
        " castline who pilot.mp4 --run 2 queries it, castline models promote toy@1 shows it"
    )
    assert town.shows() == "springfield_1_2"
    assert town.shows("--run", "2") == town.shows("--model", "toy") == "toy_1_2"
    assert town.does("rerun", "--stale") == ["Nothing to run again."]
    assert 1 not in [run["run"] for run in town.answers("prune", "--dry-run")["runs"]]

    # A finer look is shown, stays, and the way back is a command.
    [line] = town.does("tag", town.clip, "--every", "0.1")
    assert line.startswith(
        f"pilot.mp4: run 3 by {IN_USE}, every 0.1 s is now shown, in place of run 1 by {IN_USE},"
        " every 0.5 s; back: castline tag "
    )
    back = way_in(line, "back: ")
    for plain in (("tag", town.clip), ("enqueue", town.clip), ("rerun", "--all")):
        assert "shown" not in " ".join(town.does(*plain))
        assert town.shows() == "springfield_1_10"
    assert town.does("rerun", "--stale") == ["Nothing to run again."]
    [line] = town.does(*back)
    assert town.shows() == "springfield_1_2"
    assert way_in(line, "back: ") == ["tag", str(town.clip), "--every", "0.1"]

    # A promotion shows the trial, and a rollback what was seen before.
    line = one_line("\n".join(town.does("models", "promote", "toy", "--force")))
    assert line == (
        "toy@1: promoted; 1 episode shows its runs now in place of another model's;"
        " back: castline models rollback"
    )
    assert town.shows() == "toy_1_2"
    [line] = town.does(*way_in(line, "back: "))
    assert town.shows() == "springfield_1_2"
    assert way_in(line, "back: ") == ["models", "promote", "toy@1", "--force"]
    town.does(*way_in(line, "back: "))
    assert town.shows() == "toy_1_2"


def test_a_trial_is_shown_only_until_the_model_in_use_has_a_run(town: Town) -> None:
    assert town.does("tag", town.clip, "--model", "toy") == []
    assert town.shows() == "toy_1_2"
    [line] = town.does("tag", town.clip, "--model", "toy", "--every", "0.25")
    assert town.shows() == "toy_1_4"
    town.does(*way_in(line, "back: "))
    assert town.shows() == "toy_1_2"
    write_model_by_lot(town.home / "models", "newer", created_at="2199-01-01T00:00:00+00:00")
    [line] = town.does("rerun", "--all", "--model", "newer")
    assert "run 1 by toy@1 is still shown; run 3 by newer@1 is not of the model in use" in line
    assert town.shows() == "toy_1_2"
    [line] = town.does("rerun", "--stale")
    assert line == (
        f"pilot.mp4: run 4 by {IN_USE} is now shown, in place of run 1 by toy@1; castline who"
        " pilot.mp4 --run 1 queries that one, castline models promote toy@1 --force shows it again"
    )
    assert town.shows() == "springfield_1_2"


def test_work_that_goes_on_or_fails_leaves_what_is_shown_and_says_so(
    town: Town, states: list[str]
) -> None:
    town.does("tag", town.clip)
    shown = f"pilot.mp4: run 1 by {IN_USE}, every 0.5 s is still shown; run 2 by {IN_USE}"
    *_, line = town.does("enqueue", town.clip, "--every", "1/3")
    assert line == f"{shown}, every 1/3 s is queued"
    *_, line = town.does("cancel", "2")
    assert line == f"{shown}, every 1/3 s is cancelled"
    *_, line = town.does("retry", "2")
    assert line == f"{shown}, every 1/3 s is queued"
    states += ["failed"]
    assert f"{shown}, every 1/3 s is failed" in town.does("worker", "--until-idle", code=1)
    assert town.shows() == "springfield_1_2"
    states += ["partial"]
    *_, line = town.does("tag", town.clip, code=3)
    assert line == (
        f"{shown}, every 1/3 s is partial: castline who pilot.mp4 --run 2 queries it,"
        " castline retry 2 tries again what it lacks"
    )
    assert town.shows() == "springfield_1_2"
    assert town.shows("--run", "2") == "springfield_1_3"
    town.does("retry", "2")
    assert town.shows("--run", "2") == "springfield_1_3", "what it found stays meanwhile"
    [_, _, line] = town.does("worker", "--until-idle")
    assert "run 2 by" in line
    assert "is now shown, in place of run 1" in line
    assert town.shows() == "springfield_1_3"


def test_many_episodes_that_change_alike_are_told_of_in_one_line(
    town: Town, tmp_path: Path
) -> None:
    clips = [town.clip, *(write_clip(tmp_path / f"{n}.mp4", seconds=n) for n in (2, 3))]
    town.does("tag", *clips)
    [line] = town.does("tag", *clips, "--every", "0.25")
    assert line == (
        f"3 episodes: a run by {IN_USE}, every 0.25 s is now shown, in place of one by {IN_USE},"
        " every 0.5 s; back: castline tag EPISODE --every 0.5"
    )
    [line] = town.does("rerun", "--all", "--model", "toy")
    assert line == (
        f"3 episodes: one by {IN_USE} is still shown; a run by toy@1 is not of the model in use:"
        " castline who EPISODE --run RUN queries it, castline models promote toy@1 shows it"
    )
