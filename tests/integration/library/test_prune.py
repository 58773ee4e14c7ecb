"""`castline prune`: what nothing refers to goes, after it was shown, and nothing else."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from castline.models.promotion import promote
from castline.tagging.enqueue import model_record
from castline.upkeep.pruning import plan_pruning, prune
from db.changes.promotions import list_promotions, roll_back
from db.engine import Database
from db.library.runs import list_runs
from ingest.decoder.parent import Decoder
from ingest.storage.frame_store import FORMAT_VERSION
from model.inference.compiling import keep_compiled
from model.version.artifact import COMPILED, ModelVersion, find_model, models_in
from tests.rows.ended_runs import end_with, ended_run, place_of
from tests.rows.found import rows_of, table_counts
from tests.rows.records import episode_named, make_run
from tests.servers.commands import castline_here, one_line
from tests.stills.models import write_model_by_lot
from tests.video.clips import write_clip
from worker.installation import Installation
from worker.settings import Settings

pytestmark = pytest.mark.integration

NAMES = ("zero", "first", "second")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Three models were promoted one after the other; the last one has a candidate beside it."""
    home = tmp_path / "home"
    with place_of(home) as place, Decoder() as decoder:
        clip = write_clip(tmp_path / "pilot.mp4", seconds=8)
        for number, name in enumerate((*NAMES, "candidate")):
            version = write_model_by_lot(
                place.settings.models_folder,
                name,
                lot=number,
                created_at=f"2199-01-0{number + 1}T00:00:00+00:00",
            )
            keep_compiled(version, b"compiled")
            if name == "zero":  # looked at five times a second before
                fine = Fraction(1, 5)
                ended_run(place, decoder, clip, version, {"apple": [(0, 1)]}, fine)
            ended_run(place, decoder, clip, version, {"apple": [(number, number + 2)]})
            if name != "candidate":
                promote_by_force(place, version)
    return home


def promote_by_force(installation: Installation, version: ModelVersion) -> None:
    assert promote(installation, version, "macro_f1 >= 0", [], force=True).is_promoted


def run_by(installation: Installation, version: ModelVersion, episode: str = "pilot.mkv") -> None:
    """A run that ended over an episode of this name, whose file and frames are nowhere."""
    run_id = make_run(installation.database, episode_named(episode), model_record(version))
    end_with(installation, run_id, {"apple": [(1, 3)]})


def model_that_ran(installation: Installation, name: str, month: str) -> ModelVersion:
    """A version that was made in that month, and whose run over the pilot ended."""
    version = write_model_by_lot(
        installation.settings.models_folder, name, created_at=f"{month}-01T00:00:00+00:00"
    )
    run_by(installation, version)
    return version


def answer(home: Path, *arguments: str) -> Any:
    ended = castline_here(home, *arguments, "--json")
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def runs_by_model(home: Path) -> list[str]:
    return [run["model"] for run in answer(home, "status")]


def stored(home: Path) -> set[str]:
    return {path.parent.name.split("_area")[0] for path in (home / "frames").rglob("*.zip")}


def test_what_nothing_refers_to_is_shown_and_stays_until_it_is_said(home: Path) -> None:
    before = table_counts(home, "run", "tag", "appearance", "chunk", "model_version")
    found = answer(home, "prune", "--dry-run")
    assert [run["model"] for run in found["runs"]] == ["zero@1", "zero@1"]
    assert [item["model"] for item in found["models"]] == ["zero@1"]
    weights = home / "models" / "zero-1" / "weights.safetensors"
    assert found["models_bytes"] > weights.stat().st_size
    fine = [path for path in (home / "frames").rglob("*.zip") if "every_1-5" in str(path)]
    assert found["frames"] == len(fine) == 2
    assert found["frames_bytes"] == sum(path.stat().st_size for path in fine)
    refused = castline_here(home, "prune")
    assert refused.returncode == 1
    assert "--yes" in one_line(refused.stderr)
    assert "zero@1" in refused.stdout
    assert table_counts(home, *before) == before
    assert weights.exists()


def test_what_is_left_answers_as_before_and_one_rollback_stays_possible(home: Path) -> None:
    shown = castline_here(home, "who", "pilot", "--json").stdout
    by_first = castline_here(home, "who", "pilot", "--model", "first", "--json").stdout
    ended = castline_here(home, "prune", "--yes")
    assert ended.returncode == 0, ended.stderr
    assert runs_by_model(home) == ["first@1", "second@1", "candidate@1"]
    assert stored(home) == {f"v{FORMAT_VERSION}_every_1-2"}
    names = {path.name for path in (home / "models").iterdir()}
    assert names == {"first-1", "second-1", "candidate-1", COMPILED}
    left = {each.compiled_path.name for each in models_in(home / "models")}
    assert {path.name for path in (home / "models" / COMPILED).iterdir()} == left
    assert castline_here(home, "who", "pilot", "--json").stdout == shown
    with rows_of(home) as connection:
        for table in ("tag", "appearance", "chunk"):
            orphans = f"SELECT count(*) FROM {table} WHERE run_id NOT IN (SELECT id FROM run)"
            assert connection.execute(orphans).fetchone()[0] == 0

    assert answer(home, "prune", "--dry-run")["runs"] == []
    nothing = castline_here(home, "prune", "--yes")
    assert (nothing.returncode, nothing.stdout) == (0, "")
    assert "Nothing to remove" in nothing.stderr

    assert castline_here(home, "models", "rollback").returncode == 0
    assert castline_here(home, "who", "pilot", "--json").stdout == by_first
    refused = castline_here(home, "models", "rollback")
    assert refused.returncode == 1
    assert "no earlier promotion" in one_line(refused.stderr)


