"""Runs over a real clip that ended with what a test says, without a network."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

from castline.tagging.enqueue import enqueue_episode
from db.engine import Database
from db.library.runs import get_run
from db.records import AppearanceRecord, RunRecord
from db.states import ChunkState
from db.upgrade import upgrade_database
from ingest.decoder.parent import Decoder
from model.version.artifact import ModelVersion
from tests.rows.records import end_run
from worker.installation import Installation
from worker.parameters import RunParameters
from worker.settings import Settings
from worker.steps.claims import claim_step
from worker.steps.extract_step import extract_step

Labels = Mapping[str, Sequence[tuple[int, int]]]
"""Seconds in which each label is seen."""


@contextmanager
def place_of(home: Path) -> Iterator[Installation]:
    """The installation of a home, as it is without any variable set."""
    settings = Settings.from_environment(home, {})
    database = Database(settings.database_url)
    upgrade_database(database)
    yield Installation(settings, database)
    database.dispose()


def ended_run(
    installation: Installation,
    decoder: Decoder,
    clip: Path,
    version: ModelVersion,
    labels: Labels,
    every_seconds: Fraction = Fraction(1, 2),
) -> int:
    """Enqueue and extract a clip in chunks of 4 s, and end the run; returns its id."""
    run = enqueue_episode(
        clip,
        database=installation.database,
        decoder=decoder,
        version=version,
        parameters=RunParameters.for_model(version.manifest, every_seconds),
        chunk_seconds=4,
    ).run
    while claims := claim_step(installation, ChunkState.QUEUED, "w/1/1.0", None):
        extract_step(installation, claims[0], decoder, lambda _frames: None)
    end_with(installation, run.id, labels)
    return run.id


def end_with(installation: Installation, run_id: int, labels: Labels) -> None:
    """End a run as one that saw these labels."""
    with installation.database.read() as connection:
        run = get_run(connection, run_id)
    end_run(
        installation.database,
        run_id,
        [
            AppearanceRecord(label, _pts(run, start), _pts(run, stop), start, stop, 1, 0.9, 0.9)
            for label, spans in labels.items()
            for start, stop in spans
        ],
        frames=24,
    )


def _pts(run: RunRecord, seconds: int) -> int:
    return run.start_pts + int(seconds / run.time_base)
