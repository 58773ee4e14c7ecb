"""Frames and episodes on an S3 server: as good as local ones, checked, kept within a limit."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from castline.tagging.rerun_plan import plan_reruns
from castline.tagging.sources import enqueue_source
from db.library.runs import list_runs
from db.queue.claims import claim_chunks
from db.records import Claim, RunRecord
from db.states import ChunkState
from ingest.decoder.parent import Decoder
from ingest.errors import IngestError, StorageFullError, StorageUnreachable, VideoError
from ingest.storage.frame_store import read_frames
from ingest.storage.remote_files import RemoteFiles
from model.version.artifact import find_model
from tests.rows.claiming import ELSEWHERE, claim
from tests.servers.commands import BY_LOT, castline_here, new_home, one_line
from tests.servers.object_storage import BUCKET, ObjectStorage
from tests.video.clips import write_clip
from worker.installation import Installation, open_installation
from worker.parameters import RunParameters
from worker.settings import Settings
from worker.steps.classify_step import classify_step
from worker.steps.extract_step import extract_step
from worker.storage import tidy_storage

pytestmark = [pytest.mark.integration, pytest.mark.fault]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clip") / "pilot.mp4", seconds=12)


@pytest.fixture
def prefix(storage: ObjectStorage, request: pytest.FixtureRequest) -> Iterator[str]:
    """A prefix of this test's own."""
    name = request.node.name[:40]
    yield name
    for key in storage.keys(name):
        storage.client.delete_object(Bucket=BUCKET, Key=key)


def environment(home: Path, frames_url: str) -> dict[str, str]:
    return {
        "CASTLINE_HOME": str(home),
        "CASTLINE_FRAMES_URL": frames_url,
        "CASTLINE_CHUNK_SECONDS": "4",
    }


class NoClassifier:
    """Says nothing of any frame, and how many it saw."""

    frames_per_batch = 16

    def batch_fill(self, _frames: int) -> float:
        return 1.0

    def __init__(self) -> None:
        self.frames = 0

    def classify(self, frames: list[object]) -> list[tuple[()]]:
        self.frames += len(frames)
        return [() for _ in frames]


def test_an_episode_and_its_frames_on_s3_are_worked_on_like_local_ones(
    storage: ObjectStorage, prefix: str, clip: Path, tmp_path: Path
) -> None:
    home = new_home(tmp_path / "home")
    season, frames = f"s3://{BUCKET}/{prefix}/season-1", f"s3://{BUCKET}/{prefix}/frames"
    for name in ("pilot.mp4", "notes.txt"):
        storage.put(clip, f"{prefix}/season-1/{name}")
    enqueued = castline_here(home, "enqueue", season, *BY_LOT)
    assert enqueued.returncode == 0, enqueued.stderr
    assert "1 new, 0 known, 0 refused" in enqueued.stderr
    settings = replace(Settings.from_environment(home, {}), frames_url=frames)
    with open_installation(settings) as installation, Decoder() as decoder:
        extract_step(installation, claim(installation, "queued"), decoder, lambda _: None)
        classify_step(installation, [claim(installation, "extracted")], lambda _: NoClassifier())  # type: ignore[arg-type,return-value]
        [run] = runs_of(installation)
    assert (run.state, run.frames) == ("done", 24)

    [episode] = json.loads(castline_here(home, "episodes", "--json").stdout)
    assert episode["path"] == f"{season}/pilot.mp4"
    local = new_home(tmp_path / "local")
    assert castline_here(local, "enqueue", clip, *BY_LOT).returncode == 0
    with (
        open_installation(Settings.from_environment(local, {})) as installation,
        Decoder() as decoder,
    ):
        extract_step(installation, claim(installation, "queued"), decoder, lambda _: None)
    ours = {path.name: path.read_bytes() for path in (local / "frames").rglob("*.zip")}
    keys = storage.keys(f"{prefix}/frames/")
    assert {key.rpartition("/")[2]: storage.content(key) for key in keys} == ours
    assert len(keys) == 1


