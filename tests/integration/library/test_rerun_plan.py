"""What is missing, stale or all, and which frames a run again finds in the store. No network."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest
from sqlalchemy import update

from castline.tagging.enqueue import enqueue_episode, model_record
from castline.tagging.rerun_plan import Rerun, Which, enqueue_rerun, plan_reruns
from db.changes.writes import create_run, register_episode, register_model_version
from db.engine import Database
from db.library.all_runs import chunk_ranges
from db.library.runs import get_run
from db.queue.claims import claim_chunks
from db.queue.completing import complete_extractions
from db.records import ExtractedChunk, ModelVersionRecord
from db.schema import chunk, run
from db.states import ChunkState
from db.upgrade import upgrade_database
from ingest.decoder.parent import Decoder
from model.version.artifact import ModelVersion
from tests.rows.records import CHUNKS, PARAMS, end_run, episode_named, made_episode, made_model
from tests.stills.models import write_model_by_lot
from tests.video.clips import write_clip
from worker.installation import Installation
from worker.parameters import RunParameters
from worker.settings import Settings, sqlite_url
from worker.steps.claims import claim_step
from worker.steps.extract_step import extract_step

pytestmark = pytest.mark.integration

OTHER = made_model()


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    database = Database(sqlite_url(tmp_path))
    upgrade_database(database)
    yield Installation(Settings(tmp_path, sqlite_url(tmp_path)), database)
    database.dispose()


@pytest.fixture
def wanted(tmp_path: Path) -> ModelVersion:
    return write_model_by_lot(tmp_path / "models")


def add_run(
    installation: Installation,
    name: str,
    model: ModelVersionRecord,
    params: str,
    state: str = "done",
) -> int:
    """A run over an episode of this name that ended so and found nobody; returns its id."""
    with installation.database.write() as connection:
        run_id, _ = create_run(
            connection,
            episode_id=register_episode(connection, episode_named(name)),
            model_version_id=register_model_version(connection, model),
            params=params,
            params_hash=hashlib.sha256(params.encode()).hexdigest(),
            chunks=CHUNKS,
            missing=(),
        )
    if state != "queued":
        end_run(
            installation.database,
            run_id,
            state=state,
            error=None if state == "done" else "it broke",
        )
    return run_id


@pytest.fixture
def library(installation: Installation, wanted: ModelVersion) -> Installation:
    """An episode for each thing that may be the matter."""
    model, params = model_record(wanted), RunParameters.for_model(wanted.manifest).to_json()
    other_params = RunParameters.for_model(wanted.manifest, Fraction(1, 5)).to_json()
    add_run(installation, "found nobody", model, params)
    add_run(installation, "other parameters", model, other_params)
    add_run(installation, "older model", OTHER, PARAMS)
    add_run(installation, "failed", model, params, "failed")
    add_run(installation, "half", model, params, "partial")
    add_run(installation, "queued", model, params, "queued")
    with installation.database.write() as connection:
        register_episode(connection, made_episode("9" * 64, "never run"))
    return installation


def planned(installation: Installation, version: ModelVersion, which: Which) -> dict[str, str]:
    return {item.episode.name: item.reason for item in plan_reruns(installation, version, which)}


def test_missing_is_what_no_run_has_done_and_never_what_found_nobody(
    library: Installation, wanted: ModelVersion
) -> None:
    assert planned(library, wanted, "missing") == {
        "failed": "failed: it broke",
        "half": "partial: it broke",
        "never run": "never run",
        "queued": "queued",
    }


def test_stale_is_what_another_model_or_other_parameters_show(
    library: Installation, wanted: ModelVersion
) -> None:
    assert planned(library, wanted, "stale") == {
        "older model": "by cast@1",
        "other parameters": "other parameters",
    }


def test_all_is_every_episode_and_what_is_done_is_told(
    library: Installation, wanted: ModelVersion
) -> None:
    found = plan_reruns(library, wanted, "all")
    assert len(found) == 7
    assert [item.episode.name for item in found if item.is_done] == ["found nobody"]


def test_episodes_are_chosen_by_name_and_by_the_day_they_were_added(
    library: Installation, wanted: ModelVersion
) -> None:
    [one] = [item.episode.id for item in plan_reruns(library, wanted, "all")][:1]
    assert len(plan_reruns(library, wanted, "all", {one})) == 1
    now = datetime.now(UTC)
    assert len(plan_reruns(library, wanted, "all", since=now - timedelta(days=1))) == 7
    assert plan_reruns(library, wanted, "all", since=now + timedelta(days=1)) == []


def test_a_plan_changes_nothing_and_a_run_is_made_once(
    library: Installation, wanted: ModelVersion
) -> None:
    def runs() -> int:
        with library.database.read() as connection:
            return int(connection.exec_driver_sql("SELECT count(*) FROM run").scalar_one())

    before = runs()
    [item] = [each for each in plan_reruns(library, wanted, "stale") if each.reason == "by cast@1"]
    assert runs() == before
    made = [enqueue_rerun(library, item, wanted) for _ in range(2)]
    assert runs() == before + 1
    assert made[0].id == made[1].id
    assert made[0].is_open


def test_what_failed_is_offered_again(library: Installation, wanted: ModelVersion) -> None:
    [item] = [
        each for each in plan_reruns(library, wanted, "missing") if each.episode.name == "failed"
    ]
    assert enqueue_rerun(library, item, wanted).state == "queued"


def test_the_chunks_are_those_of_the_run_that_stored_the_frames(
    library: Installation, wanted: ModelVersion
) -> None:
    # chunks of another length than this installation would plan now
    installation = Installation(replace(library.settings, chunk_seconds=10), library.database)
    found = {item.episode.name: item for item in plan_reruns(installation, wanted, "all")}
    assert found["older model"].chunks == CHUNKS
    # frames at five a second are no use for two a second
    assert found["other parameters"].chunks != CHUNKS
    assert not found["older model"].is_stored


def test_chunks_that_failed_too_often_are_left_to_classify(
    installation: Installation, wanted: ModelVersion
) -> None:
    parameters = RunParameters.for_model(wanted.manifest)
    run_id = add_run(installation, "half", model_record(wanted), parameters.to_json(), "partial")
    with installation.database.write() as connection:
        connection.execute(update(chunk).values(state="quarantined"))
        connection.execute(update(chunk).where(chunk.c.number == 0).values(state="tagged"))
        connection.execute(update(run).values(chunks_done=len(CHUNKS)))
    [item] = plan_reruns(installation, wanted, "missing")
    assert item.run is not None
    assert item.run.id == run_id
    frames = item.episode.duration_seconds / parameters.every_seconds
    assert item.frames == pytest.approx(float(frames) * (1 - 1 / len(CHUNKS)))


@pytest.fixture
def extracted(installation: Installation, tmp_path: Path) -> Path:
    """A real episode of five chunks whose frames another model's run has stored."""
    clip = write_clip(tmp_path / "pilot.mp4", seconds=20)
    first = write_model_by_lot(tmp_path / "models", "first")
    with Decoder() as decoder:
        enqueue_episode(
            clip,
            database=installation.database,
            decoder=decoder,
            version=first,
            parameters=RunParameters.for_model(first.manifest),
            chunk_seconds=4,
        )
        extract_all(installation, decoder)
    return clip


