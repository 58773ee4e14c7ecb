"""Settings: what the environment says, and what goes before it."""

import os
import sqlite3
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from db.engine import Database
from db.upgrade import upgrade_database
from ingest.storage.frame_store import FORMAT_VERSION
from model.version.manifest import Manifest
from worker.errors import WorkerError
from worker.identity import is_dead, worker_identity
from worker.parameters import RunParameters
from worker.settings import Settings


def a_manifest() -> Manifest:
    return Manifest(
        name="drawn",
        version="1",
        network="baseline",
        network_parameters={"filters": [4], "dense": 2},
        labels=("apple", "pear"),
        preprocessing="fit84_crop64",
        regions=("full", "left", "right"),
        temperature=1.5,
        onset=0.8,
        offset=0.4,
        training_data_sha256="a" * 64,
        metrics={"accuracy": 0.9},
        licence="CC0-1.0",
        created_at="2026-01-01T00:00:00+00:00",
    )


def test_everything_lies_under_the_home_by_default(tmp_path: Path) -> None:
    settings = Settings.from_environment(tmp_path, {})
    assert settings.database_url == f"sqlite:///{tmp_path}/castline.db"
    assert settings.frames_folder == tmp_path / "frames"
    assert settings.models_folder == tmp_path / "models"
    assert settings.media_roots == ()


def test_the_home_of_the_command_line_goes_before_that_of_the_environment(tmp_path: Path) -> None:
    environment = {"CASTLINE_HOME": str(tmp_path / "other")}
    assert Settings.from_environment(tmp_path, environment).home == tmp_path
    assert Settings.from_environment(None, environment).home == tmp_path / "other"


def test_the_environment_moves_the_database_and_limits_the_media(tmp_path: Path) -> None:
    environment = {
        "CASTLINE_DATABASE_URL": "postgresql://somewhere/castline",
        "CASTLINE_MEDIA_ROOTS": f"/films{os.pathsep}/series",
    }
    settings = Settings.from_environment(tmp_path, environment)
    assert settings.database_url == "postgresql://somewhere/castline"
    assert settings.media_roots == (Path("/films"), Path("/series"))


def test_a_home_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("not a folder")
    with pytest.raises(WorkerError, match="is not a folder"):
        Settings.from_environment(tmp_path / "home", {})


@pytest.mark.parametrize(
    ("home", "reason"),
    [
        ("~nosuch/x", "no such user"),
        ("x" * 300, "too long"),
        (os.fsdecode(b"caf\xe9"), "not UTF-8"),
    ],
)
def test_a_home_that_cannot_be_a_folder_is_refused_in_one_line(home: str, reason: str) -> None:
    with pytest.raises(WorkerError, match="name") as caught:
        Settings.from_environment(Path(home), {})
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["why?", "no #1", "100%41", "a:b@c", "über uns"])
def test_the_database_lies_in_a_home_of_any_name(name: str, tmp_path: Path) -> None:
    database = Database(Settings.from_environment(tmp_path / name, {}).database_url)
    upgrade_database(database)
    database.dispose()
    assert [path.name for path in tmp_path.iterdir()] == [name]
    with closing(sqlite3.connect(tmp_path / name / "castline.db")) as connection:
        assert connection.execute("SELECT count(*) FROM run").fetchone() == (0,)


def test_this_process_is_alive_and_an_earlier_one_of_its_number_is_dead() -> None:
    host, pid, _, scope = worker_identity().rsplit("/", 3)
    assert not is_dead(worker_identity())
    assert is_dead(f"{host}/{pid}/1/{scope}")
    assert is_dead(f"{host}/999999999/1/{scope}")


def test_a_worker_of_another_machine_is_never_known_to_be_dead() -> None:
    assert not is_dead("another-machine/999999999/1/another-boot")


def test_equal_parameters_have_equal_hashes_and_others_have_others() -> None:
    half = RunParameters.for_model(a_manifest(), Fraction("0.5"))
    same = RunParameters.for_model(a_manifest(), Fraction(1, 2))
    third = RunParameters.for_model(a_manifest(), Fraction(1, 3))
    assert half.hash == same.hash
    assert half.hash != third.hash


def test_parameters_come_back_from_their_json_exactly() -> None:
    third = RunParameters.for_model(a_manifest(), Fraction(1, 3))
    assert RunParameters.from_json(third.to_json()) == third


def test_thresholds_of_single_labels_are_parameters_whatever_their_order() -> None:
    pear, apple = ("pear", (0.95, 0.5)), ("apple", (0.7, 0.7))
    one = RunParameters.for_model(replace(a_manifest(), label_thresholds=dict([pear, apple])))
    same = RunParameters.for_model(replace(a_manifest(), label_thresholds=dict([apple, pear])))
    none = RunParameters.for_model(a_manifest())
    assert one.to_json() == same.to_json()
    assert one.hash != none.hash
    assert one.rules.thresholds("pear") == (0.95, 0.5)
    assert none.rules.thresholds("pear") == (0.8, 0.4)
    assert RunParameters.from_json(one.to_json()) == one


def test_runs_from_before_labels_had_thresholds_keep_their_parameters() -> None:
    recorded = (
        '{"every_seconds": "1/2", "frame_store": 1, "min_duration_off_seconds": "3/4", '
        '"min_duration_on_seconds": "3/4", "offset": 0.4, "onset": 0.8}'
    )
    read = RunParameters.from_json(recorded)
    assert read.rules.label_thresholds == {}
    assert read.rules.shots is None
    # all but the frame store's layout, which is never that of another version
    assert read.to_json() == recorded.replace(
        '"frame_store": 1', f'"frame_store": {FORMAT_VERSION}'
    )


@pytest.mark.parametrize("every", ["0", "-1", "1/2000", "3601"])
def test_a_sampling_interval_out_of_bounds_is_refused(every: str) -> None:
    with pytest.raises(WorkerError, match="--every"):
        RunParameters.for_model(a_manifest(), Fraction(every))