@pytest.fixture
def machines(
    storage: ObjectStorage, prefix: str, clip: Path, tmp_path: Path
) -> Iterator[tuple[Installation, Installation]]:
    """Two machines with one database and one frame store; an episode of 3 chunks is enqueued."""
    url = storage.put(clip, f"{prefix}/pilot.mp4")
    frames = f"s3://{BUCKET}/{prefix}/frames"
    one = Settings.from_environment(None, environment(tmp_path / "one", frames))
    two = replace(
        Settings.from_environment(None, environment(tmp_path / "two", frames)),
        database_url=one.database_url,
    )
    with open_installation(one) as first, open_installation(two) as second:
        version = find_model(None, [])
        with Decoder() as decoder:
            enqueue_source(first, url, decoder, version, RunParameters.for_model(version.manifest))
        yield first, second


def test_one_machine_extracts_and_another_classifies(
    machines: tuple[Installation, Installation],
) -> None:
    one, two = machines
    with Decoder() as decoder:
        extract_step(one, claim(one, "queued"), decoder, lambda _: None)
    classifier = NoClassifier()
    classify_step(two, [claim(two, "extracted")], lambda _: classifier)  # type: ignore[arg-type,return-value]
    assert classifier.frames == 8
    with two.database.read() as connection:
        [run] = list_runs(connection)
    assert (run.chunks_done, run.chunks_total) == (1, 3)


def test_a_bad_copy_in_a_cache_is_dropped_and_the_chunk_extracted_again(
    machines: tuple[Installation, Installation],
) -> None:
    one, _ = machines
    with Decoder() as decoder:
        extract_step(one, claim(one, "queued"), decoder, lambda _: None)
        [copy] = one.settings.frames_folder.rglob("*.zip")
        copy.write_bytes(b"no frames")
        again = claim(one, "extracted")
        classify_step(one, [again], lambda _: NoClassifier())  # type: ignore[arg-type,return-value]
        assert not copy.exists()
        extract_step(one, claim(one, "queued"), decoder, lambda _: None)
    assert len(list(read_frames(copy))) == 8


def test_an_episode_that_was_replaced_on_the_storage_is_refused(
    machines: tuple[Installation, Installation], storage: ObjectStorage, prefix: str, tmp_path: Path
) -> None:
    _, two = machines
    storage.put(write_clip(tmp_path / "other.mp4", seconds=12, seed=2), f"{prefix}/pilot.mp4")
    with Decoder() as decoder:
        extract_step(two, claim(two, "queued"), decoder, lambda _: None)
    with two.database.read() as connection:
        row = connection.exec_driver_sql("SELECT state, attempts, error FROM chunk WHERE id = 1")
        state, attempts, error = row.one()
    assert (state, attempts) == ("queued", 1)
    assert "was changed since it was added; enqueue it again" in error
    assert error.startswith(f"s3://{BUCKET}/{prefix}/pilot.mp4: ")
    assert not whole_files(two.settings.cache_folder)


def test_an_episode_is_fetched_once_and_its_copy_is_what_was_enqueued(
    machines: tuple[Installation, Installation], storage: ObjectStorage, prefix: str, clip: Path
) -> None:
    _, two = machines
    with Decoder() as decoder:
        extract_step(two, claim(two, "queued"), decoder, lambda _: None)
        storage.client.delete_object(Bucket=BUCKET, Key=f"{prefix}/pilot.mp4")
        extract_step(two, claim(two, "queued"), decoder, lambda _: None)
    copies = whole_files(two.settings.episodes_folder)
    assert [path.read_bytes() for path in copies] == [clip.read_bytes()]
    with two.database.read() as connection:
        states = connection.exec_driver_sql("SELECT state FROM chunk ORDER BY start_pts")
        assert [state for (state,) in states] == ["extracted", "extracted", "queued"]


