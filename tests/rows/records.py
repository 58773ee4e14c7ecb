"""Made rows for tests: an episode of ten minutes, a model version, a run of six chunks."""

from collections.abc import Sequence
from datetime import UTC, datetime
from fractions import Fraction

from db.changes.writes import create_run, finish_run, register_episode, register_model_version
from db.engine import Database
from db.episode_names import EpisodeName
from db.library.runs import get_run
from db.records import AppearanceRecord, EpisodeRecord, ModelVersionRecord
from db.states import Lane, RunState
from exact.picture_area import PictureArea
from exact.ranges import PtsRanges
from worker.parameters import hash_of

CHUNKS = tuple((start, start + 60_000) for start in range(0, 360_000, 60_000))


def made_episode(sha256: str = "a" * 64, name: str = "pilot.mkv") -> EpisodeRecord:
    """An episode of six minutes in milliseconds, with a key frame every ten seconds."""
    return EpisodeRecord(
        sha256=sha256,
        name=name,
        uri=f"/episodes/{name}",
        size_bytes=1000,
        file_stamp="",
        container="matroska",
        codec="h264",
        pixel_format="yuv420p",
        width=640,
        height=480,
        rotation=0,
        sample_aspect_ratio=Fraction(1),
        lag_pts=None,
        frame_rate=Fraction(24000, 1001),
        rate_varies=False,
        time_base=Fraction(1, 1000),
        start_pts=0,
        end_pts=360_000,
        area=PictureArea(0, 0, 640, 480),
        key_pts=tuple(range(0, 360_000, 10_000)),
        missing=(),
        called=EpisodeName.told_by(f"/episodes/{name}"),
    )


def episode_named(name: str) -> EpisodeRecord:
    """The same of this name, with a content of its own."""
    return made_episode(f"{int.from_bytes(name.encode()) % 10**9:064d}", name)


def made_model(sha256: str = "b" * 64, version: str = "1", year: int = 2026) -> ModelVersionRecord:
    """A model version of two labels."""
    return ModelVersionRecord(
        name="cast",
        version=version,
        sha256=sha256,
        labels=("homer_simpson", "ned_flanders"),
        preprocessing="fit84_crop64",
        metrics={"accuracy": 0.9},
        created_at=datetime(year, 1, 1, tzinfo=UTC),
    )


def made_appearance(label: str) -> AppearanceRecord:
    """A label that is on screen from 1 to 4.5 s."""
    return AppearanceRecord(label, 1000, 4500, 1.0, 4.5, 7, 0.8, 0.9)


APPEARANCE = made_appearance("homer_simpson")

PARAMS = (
    '{"every_seconds": "1/2", "frame_store": 1, "min_duration_off_seconds": "3/4",'
    ' "min_duration_on_seconds": "3/4", "offset": 0.4, "onset": 0.6}'
)


def make_run(
    database: Database,
    episode: EpisodeRecord | None = None,
    model: ModelVersionRecord | None = None,
    chunks: tuple[tuple[int, int], ...] = CHUNKS,
    lane: str = "bulk",
    params: str = PARAMS,
    *,
    hashed: bool = False,
) -> int:
    """A queued run; returns its id. Only if it is hashed do its parameters tell it from others."""
    with database.write() as connection:
        run_id, _ = create_run(
            connection,
            episode_id=register_episode(connection, episode or made_episode()),
            model_version_id=register_model_version(connection, model or made_model()),
            params=params,
            params_hash=hash_of(params) if hashed else "c" * 64,
            chunks=chunks,
            missing=(),
            lane=Lane(lane),
        )
    return run_id


def end_run(
    database: Database,
    run_id: int,
    appearances: Sequence[AppearanceRecord] = (),
    state: str = "done",
    missing: PtsRanges = (),
    error: str | None = None,
    frames: int = 720,
) -> None:
    """Ends a run as one that found these."""
    with database.write() as connection:
        finish_run(
            connection,
            run_id=run_id,
            episode_id=get_run(connection, run_id).episode_id,
            state=RunState(state),
            frames=frames,
            decode_errors=0,
            missing=missing,
            error=error,
            appearances=list(appearances),
        )
