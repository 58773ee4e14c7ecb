"""What the steps count and log while they work."""

import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from db.states import ChunkState, Step
from ingest.decoder.parent import Decoder
from model.inference.classifier import Classifier, Prediction
from tests.servers.commands import BY_LOT, castline_here, new_home
from tests.video.clips import FRAME_RATE, write_clip
from worker.installation import open_installation
from worker.settings import Settings
from worker.steps.claims import claim_step
from worker.steps.classify_step import classify_step
from worker.steps.extract_step import extract_step
from worker.telemetry.metrics import FillsBatches, Metrics

pytestmark = pytest.mark.integration

ME = "another-machine/1/1.0"


class Recorder(Metrics):
    """Metrics that a test can read."""

    def __init__(self) -> None:
        self.counted: Counter[str] = Counter()

    def count_attempts(self, step: Step, chunks: int) -> None:
        self.counted[step] += chunks

    def count_decoded(self, frames: int) -> None:
        self.counted["decoded"] += frames

    def count_classified(self, frames: int, classifier: FillsBatches) -> None:
        self.counted["classified"] += frames


class OneLabel(Classifier):
    """Sees one label everywhere."""

    frames_per_batch = 16

    def batch_fill(self, _frames: int) -> float:
        return 1.0

    def __init__(self) -> None:
        """Needs no model."""

    def classify(self, frames: Sequence[NDArray[np.uint8]]) -> list[tuple[Prediction, ...]]:
        return [(Prediction("cedar", "full", 0.9),) for _ in frames]


def test_steps_count_their_work_and_log_it_with_its_ids(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clip = write_clip(tmp_path / "pilot.mp4", seconds=6)
    home = new_home(tmp_path / "home")
    assert castline_here(home, "enqueue", clip, *BY_LOT).returncode == 0
    recorder = Recorder()
    with (
        open_installation(Settings.from_environment(home, {})) as installation,
        Decoder() as decoder,
        caplog.at_level(logging.INFO, "worker"),
    ):
        vars(installation)["metrics"] = recorder  # in place of what the settings ask for
        [claim] = claim_step(installation, ChunkState.QUEUED, ME, None)
        extract_step(installation, claim, decoder, lambda _: None)
        for stored in installation.settings.frames_folder.rglob("*.zip"):
            stored.write_bytes(b"no frames")
        classify_step(
            installation,
            claim_step(installation, ChunkState.EXTRACTED, ME, None),
            lambda _: OneLabel(),
        )
        [claim] = claim_step(installation, ChunkState.QUEUED, ME, None)
        extract_step(installation, claim, decoder, lambda _: None)
        classify_step(
            installation,
            claim_step(installation, ChunkState.EXTRACTED, ME, None),
            lambda _: OneLabel(),
        )

    assert recorder.counted["extract"] == recorder.counted["classify"] == 2
    assert recorder.counted["classified"] == 12
    # Frames that nobody needs are not decoded, so fewer than all of both attempts.
    assert 2 * 12 <= recorder.counted["decoded"] <= 2 * 6 * FRAME_RATE
    lines = [record for record in caplog.records if record.name.startswith("worker.")]
    said = ["extracted", "failed", "extracted", "tagged"]
    assert [record.getMessage() for record in lines] == said
    assert {(vars(line)["run"], vars(line)["chunk"]) for line in lines} == {(1, 1)}
    assert "damaged frames" in vars(lines[1])["error"]
    assert vars(lines[1])["outcome"] == "offered"
