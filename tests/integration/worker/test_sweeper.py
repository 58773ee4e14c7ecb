"""The sweeper's thread outlives what goes wrong in it."""

import threading
from pathlib import Path

import pytest
from celery import Celery

from db.engine import Database
from db.states import Step
from tests.waiting import PATIENCE_SECONDS
from worker.cluster.sweeper import Sweeper
from worker.installation import Installation
from worker.settings import Settings

pytestmark = pytest.mark.integration


def test_a_disk_that_cannot_be_tidied_does_not_end_it(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_place: Installation) -> None:
        raise PermissionError(13, "Permission denied", "/frames/03")

    monkeypatch.setattr("worker.cluster.sweeper.tidy_storage", refused)
    monkeypatch.setattr("worker.cluster.sweeper.SWEEP_SECONDS", 0.01)
    monkeypatch.setattr(Sweeper, "_look", lambda _: None)  # which asks a broker
    installation = Installation(Settings(tmp_path, str(database.url)), database)
    told = threading.Event()
    with Sweeper(installation, Celery(), Step.EXTRACT, told.set):
        assert told.wait(PATIENCE_SECONDS)