def test_what_is_in_use_stays_however_small_the_limit(
    machines: tuple[Installation, Installation],
    storage: ObjectStorage,
    prefix: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ingest.storage.kept_files.RECENT_SECONDS", -10.0)
    one, _ = machines
    settings = replace(one.settings, frames_limit_bytes=1, cache_limit_bytes=1)
    with Decoder() as decoder, open_installation(settings) as installation:
        for _ in range(2):
            extract_step(installation, claim(installation, "queued"), decoder, lambda _: None)
        claimed = claim(installation, "queued")  # and its episode is being decoded
        episode = installation.episode_cache.path_for(storage_sha256(installation))
        tidy_storage(installation)
        assert len(storage.keys(f"{prefix}/frames/")) == 2
        assert episode.exists()

        classify_step(installation, [claim(installation, "extracted")], lambda _: NoClassifier())  # type: ignore[arg-type,return-value]
        extract_step(installation, claimed, decoder, lambda _: None)
        tidy_storage(installation)
        left = storage.keys(f"{prefix}/frames/")
        assert len(left) == 2, "the tagged chunk's frames went, those that wait stayed"
        assert not episode.exists()

        while waiting := claims_of(installation):
            classify_step(installation, waiting, lambda _: NoClassifier())  # type: ignore[arg-type,return-value]
        tidy_storage(installation)
        assert storage.keys(f"{prefix}/frames/") == []
        [run] = runs_of(installation)
    assert (run.state, run.frames) == ("done", 24)


def whole_files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and path.stat().st_size]


def storage_sha256(installation: Installation) -> str:
    with installation.database.read() as connection:
        return str(connection.exec_driver_sql("SELECT sha256 FROM episode").scalar_one())


def claims_of(installation: Installation) -> list[Claim]:
    with installation.database.write() as connection:
        return claim_chunks(connection, ChunkState.EXTRACTED, ELSEWHERE, 60, limit=4)


def test_what_another_machine_extracted_is_planned_as_stored(
    machines: tuple[Installation, Installation],
) -> None:
    one, two = machines
    version = find_model(None, [])
    assert [item.is_stored for item in plan_reruns(two, version, "all")] == [False]
    with Decoder() as decoder:
        for _ in range(3):
            extract_step(one, claim(one, "queued"), decoder, lambda _: None)
    assert [item.is_stored for item in plan_reruns(two, version, "all")] == [True]


def test_a_cache_that_cannot_be_written_is_not_laid_to_the_storage(
    storage: ObjectStorage, prefix: str, clip: Path, tmp_path: Path
) -> None:
    storage.put(clip, f"{prefix}/pilot.mp4")
    (tmp_path / "cache").touch()  # no folder can be made there, whoever tries
    with pytest.raises(StorageUnreachable, match=f"^{tmp_path / 'cache'}: no copy can be kept"):
        RemoteFiles(f"s3://{BUCKET}/{prefix}").fetch("pilot.mp4", tmp_path / "cache" / "copy.mp4")