def test_a_model_that_was_rolled_back_is_nothing_that_anything_refers_to(home: Path) -> None:
    with place_of(home) as place, place.database.write() as connection:
        roll_back(connection)
    found = answer(home, "prune", "--dry-run")
    assert [item["model"] for item in found["models"]] == ["second@1"]
    # zero's run would be shown again by another rollback; the one at five a second never
    assert [run["model"] for run in found["runs"]] == ["zero@1", "second@1"]


def test_a_failed_run_stays_as_long_as_it_is_all_that_is_known(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with place_of(home) as place, Decoder() as decoder:
        version = write_model_by_lot(place.settings.models_folder)
        clip = write_clip(tmp_path / "pilot.mp4", seconds=8)
        ended_run(place, decoder, clip, version, {})
    with rows_of(home) as connection:
        connection.execute("UPDATE run SET state = 'failed'")
        connection.execute("DELETE FROM current_run")
        connection.commit()
    assert castline_here(home, "prune", "--yes").returncode == 0
    assert runs_by_model(home) == ["by_lot@1"]


def test_models_promoted_in_another_order_than_they_were_made_go_as_listed(
    database: Database, tmp_path: Path
) -> None:
    installation = Installation(Settings(tmp_path, str(database.url)), database)
    for name, month in (("newest", "2199-03"), ("oldest", "2199-01"), ("middle", "2199-02")):
        promote_by_force(installation, model_that_ran(installation, name, month))
    planned = plan_pruning(installation)
    assert [run.model for run in planned.runs] == ["newest@1"]
    assert [version.manifest.name for version in planned.models] == ["newest"]
    prune(installation, planned)
    assert not planned.models[0].folder.exists()
    assert plan_pruning(installation).is_empty
    with database.read() as connection:
        assert [run.model for run in list_runs(connection)] == ["oldest@1", "middle@1"]
        _, first, *others = list_promotions(connection)
    assert (first.model, first.model_sha256) == ("newest@1", None)
    assert None not in [item.model_sha256 for item in others]


def test_a_model_that_shows_an_episode_keeps_its_history_and_may_be_gone_back_to(
    tmp_path: Path,
) -> None:
    home = tmp_path / "home"
    with place_of(home) as place:
        for number, name in enumerate(NAMES, start=1):
            version = model_that_ran(place, name, f"2199-0{number}")
            run_by(place, version, f"{name}.mkv")
            promote_by_force(place, version)
    before = answer(home, "models", "show", "zero")["promotions"]
    assert len(before) == 1
    assert castline_here(home, "prune", "--yes").returncode == 0
    assert runs_by_model(home).count("zero@1") == 1
    assert answer(home, "models", "show", "zero")["promotions"] == before

    said = one_line(castline_here(home, "models", "rollback").stderr)
    assert "1 episode shows another run than before" in said
    assert "1 episode shows one of second@1 still: castline rerun --stale" in said
    said = one_line(castline_here(home, "models", "rollback").stderr)
    assert said.startswith("zero@1: in use again in place of first@1; 0 episodes show")
    assert "2 episodes show one of first@1 still: castline rerun --stale" in said
    stale = [item["reason"] for item in answer(home, "rerun", "--stale", "--dry-run")]
    assert stale.count("by first@1") == 2


def test_before_any_promotion_a_candidate_is_newer_than_the_bundled_model(
    database: Database, tmp_path: Path
) -> None:
    installation = Installation(Settings(tmp_path, str(database.url)), database)
    for name, month in (("newer", "2198-01"), ("older", "2020-01"), ("newest", "2199-01")):
        model_that_ran(installation, name, month)
    planned = plan_pruning(installation)
    assert [run.model for run in planned.runs] == ["older@1"]
    assert [version.manifest.name for version in planned.models] == ["older"]
    prune(installation, planned)
    with database.read() as connection:
        assert [run.model for run in list_runs(connection)] == ["newer@1", "newest@1"]

    run_by(installation, find_model(None))
    assert plan_pruning(installation).is_empty, "the bundled model is in use, and its run stays"
