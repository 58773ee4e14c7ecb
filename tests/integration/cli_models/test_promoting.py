"""`castline models promote` and `rollback`: a worse model is refused, a better one passes."""

import json
import shutil
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from ingest.decoder.parent import Decoder
from model.version.artifact import ModelVersion, write_model_version
from tests.rows.ended_runs import ended_run, place_of
from tests.servers.commands import castline_here, one_line
from tests.stills.models import write_model_by_lot
from tests.stills.trained_shapes import TrainedShapes
from tests.video.clips import write_clip
from timeline.scoring.truth import LabelledRange, write_truth

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("compiles_here")]

QUESTIONS = (
    ("episodes",),
    ("who", "pilot"),
    ("when", "wedge"),
    ("screen-time",),
)


def variant(version: ModelVersion, home: Path, number: str, bias: float) -> ModelVersion:
    """The same recogniser with a hand on one label: `bias` is added to the logit of `wedge`."""
    weights = {
        name: array.astype(np.float32) for name, array in load_file(version.weights_path).items()
    }
    manifest = version.manifest
    weights["logits/bias"][manifest.labels.index("wedge")] += bias
    return write_model_version(
        home / "models" / f"shapes-{number}",
        replace(manifest, version=number, weights_sha256=""),
        weights,
    )


def answers(home: Path) -> list[bytes]:
    """What every question is answered with, byte for byte."""
    found = [castline_here(home, *question, "--json") for question in QUESTIONS]
    assert [ended.returncode for ended in found] == [0] * len(QUESTIONS)
    return [ended.stdout.encode() for ended in found]


def in_use(home: Path) -> str:
    listed = json.loads(castline_here(home, "models", "list", "--json").stdout)
    [name] = [item["model"] for item in listed if item["is_default"]]
    return str(name)


def doctor_of_models(home: Path) -> Any:
    findings = json.loads(castline_here(home, "doctor", "--json").stdout)
    [found] = [item for item in findings if item["subject"] == "model"]
    return found


def promotions(home: Path, model: str) -> Any:
    return json.loads(castline_here(home, "models", "show", model, "--json").stdout)["promotions"]


