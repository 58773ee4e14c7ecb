"""The benches look at episodes and stills as tagging does."""

import json
from pathlib import Path

import pytest
from PIL import Image

from bench import real_footage
from bench.episode_frames import store_frames
from bench.stills_to_frames import look, ranges_of, steps_of
from bench.unknown import main
from ingest.decoder.parent import Decoder
from model.dataset.build import build_dataset
from model.dataset.plan import BuildOptions
from model.inference.classifier import Classifier
from model.stills.choice import Choice
from model.version.artifact import find_model
from tests.rows.found import rows_of
from tests.servers.commands import castline_here, new_home
from tests.stills.models import NAME, write_model_by_lot
from tests.stills.still_folders import write_stills
from tests.video.clips import write_clip

pytestmark = pytest.mark.integration


def test_the_last_step_finds_the_very_appearances_that_tagging_writes(tmp_path: Path) -> None:
    home = new_home(tmp_path / "home")
    version = find_model(NAME, [home / "models"])
    clip = write_clip(tmp_path / "clip.mp4", seconds=16)
    ended = castline_here(home, "tag", clip, "--model", NAME)
    assert ended.returncode == 0, ended.stderr
    with rows_of(home) as connection:
        written = connection.execute(
            "SELECT label, start_seconds, end_seconds FROM appearance ORDER BY 2, 1"
        ).fetchall()

    with Decoder() as decoder:
        seen = look(Classifier.load(version), store_frames(clip, decoder, tmp_path / "frames"))
    assert len(seen.sampled_pts) == 2 * 16
    found = [
        (item.label, float(item.start_seconds), float(item.end_seconds))
        for item in ranges_of(steps_of(version.manifest)[-1], seen)
    ]
    assert len(found) > 3
    assert found == [tuple(row) for row in written]
    assert seen.time_base * (seen.end_pts - seen.start_pts) == 16


def test_footage_is_scored_by_what_the_command_finds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    home = new_home(tmp_path / "home")
    clip = write_clip(tmp_path / "clip.mp4", seconds=16)
    ended = castline_here(home, "tag", clip, "--model", NAME)
    assert ended.returncode == 0, ended.stderr
    with rows_of(home) as connection:
        found = connection.execute("SELECT label, start_seconds, end_seconds FROM appearance")
        rows = [",".join(map(str, row)) for row in found]
    truth = clip.with_name("clip.mp4.truth.csv")
    truth.write_text("\n".join(["label,start_seconds,end_seconds", *rows, ",0,12", ""]))
    labels = sorted({row.split(",")[0] for row in rows})

    version = find_model(NAME, [home / "models"])
    sheet = tmp_path / "sheet.png"
    chosen = ["--labels", ",".join(labels), "--labels", f"{labels[0]},nobody_by_lot"]
    arguments = [str(clip), "--model", str(version.folder), *chosen]
    monkeypatch.setattr("sys.argv", ["", *arguments, "--mistakes", str(sheet), "--json"])
    real_footage.main()
    whole, one = json.loads(capsys.readouterr().out)["choices"]
    # 43 moments of 0.37 s lie in 16 s, the truth tells of 12 and of whoever was found
    assert 32 <= whole["samples"] == 43 - whole["samples_left_out"] <= 43
    assert whole["true_positives"] > 10
    assert (whole["f1"], one["f1"]) == (1, 1)
    assert one["labels_not_known"] == ["nobody_by_lot"]

    truth.write_text("label,start_seconds,end_seconds\n,0,16\n")
    monkeypatch.setattr("sys.argv", ["", *arguments, "--mistakes", str(sheet), "--by-label"])
    real_footage.main()
    made_up = whole["true_positives"]
    assert f"| pairs made up, of them at a border | {made_up}, 0 |" in capsys.readouterr().out
    assert Image.open(sheet).width == 6 * (256 + 32)


def test_strangers_are_measured_from_files_to_figures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    version = write_model_by_lot(tmp_path)
    stills = write_stills(tmp_path / "stills", {"apple": 20, "birch": 20, "guava": 7})
    choice = Choice(labels=("apple", "birch"))
    build_dataset([stills], tmp_path / "dataset", BuildOptions(choice=choice))
    clip = write_clip(tmp_path / "clip.mp4", seconds=4)
    arguments = [
        *(str(version.folder), str(tmp_path / "dataset"), "--left-out", str(stills)),
        *("--labels", "guava", "--episodes", str(clip)),
    ]
    monkeypatch.setattr("sys.argv", ["unknown", *arguments])
    main()
    printed = capsys.readouterr().out
    # 10 % of 20 stills of each label; two frames a second
    assert "against 4 known test stills" in printed
    assert "| left-out characters (guava) | 7 | " in printed
    assert "| frames of other series, whole | 8 | " in printed
    assert "| both | 15 | " in printed
