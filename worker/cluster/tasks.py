"""The Celery tasks. A message says that a chunk may be free; the database decides.

`worker.cluster.door` has checked that the argument is the number of a chunk.
"""

import os
import signal
from collections.abc import Sequence
from typing import Any

from billiard import current_process
from celery import Celery, Task, shared_task, signals

from db.engine import Database
from db.patience import patience_of_worker
from db.states import Lane, Step
from model.inference.device import Device
from worker.cluster.app import TASKS, TRIES_AFTER_LOSS, lane_of
from worker.cluster.offering import suppressing_broker_errors
from worker.cluster.pool_worker import PoolWorker
from worker.gpus import usable_gpus
from worker.installation import Installation
from worker.settings import Settings

STOP_SIGNAL = signal.SIGUSR2
"""Signal that makes a pool process end its step soon. Celery uses SIGUSR1, and SIGTERM kills it."""


@shared_task(name=TASKS[Step.EXTRACT], bind=True, max_retries=TRIES_AFTER_LOSS)
def extract(task: Task, chunk_id: int) -> None:
    """Extract a chunk."""
    with suppressing_broker_errors():
        _pool_worker(task.app).extract(chunk_id, _lane(task))


@shared_task(name=TASKS[Step.CLASSIFY], bind=True, max_retries=TRIES_AFTER_LOSS)
def classify(task: Task, chunk_id: int) -> None:
    """Classify a chunk, and others with it."""
    with suppressing_broker_errors():
        _pool_worker(task.app).classify(chunk_id)


_pool_workers: list[PoolWorker] = []
"""The single state of this process, created at its first chunk."""


def _pool_worker(app: Celery) -> PoolWorker:
    if not _pool_workers:
        settings = Settings.from_json(app.conf.castline_settings)
        device = Device(app.conf.castline_device)
        _take_gpu(usable_gpus(settings, device))
        # The sweeper offers abandoned chunks again: Celery's time for a task is limited anyway.
        database = Database(settings.database_url, patience_of_worker(stays=False))
        installation = Installation(settings, database)
        _pool_workers.append(PoolWorker(installation, app, device))
    return _pool_workers[0]


def _take_gpu(gpus: Sequence[str]) -> None:
    """Restrict this process to one GPU, by its index in the pool, before TensorFlow starts."""
    if gpus:
        os.environ["CUDA_VISIBLE_DEVICES"] = gpus[current_process().index % len(gpus)]


def _lane(task: Task) -> Lane:
    return lane_of(task.request.delivery_info["routing_key"])


@signals.worker_process_init.connect
def _begin(**_: Any) -> None:
    signal.signal(STOP_SIGNAL, _stop)


def _stop(*_: Any) -> None:
    for worker in _pool_workers:
        worker.stop()


@signals.worker_process_shutdown.connect
def _leave(**_: Any) -> None:
    for worker in _pool_workers:
        worker.close()