def extract_all(installation: Installation, decoder: Decoder) -> None:
    while claims := claim_step(installation, ChunkState.QUEUED, "w/1/1.0", None):
        extract_step(installation, claims[0], decoder, lambda _frames: None)


def rerun_of(installation: Installation, version: ModelVersion) -> Rerun:
    [item] = plan_reruns(installation, version, "all")
    return item


def test_a_run_again_decodes_nothing_and_needs_no_episode_file(
    installation: Installation, wanted: ModelVersion, extracted: Path
) -> None:
    extracted.unlink()
    item = rerun_of(installation, wanted)
    assert item.is_stored
    run = enqueue_rerun(installation, item, wanted)
    with Decoder() as decoder:
        extract_all(installation, decoder)
        assert decoder.pid is None, "no decoder was ever started"
    with installation.database.read() as connection:
        assert get_run(connection, run.id).frames_decoded == 0
        assert get_run(connection, 1).frames_decoded > 0
        assert len(chunk_ranges(connection, run.id)) == 5


def test_a_missing_store_is_extracted_again_by_itself(
    installation: Installation, wanted: ModelVersion, extracted: Path
) -> None:
    stored = sorted(installation.settings.frames_folder.rglob("*.zip"))
    lost = stored[2]
    content = lost.read_bytes()
    lost.unlink()
    item = rerun_of(installation, wanted)
    assert not item.is_stored
    run = enqueue_rerun(installation, item, wanted)
    with Decoder() as decoder:
        extract_all(installation, decoder)
    assert lost.read_bytes() == content
    with installation.database.read() as connection:
        frames = [get_run(connection, key).frames_decoded for key in (1, run.id)]
    assert 0 < frames[1] < frames[0], "only what was lost"


def test_a_chunk_says_whether_its_frames_were_decoded(installation: Installation) -> None:
    add_run(installation, "one", OTHER, PARAMS, "queued")
    for is_reused in (True, False):
        with installation.database.write() as connection:
            [claim] = claim_chunks(connection, ChunkState.QUEUED, "w/1/1.0", 60)
            complete_extractions(connection, {claim: ExtractedChunk((0,), 100, 0, (), is_reused)})
    with installation.database.read() as connection:
        assert get_run(connection, 1).frames_decoded == 100
