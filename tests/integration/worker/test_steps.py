"""Steps that meet trouble: a lease that ended, a model that is gone, frames that cannot be kept."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from db.library.episodes import get_episode
from db.library.runs import get_run, list_runs, quarantined_chunks, run_tags
from db.queue.claims import FAILURES_BEFORE_QUARANTINE, claim_chunks
from db.records import Claim
from db.states import ChunkState
from exact.place import Place
from ingest.decoder.parent import Decoder
from ingest.errors import FrameStoreError
from ingest.frames.extract_request import Extracted, Extraction
from ingest.progress import Report
from model.errors import ModelError
from model.inference.classifier import Classifier, Prediction
from tests.rows.claiming import ELSEWHERE, claim
from tests.servers.commands import BY_LOT, castline_here, new_home
from tests.stills.models import write_model_by_lot
from tests.video.clips import write_clip
from worker.errors import WorkerError
from worker.installation import Installation, open_installation
from worker.settings import Settings
from worker.steps.claims import claim_step, sweep
from worker.steps.classify_step import classify_step
from worker.steps.extract_step import extract_step

pytestmark = [pytest.mark.integration, pytest.mark.fault]

"""A worker of which nobody here can know whether it runs: only its lease counts."""


class InterruptedDecoder(Decoder):
    """A decoder during whose work something happens."""

    def __init__(self, happens: Callable[[], None]) -> None:
        super().__init__()
        self._happens = happens

    def extract(self, request: Extraction, on_progress: Report | None = None) -> Extracted:
        extracted = super().extract(request, on_progress)
        self._happens()
        return extracted


class OneLabel(Classifier):
    """A classifier that sees one label everywhere, and during whose work something happens."""

    frames_per_batch = 1

    def batch_fill(self, _frames: int) -> float:
        return 1.0

    def __init__(self, label: str, happens: Callable[[], None] = lambda: None) -> None:
        self._label = label
        self._happens = happens

    def classify(self, frames: Sequence[NDArray[np.uint8]]) -> list[tuple[Prediction, ...]]:
        self._happens()
        return [(Prediction(self._label, "full", 0.9),) for _ in frames]


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    """A home with one chunk in its queue."""
    clip = write_clip(tmp_path / "pilot.mp4", seconds=6)
    home = new_home(tmp_path / "home")
    assert castline_here(home, "enqueue", clip, *BY_LOT).returncode == 0
    with open_installation(Settings.from_environment(home, {})) as installation:
        yield installation


def extract_whole(installation: Installation) -> None:
    with Decoder() as decoder:
        extract_step(installation, claim(installation, "queued", 60), decoder, lambda _: None)


def test_a_late_extraction_is_refused(installation: Installation) -> None:
    def others_do_it() -> None:
        assert sweep(installation) == 1
        extract_whole(installation)
        with installation.database.write() as connection:
            [taken] = claim_chunks(connection, ChunkState.EXTRACTED, ELSEWHERE, 60)
        taken_by_others.append(taken)

    taken_by_others: list[Claim] = []
    late = claim(installation, "queued", lease_seconds=0)
    with InterruptedDecoder(others_do_it) as decoder:
        extract_step(installation, late, decoder, lambda _: None)
    # The claim of the others is as it was: they can go on with it.
    classify_step(installation, taken_by_others, lambda _: OneLabel("cedar"))
    with installation.database.read() as connection:
        assert get_run(connection, late.run_id).state == "done"


def test_late_tags_are_refused(installation: Installation) -> None:
    def others_do_it() -> None:
        assert sweep(installation) == 1
        classify_step(
            installation, [claim(installation, "extracted", 60)], lambda _: OneLabel("cedar")
        )

    extract_whole(installation)
    late = claim(installation, "extracted", lease_seconds=0)
    classify_step(installation, [late], lambda _: OneLabel("birch", others_do_it))
    with installation.database.read() as connection:
        run = get_run(connection, late.run_id)
        tags = run_tags(connection, late.run_id)
    assert {tag.label for tag in tags} == {"cedar"}
    assert len(tags) == run.frames == 6 / Fraction(1, 2)
    assert (run.state, run.chunks_done, run.chunks_total) == ("done", 1, 1)


def test_a_renewed_lease_is_not_taken_away(installation: Installation) -> None:
    def long_work() -> None:
        taken_away.append(sweep(installation))

    taken_away: list[int] = []
    mine = claim(installation, "queued", lease_seconds=60)
    with InterruptedDecoder(long_work) as decoder:
        extract_step(installation, mine, decoder, lambda _: None)
    assert taken_away == [0]
    assert claim(installation, "extracted", 60).attempts == 1


def test_a_model_that_cannot_be_loaded_costs_its_chunks_nothing(installation: Installation) -> None:
    def load(_sha256: str) -> Classifier:
        raise ModelError("no such model; bring it back")

    extract_whole(installation)
    with pytest.raises(ModelError, match="bring it back"):
        classify_step(installation, [claim(installation, "extracted", 60)], load)
    again = claim(installation, "extracted", 60)
    assert (again.attempts, again.losses) == (1, 0)


def test_a_frame_store_that_cannot_be_written_costs_its_chunks_nothing(
    installation: Installation,
) -> None:
    installation.settings.frames_folder.write_text("a file where the folder should be")
    with pytest.raises(FrameStoreError, match="frames"):
        extract_whole(installation)
    assert claim(installation, "queued", 60).attempts == 1


def test_an_episode_whose_folder_is_gone_costs_its_chunks_nothing(
    installation: Installation, tmp_path: Path
) -> None:
    with installation.database.write() as connection:
        connection.exec_driver_sql("UPDATE episode SET uri = '/unmounted/share/pilot.mp4'")
    with pytest.raises(WorkerError, match="/unmounted/share: this folder is gone"):
        extract_whole(installation)
    assert claim(installation, "queued", 60).attempts == 1


def test_frames_that_can_never_be_read_back_end_in_quarantine(installation: Installation) -> None:
    rounds = 0
    with Decoder() as decoder:
        while claims := claim_step(installation, ChunkState.QUEUED, ELSEWHERE, None):
            extract_step(installation, claims[0], decoder, lambda _: None)
            for stored in installation.settings.frames_folder.rglob("*.zip"):
                stored.write_bytes(b"no frames")
            extracted = claim_step(installation, ChunkState.EXTRACTED, ELSEWHERE, None)
            classify_step(installation, extracted, lambda _: OneLabel("cedar"))
            rounds += 1
            assert rounds < 50, "it goes round for ever"
    with installation.database.read() as connection:
        [run] = list_runs(connection)
        quarantined = quarantined_chunks(connection, [run.id])
    assert run.state == "failed"
    assert {item.attempts for item in quarantined} == {FAILURES_BEFORE_QUARANTINE}
    assert all("damaged frames" in item.error for item in quarantined)


def test_a_second_model_reads_the_frames_that_the_first_one_left(
    installation: Installation, tmp_path: Path
) -> None:
    def decodes_again() -> None:
        pytest.fail("the episode was decoded again")

    extract_whole(installation)
    write_model_by_lot(installation.settings.models_folder, "other")
    clip = tmp_path / "pilot.mp4"
    assert (
        castline_here(installation.settings.home, "enqueue", clip, "--model", "other").returncode
        == 0
    )
    with InterruptedDecoder(decodes_again) as decoder:
        extract_step(installation, claim(installation, "queued", 60), decoder, lambda _: None)
    with installation.database.write() as connection:
        both = claim_chunks(connection, ChunkState.EXTRACTED, ELSEWHERE, 60, limit=2)
    classify_step(installation, both, lambda _: OneLabel("cedar"))
    with installation.database.read() as connection:
        assert [(run.state, run.frames) for run in list_runs(connection)] == [("done", 12)] * 2


def test_more_frames_than_fit_in_memory_are_classified_in_parts(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.steps.classify_step.FRAMES_AT_ONCE", 5)
    sizes: list[int] = []

    class Counting(OneLabel):
        def classify(self, frames: Sequence[NDArray[np.uint8]]) -> list[tuple[Prediction, ...]]:
            sizes.append(len(frames))
            return super().classify(frames)

    extract_whole(installation)
    mine = claim(installation, "extracted", 60)
    classify_step(installation, [mine], lambda _: Counting("cedar"))
    with installation.database.read() as connection:
        assert len(run_tags(connection, mine.run_id)) == 12
    assert sizes == [5, 5, 2]


def test_where_a_label_was_seen_is_kept_to_four_decimals(installation: Installation) -> None:
    class Placing(OneLabel):
        def classify(self, frames: Sequence[NDArray[np.uint8]]) -> list[tuple[Prediction, ...]]:
            seen = Prediction("cedar", "full", 0.9, Place(1 / 3, 0.5, 0.0624996, 2 / 3))
            return [(seen, Prediction("birch", "full", 0.4)) for _ in frames]

    extract_whole(installation)
    mine = claim(installation, "extracted", 60)
    classify_step(installation, [mine], lambda _: Placing("cedar"))
    with installation.database.read() as connection:
        tags = run_tags(connection, mine.run_id)
    assert {(tag.label, tag.place) for tag in tags} == {
        ("cedar", Place(0.3333, 0.5, 0.0625, 0.6667)),
        ("birch", None),
    }


def test_a_copy_that_is_enqueued_leaves_the_episode_where_it_was(
    installation: Installation, tmp_path: Path
) -> None:
    original, copy = tmp_path / "pilot.mp4", tmp_path / "copy.mp4"
    shutil.copy2(original, copy)
    assert castline_here(installation.settings.home, "enqueue", copy, *BY_LOT).returncode == 0
    copy.unlink()
    extract_whole(installation)
    moved = original.rename(tmp_path / "moved.mp4")
    assert castline_here(installation.settings.home, "enqueue", moved, *BY_LOT).returncode == 0
    with installation.database.read() as connection:
        assert get_episode(connection, 1).uri == str(moved)