def test_doctor_looks_at_media_on_s3(
    prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("_check_gpu", "_check_decoder"):
        monkeypatch.setattr(f"castline.upkeep.checkup.{name}", lambda _: "other tests look at it")
    for url, is_well in ((f"s3://{BUCKET}/{prefix}", True), ("s3://no-such-bucket/series", False)):
        ended = castline_here(tmp_path, "doctor", "--json", media_roots=url)
        [media] = [item for item in json.loads(ended.stdout) if item["subject"] == "media"]
        assert media["is_well"] is is_well
        assert url in media["text"]


def runs_of(installation: Installation) -> list[RunRecord]:
    with installation.database.read() as connection:
        return list_runs(connection)


@pytest.mark.parametrize("kind", [StorageUnreachable, StorageFullError])
def test_storage_that_does_not_answer_or_a_full_disk_costs_a_chunk_nothing(
    kind: type[IngestError],
    machines: tuple[Installation, Installation],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refused(*_arguments: object) -> None:
        raise kind("s3://castline: nobody there, or no room here")

    one, _ = machines
    with Decoder() as decoder:
        monkeypatch.setattr(RemoteFiles, "store", refused)
        with pytest.raises(kind):
            extract_step(one, claim(one, "queued"), decoder, lambda _: None)
        monkeypatch.undo()
        extract_step(one, claim(one, "queued"), decoder, lambda _: None)
    for copy in one.settings.frames_folder.rglob("*.zip"):
        copy.unlink()
    monkeypatch.setattr(RemoteFiles, "fetch", refused)
    with pytest.raises(kind):
        classify_step(one, [claim(one, "extracted")], lambda _: NoClassifier())  # type: ignore[arg-type,return-value]
    again = claim(one, "extracted")
    assert (again.attempts, again.losses) == (1, 0)


def test_a_fetch_that_is_stopped_leaves_nothing(
    storage: ObjectStorage, prefix: str, clip: Path, tmp_path: Path
) -> None:
    def stop() -> None:
        raise RuntimeError("stopped")

    storage.put(clip, f"{prefix}/pilot.mp4")
    files = RemoteFiles(f"s3://{BUCKET}/{prefix}")
    with pytest.raises(RuntimeError):
        files.fetch("pilot.mp4", tmp_path / "cache" / "pilot.mp4", stop)
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.parametrize(
    ("source", "cause"),
    [
        (f"s3://{BUCKET}/absent.mp4", "no video file there"),
        ("s3://no-such-bucket/pilot.mp4", "no such bucket; make it first"),
    ],
)
def test_a_url_that_names_nothing_is_refused_in_one_line(
    source: str, cause: str, storage: ObjectStorage, tmp_path: Path
) -> None:
    home = new_home(tmp_path / "home")
    ended = castline_here(home, "enqueue", source, *BY_LOT)
    assert ended.returncode == 1
    assert source in one_line(ended.stderr)
    assert cause in ended.stderr


def test_a_url_outside_the_media_roots_is_refused_and_not_fetched(
    storage: ObjectStorage, prefix: str, clip: Path, tmp_path: Path
) -> None:
    home = new_home(tmp_path / "home")
    outside = storage.put(clip, f"{prefix}/elsewhere/pilot.mp4")
    inside = storage.put(clip, f"{prefix}/media/pilot.mp4")
    roots = f"/films:s3://{BUCKET}/{prefix}/media"
    beside = storage.put(clip, f"{prefix}/media-too/pilot.mp4")
    ended = castline_here(
        home, "enqueue", outside, beside, clip, inside, *BY_LOT, media_roots=roots
    )
    assert ended.returncode == 1
    *refused, enqueued, total = ended.stderr.splitlines()
    for place, line in zip((clip, outside, beside), refused, strict=True):
        assert line.startswith(f"castline: {place}: lies outside the media folders")
    assert enqueued == "pilot.mp4: run 1"
    assert total.startswith("1 new, 0 known, 3 refused")
    [copy] = whole_files(home / "cache")
    assert copy.name == hashlib.sha256(clip.read_bytes()).hexdigest()


def test_an_unknown_object_is_no_video(storage: ObjectStorage, prefix: str, tmp_path: Path) -> None:
    letter = tmp_path / "letter.mp4"
    letter.write_text("Dear Sir or Madam,\n" * 200)
    url = storage.put(letter, f"{prefix}/letter.mp4")
    version = find_model(None, [])
    parameters = RunParameters.for_model(version.manifest)
    settings = Settings.from_environment(tmp_path / "home", {})
    with (
        open_installation(settings) as installation,
        Decoder() as decoder,
        pytest.raises(VideoError, match=f"^{url}: is not a video"),
    ):
        enqueue_source(installation, url, decoder, version, parameters)
