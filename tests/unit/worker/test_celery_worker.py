"""What becomes of `castline worker` when one of Celery's processes ends."""

import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from db.states import Step
from model.inference.device import Device
from worker.cluster.celery_worker import STEADY_SECONDS, CeleryWorkers, WorkerOptions, _Worker
from worker.settings import Settings

OLD, YOUNG = 2 * STEADY_SECONDS, -3600.0
"""Ages in seconds; one that is born later is young however long a slow machine takes to end it."""


class Rehearsed(CeleryWorkers):
    """Starts processes that end as they are told, in this order.

    Args:
        home: of the installation.
        ends: exit code and age, in seconds, of each process that is started.
    """

    def __init__(self, home: Path, ends: Iterable[tuple[int, float]]) -> None:
        settings = Settings(home, "sqlite://", broker_url="redis://127.0.0.1:1/0")
        super().__init__(settings, WorkerOptions((Step.EXTRACT,), 1, Device.CPU, until_idle=False))
        self._ends = iter(ends)
        self.started = 0

    def _start(self, step: Step, *, takes_over: bool = False) -> _Worker:
        self.started += 1
        code, age = next(self._ends)
        process = subprocess.Popen(
            [sys.executable, "-c", f"raise SystemExit({code})"], stdin=subprocess.PIPE, text=True
        )
        return _Worker(step, process, time.monotonic() - age, takes_over)


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.cluster.celery_worker.PAUSE_SECONDS", 0.0)


def test_what_cannot_begin_ends_all_with_its_code(tmp_path: Path) -> None:
    workers = Rehearsed(tmp_path, [(3, YOUNG)])
    assert workers.run() == 3
    assert workers.started == 1


def test_what_dies_at_work_is_started_again_until_it_stays(tmp_path: Path) -> None:
    """The second dies at once: the outage that ended the first may still last."""
    workers = Rehearsed(tmp_path, [(1, OLD), (1, YOUNG), (0, YOUNG)])
    assert workers.run() == 0
    assert workers.started == 3
