"""Thresholds of single labels, from a model version's manifest to what queries answer."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from db.library.runs import list_runs, run_tags
from ingest.decoder.parent import Decoder
from model.inference.classifier import Classifier, Prediction
from tests.rows.claiming import claim
from tests.servers.commands import castline_here
from tests.stills.models import write_model_by_lot
from tests.video.clips import write_clip
from worker.installation import open_installation
from worker.settings import Settings
from worker.steps.classify_step import classify_step
from worker.steps.extract_step import extract_step

pytestmark = pytest.mark.integration

CLIP_SECONDS = 6


class TwoLabels(Classifier):
    """A classifier that sees the same two labels in every frame, equally sure of both."""

    frames_per_batch = 16

    def batch_fill(self, _frames: int) -> float:
        return 1.0

    def __init__(self) -> None:
        pass

    def classify(self, frames: Sequence[NDArray[np.uint8]]) -> list[tuple[Prediction, ...]]:
        return [
            (Prediction("birch", "full", 0.6), Prediction("cedar", "left", 0.6)) for _ in frames
        ]


def test_a_label_with_a_higher_onset_of_its_own_does_not_appear_where_others_do(
    tmp_path: Path,
) -> None:
    clip = write_clip(tmp_path / "pilot.mp4", seconds=CLIP_SECONDS)
    home = tmp_path / "home"
    # all labels start at 0.4, but birch at 0.7 only
    write_model_by_lot(home / "models", "strict", label_thresholds={"birch": (0.7, 0.5)})
    assert castline_here(home, "enqueue", clip, "--model", "strict").returncode == 0

    with open_installation(Settings.from_environment(home, {})) as installation:
        with Decoder() as decoder:
            extract_step(installation, claim(installation, "queued"), decoder, lambda _: None)
        classify_step(installation, [claim(installation, "extracted")], lambda _: TwoLabels())
        with installation.database.read() as connection:
            [run] = list_runs(connection)
            tagged = {tag.label for tag in run_tags(connection, run.id)}

    assert run.state == "done"
    assert tagged == {"birch", "cedar"}  # tags are kept, so that thresholds can change later
    answer = json.loads(castline_here(home, "who", "pilot", "--json").stdout)
    assert [(item["label"], item["start_seconds"], item["end_seconds"]) for item in answer] == [
        ("cedar", 0, CLIP_SECONDS)
    ]
