"""An upgrade that brings another bundled model, while runs of the old one are not done."""

import json
import shutil
from pathlib import Path

import pytest

from castline.models import listing
from castline.tagging import run_models
from model.inference.compiling import compiled
from model.inference.cpu_forward import CpuForwardPass
from model.version import artifact
from model.version.artifact import models_in
from tests.servers.commands import castline_here
from tests.stills.models import write_model_by_lot
from tests.video.clips import write_clip

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("compiles_here")]


@pytest.fixture
def bundled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What this process takes for the bundled models: `town@1`. Its children have the real ones."""
    folder = tmp_path / "bundled"
    write_model_by_lot(folder, "town")
    # Imported before any is patched: a module imported now would bind the patched function for good.
    for module in (artifact, run_models, listing):
        monkeypatch.setattr(module, "bundled_folder", lambda: folder)
    return folder


@pytest.fixture
def home(bundled: Path, tmp_path: Path) -> Path:
    """A home with a queued run of the bundled model, in whose place an upgrade brings another."""
    home = tmp_path / "home"
    clip = write_clip(tmp_path / "pilot one.mp4", seconds=4)
    for _ in range(2):  # the second finds the copy
        assert castline_here(home, "enqueue", clip).returncode == 0
    listed = castline_here(home, "models", "list", "--json")
    assert [item["is_bundled"] for item in json.loads(listed.stdout)] == [True]
    shutil.rmtree(bundled)
    write_model_by_lot(bundled, "town", lot=5, version="2")
    return home


def state_in(home: Path) -> tuple[str, str]:
    [run] = json.loads(castline_here(home, "status", "--json").stdout)
    return run["model"], run["state"]


def test_queued_runs_of_the_old_model_are_done_by_it(home: Path) -> None:
    assert castline_here(home, "status").stderr == ""
    assert castline_here(home, "worker", "--until-idle").returncode == 0
    assert state_in(home) == ("town@1", "done")


def test_the_copy_of_the_old_model_is_compiled(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "model.inference.compiling.user_cache_path", lambda name: tmp_path / "empty" / name
    )
    monkeypatch.setattr("model.extras.find_spec", lambda _name: None)  # and cannot be any more
    [old] = models_in(home / "models")
    CpuForwardPass(compiled(old), batch_size=1)


def test_runs_whose_model_is_gone_are_told_of_with_what_to_do(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("castline.upkeep.checkup._check_gpu", lambda _: "another test looks at it")
    shutil.rmtree(home / "models")
    told = "is not here, and 1 unfinished run waits for it (1): castline models import its folder"
    assert told in castline_here(home, "status").stderr
    doctor = castline_here(home, "doctor", "--json")
    assert doctor.returncode == 1
    [unwell] = [item for item in json.loads(doctor.stdout) if not item["is_well"]]
    assert unwell["subject"] == "model"
    assert told in unwell["text"]
    # What it says is what helps.
    assert "castline cancel 1 and castline rerun --all 'pilot one.mp4'" in unwell["text"]
    assert castline_here(home, "cancel", "1").returncode == 0
    assert castline_here(home, "status").stderr == ""
    assert castline_here(home, "rerun", "--all", "pilot one.mp4").returncode == 0


def test_prune_removes_the_copy_that_nothing_refers_to(home: Path) -> None:
    assert (home / "models" / "town-1").is_dir()
    assert castline_here(home, "cancel", "1").returncode == 0
    assert castline_here(home, "rerun", "--all", "pilot one.mp4").returncode == 0
    assert castline_here(home, "prune", "--yes").returncode == 0
    assert not (home / "models" / "town-1").exists()
