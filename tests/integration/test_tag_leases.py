"""Work that outlasts its lease: others have done it meanwhile, and the late write is refused."""

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from db.queue import claim_chunks
from db.records import Claim
from db.runs import get_run, run_tags
from ingest.decoder import Decoder
from ingest.extraction import Extracted, Extraction
from ingest.progress import Report
from model.classifier import Classifier, Prediction
from tests.clips import write_clip
from tests.commands import BY_LOT, castline_here, new_home
from worker.settings import Settings
from worker.steps import classify_step, extract_step, sweep
from worker.workplace import Workplace, open_workplace

pytestmark = [pytest.mark.integration, pytest.mark.fault]

ELSEWHERE = "another-machine/1/1.0"
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

    def __init__(self, label: str, happens: Callable[[], None] = lambda: None) -> None:
        self._label = label
        self._happens = happens

    def classify(self, frames: Sequence[NDArray[np.uint8]]) -> list[tuple[Prediction, ...]]:
        self._happens()
        return [(Prediction(self._label, "full", 0.9),) for _ in frames]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Workplace]:
    """A home with one chunk in its queue."""
    clip = write_clip(tmp_path / "pilot.mp4", seconds=6)
    home = new_home(tmp_path / "home")
    assert castline_here(home, "enqueue", clip, *BY_LOT).returncode == 0
    with open_workplace(Settings.from_environment(home, {})) as place:
        yield place


def claim(place: Workplace, state: str, lease_seconds: float) -> Claim:
    with place.database.write() as connection:
        [found] = claim_chunks(connection, state, ELSEWHERE, lease_seconds)
    return found


def extract_whole(place: Workplace) -> None:
    with Decoder() as decoder:
        extract_step(place, claim(place, "queued", 60), decoder, lambda _: None)


def test_a_late_extraction_is_refused(place: Workplace) -> None:
    def others_do_it() -> None:
        assert sweep(place.database) == 1
        extract_whole(place)
        with place.database.write() as connection:
            [taken] = claim_chunks(connection, "extracted", ELSEWHERE, 60)
        taken_by_others.append(taken)

    taken_by_others: list[Claim] = []
    late = claim(place, "queued", lease_seconds=0)
    with InterruptedDecoder(others_do_it) as decoder:
        extract_step(place, late, decoder, lambda _: None)
    # The claim of the others is as it was: they can go on with it.
    classify_step(place, taken_by_others, lambda _: OneLabel("cedar"))
    with place.database.read() as connection:
        assert get_run(connection, late.run_id).state == "done"


def test_late_tags_are_refused(place: Workplace) -> None:
    def others_do_it() -> None:
        assert sweep(place.database) == 1
        classify_step(place, [claim(place, "extracted", 60)], lambda _: OneLabel("cedar"))

    extract_whole(place)
    late = claim(place, "extracted", lease_seconds=0)
    classify_step(place, [late], lambda _: OneLabel("birch", others_do_it))
    with place.database.read() as connection:
        run = get_run(connection, late.run_id)
        tags = run_tags(connection, late.run_id)
    assert {tag.label for tag in tags} == {"cedar"}
    assert len(tags) == run.frames == 6 / Fraction(1, 2)
    assert (run.state, run.chunks_done, run.chunks_total) == ("done", 1, 1)


def test_a_renewed_lease_is_not_taken_away(place: Workplace) -> None:
    def long_work() -> None:
        taken_away.append(sweep(place.database))

    taken_away: list[int] = []
    mine = claim(place, "queued", lease_seconds=60)
    with InterruptedDecoder(long_work) as decoder:
        extract_step(place, mine, decoder, lambda _: None)
    assert taken_away == [0]
    assert claim(place, "extracted", 60).attempts == 1
