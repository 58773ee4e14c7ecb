"""The Celery app, by which workers on many machines are notified of chunks.

The database is the queue of record; a message only says that a chunk may be free. So a message that
is lost, duplicated or late changes nothing but the time of the work.
"""

from typing import Any, Final

from celery import Celery
from kombu import Queue

from db.states import Lane, Step
from model.inference.device import Device
from worker.cluster.broker_url import checked_broker_url
from worker.settings import Settings

TASKS: Final = {step: f"castline.{step}" for step in Step}
"""The name of each step's task."""

TRIES_AFTER_LOSS: Final = 3
"""Retries of a message whose pool process was killed."""

KEY_PREFIX: Final = "castline:"
"""Prefix of all keys and channels in the broker, so that one Redis user may be limited to them."""

BROKER_SECONDS: Final = 5
"""Socket timeout. A frozen broker accepts connections and never answers: without a limit,
publishing to it waits for as long as it is frozen (over 45 s measured). A live one answers in
milliseconds."""

SOFT_LIMIT_SECONDS: Final = 600
"""Soft time limit of a task: as long as a claim of chunks to classify is renewed; a longer task
hangs."""

HARD_LIMIT_SECONDS: Final = 660
"""Hard time limit of a task: one more minute to end cleanly."""

VISIBILITY_SECONDS: Final = 1800
"""Visibility timeout: a message that was taken and not acknowledged for this long is redelivered.
It is far above the longest task, since a longer one would run twice concurrently. All apps on a
broker must agree on it."""


def queue_name(step: Step, lane: Lane) -> str:
    """Return the queue of a step and lane: queues, since Redis only emulates priorities."""
    return f"{step}.{lane}"


def step_of(queue: str) -> Step:
    """Return the step of a queue."""
    return Step(queue.partition(".")[0])


def lane_of(queue: str) -> Lane:
    """Return the lane of a queue."""
    return Lane(queue.rpartition(".")[2])


def make_app(settings: Settings, device: Device = Device.AUTO) -> Celery:
    """Create the app of an installation; nothing connects before it is used.

    Args:
        settings: The settings of the installation; a worker's processes get them with the app.
        device: Device to classify on.

    Returns:
        The app.

    Raises:
        WorkerError: The broker's URL is missing, of another kind, or malformed.
    """
    url = checked_broker_url(settings.broker_url)
    app = Celery(
        "castline",
        broker=url,
        include=["worker.cluster.tasks"],
        log="worker.cluster.celery_log:CeleryLog",
        set_as_current=False,
    )
    app.conf.update(_CONFIGURATION)
    app.conf.update(castline_settings=settings.to_json(), castline_device=device)
    return app


_CONFIGURATION: Final[dict[str, Any]] = {
    # All queues, in the order in which they are polled: interactive before bulk, and classification
    # before extraction, so that extracted chunks are classified before more are extracted.
    "task_queues": [
        Queue(queue_name(step, lane)) for lane in Lane for step in (Step.CLASSIFY, Step.EXTRACT)
    ],
    "task_default_queue": queue_name(Step.EXTRACT, Lane.BULK),
    "task_create_missing_queues": False,
    # Only text is accepted: a pickled message would run code from anybody who can write to the
    # broker.
    "task_serializer": "json",
    "accept_content": ["json"],
    # The database holds results.
    "task_ignore_result": True,
    "result_backend": None,
    # A message is acknowledged when its work is done, so that it survives its worker.
    "task_acks_late": True,
    # For a killed pool process: rejecting its message would redeliver it without bound (24 times in
    # 12 s measured); retries are bounded by the tasks' `max_retries`.
    "task_reject_on_worker_lost": False,
    "task_retry_on_worker_lost": True,
    # A failure or timeout was recorded in the database, which decides on the next attempt.
    "task_acks_on_failure": True,
    "task_acks_on_timeout": True,
    # No worker hoards messages that another could work on.
    "worker_prefetch_multiplier": 1,
    "worker_disable_prefetch": True,
    # TensorFlow hangs in a child if it was used before the fork; threads have no time limits.
    "worker_pool": "prefork",
    "worker_pool_start_method": "spawn",
    # A spawned process imports everything again. On a busy machine this takes longer than the
    # default of 4 s, after which it is killed, and so is its successor, endlessly.
    "worker_proc_alive_timeout": 120.0,
    "task_soft_time_limit": SOFT_LIMIT_SECONDS,
    "task_time_limit": HARD_LIMIT_SECONDS,
    # A task survives a restart of the broker and runs once; cancelled, it would run again.
    "worker_cancel_long_running_tasks_on_connection_loss": False,
    # A broker that is down now will return: a worker waits for it indefinitely.
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,
    "broker_connection_timeout": BROKER_SECONDS,
    # Publishing gives up after this: `enqueue` reports it within half a minute.
    "task_publish_retry_policy": {"max_retries": 1, "interval_start": 0.2, "interval_step": 0.2},
    "broker_transport_options": {
        "visibility_timeout": VISIBILITY_SECONDS,
        # Restore unacknowledged messages every 10 s instead of every 100 s.
        "unacked_restore_throttle": 1,
        "socket_timeout": BROKER_SECONDS,
        "socket_connect_timeout": BROKER_SECONDS,
        "socket_keepalive": True,
        # Shorter than the minute after which routers drop idle connections.
        "health_check_interval": 25,
        "global_keyprefix": KEY_PREFIX,
        # One key for each queue instead of four: lanes are queues, no message has a priority.
        "priority_steps": [0],
        # In the order of `task_queues`, always starting with the first.
        "queue_order_strategy": "priority",
    },
    # One line per event of importance; otherwise each task would log two lines.
    "worker_hijack_root_logger": False,
    "worker_redirect_stdouts": False,
}