def test_a_model_made_worse_on_one_label_is_refused_and_a_better_one_passes(
    trained: TrainedShapes, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    # 1 hardly ever says wedge; 2 is as it was trained; 3 never says wedge
    versions = [
        variant(trained.version, home, number, bias)
        for number, bias in (("1", -4.0), ("2", 0.0), ("3", -9.0))
    ]
    clip = write_clip(tmp_path / "pilot.mp4", seconds=8)
    with place_of(home) as place, Decoder() as decoder:
        for seconds, version in enumerate(versions):
            ended_run(place, decoder, clip, version, {"wedge": [(seconds, seconds + 2)]})
    dataset = ("--dataset", trained.dataset.folder)
    assert castline_here(home, "models", "promote", "shapes@1", "--force").returncode == 0

    better = castline_here(home, "models", "promote", "shapes@2", *dataset)
    assert better.returncode == 0, better.stderr
    assert in_use(home) == "shapes@2"
    before = answers(home)

    worse = castline_here(home, "models", "promote", "shapes@3", *dataset)
    assert worse.returncode == 1
    assert "not promoted" in one_line(worse.stderr)
    assert "wedge" in worse.stderr
    rows = [line.split() for line in worse.stdout.splitlines()]
    [row] = [row for row in rows if row[:2] == ["per_label_f1", "wedge"]]
    assert float(row[-3]) == 0.0, "it never says so"
    assert float(row[-2]) < -0.03
    assert (in_use(home), answers(home)) == ("shapes@2", before)

    forced = castline_here(home, "models", "promote", "shapes@3", *dataset, "--force")
    assert forced.returncode == 0, forced.stderr
    [kept] = promotions(home, "shapes@3")
    assert kept["is_forced"]
    assert any("F1 of wedge" in line for line in kept["regressions"])
    assert in_use(home) == "shapes@3"
    assert answers(home) != before

    assert castline_here(home, "models", "rollback").returncode == 0
    assert answers(home) == before
    assert in_use(home) == "shapes@2"
    assert promotions(home, "shapes@3")[0]["withdrawn_at"]
    [passed] = promotions(home, "shapes@2")
    assert (passed["is_forced"], passed["regressions"]) == (False, [])


@pytest.fixture
def scored(tmp_path: Path) -> Path:
    """A home where `old` is in use and is right about an episode; `new` misses birch in it."""
    home = tmp_path / "home"
    clip = write_clip(tmp_path / "pilot.mp4", seconds=12)
    found = {
        "old": {"apple": [(2, 8)], "birch": [(0, 4)]},
        "new": {"apple": [(2, 8)], "birch": [(0, 1)]},
    }
    with place_of(home) as place, Decoder() as decoder:
        for lot, (name, labels) in enumerate(found.items()):
            version = write_model_by_lot(place.settings.models_folder, name, lot=lot)
            ended_run(place, decoder, clip, version, labels)
    truth = [
        LabelledRange(label, Fraction(start), Fraction(end))
        for label, start, end in (("apple", 2, 8), ("birch", 0, 4))
    ]
    write_truth(tmp_path / "true.csv", truth)
    assert castline_here(home, "models", "promote", "old", "--force").returncode == 0
    return home


def test_scored_episodes_gate_a_promotion_too(scored: Path, tmp_path: Path) -> None:
    truth = tmp_path / "true.csv"
    refused = castline_here(scored, "models", "promote", "new", "--episodes", f"pilot={truth}")
    assert refused.returncode == 1
    assert "birch" in one_line(refused.stderr)
    [row] = [line.split() for line in refused.stdout.splitlines() if "birch" in line]
    # 2 of 8 samples found, none made up: F1 = 2 * 2 / (2 * 2 + 6)
    assert row[:5] == ["per_label_f1", "birch", "pilot.mp4", "1.000", "0.400"]
    assert in_use(scored) == "old@1"
    loose = ("--require", "per_label_f1 >= -0.7")
    passed = castline_here(
        scored, "models", "promote", "new", "--episodes", f"pilot={truth}", *loose
    )
    assert passed.returncode == 0, passed.stderr
    assert in_use(scored) == "new@1"
    assert doctor_of_models(scored)["text"].startswith("new@1, ")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("new",), "--force"),
        (("nobody",), "nobody: not found"),
        (("new", "--episodes", "pilot"), "EPISODE=TRUTH.csv"),
        (("new", "--episodes", "nowhere=x.csv"), "nowhere: no such episode"),
        (("new", "--episodes", "pilot=nowhere.csv"), "nowhere.csv: cannot be read"),
        (("new", "--dataset", "nowhere"), "nowhere"),
        (("new", "--force", "--require", "beauty"), "--require: 'beauty'"),
    ],
)
def test_what_cannot_be_measured_is_refused_in_one_line(
    arguments: tuple[str, ...], words: str, scored: Path
) -> None:
    ended = castline_here(scored, "models", "promote", *arguments)
    assert ended.returncode == 1
    assert words in one_line(ended.stderr)
    assert in_use(scored) == "old@1"


def test_a_model_without_a_run_over_the_episode_names_the_command_that_makes_it(
    scored: Path, tmp_path: Path
) -> None:
    write_model_by_lot(scored / "models", "third", lot=9)
    truth = tmp_path / "true.csv"
    ended = castline_here(scored, "models", "promote", "third", "--episodes", f"pilot={truth}")
    assert ended.returncode == 1
    assert "castline rerun --all" in one_line(ended.stderr)
    assert "--model third@1" in ended.stderr


def test_what_is_in_use_is_not_promoted_again_and_nothing_is_rolled_back_too_far(
    scored: Path,
) -> None:
    again = castline_here(scored, "models", "promote", "old", "--force")
    assert again.returncode == 0
    assert "in use already" in one_line(again.stderr)
    assert len(promotions(scored, "old")) == 1
    assert castline_here(scored, "models", "rollback").returncode == 0
    refused = castline_here(scored, "models", "rollback")
    assert refused.returncode == 1
    assert "no earlier promotion" in one_line(refused.stderr)


def test_another_model_takes_over_when_the_folder_of_the_one_in_use_is_gone(scored: Path) -> None:
    shutil.rmtree(scored / "models" / "old-1")
    assert not doctor_of_models(scored)["is_well"]
    planned = castline_here(scored, "rerun", "--all", "--dry-run")
    assert planned.returncode == 1
    assert "castline models promote MODEL --force" in one_line(planned.stderr)
    assert castline_here(scored, "models", "promote", "new", "--force").returncode == 0
    assert in_use(scored) == "new@1"
    assert doctor_of_models(scored)["text"].startswith("new@1, ")
    (scored / "models" / "new-1" / "weights.safetensors").write_bytes(b"cut off")
    found = doctor_of_models(scored)
    assert not found["is_well"]
    assert "not the weights that the manifest names" in found["text"]
