"""The Celery app: how workers on many machines hear of chunks.

The database is the queue of record; a message only says that a chunk may be free. So a message
that is lost, doubled or late changes nothing but the moment of the work.
"""

from typing import Any, Final

from celery import Celery
from kombu import Queue

from db.states import Lane
from model.inference.device import Device
from worker.cluster.broker_url import checked_broker_url
from worker.settings import Settings
from worker.step import Step

TASKS: Final = {step: f"castline.{step}" for step in Step}
"""The name of each step's task."""

TRIES_AFTER_LOSS: Final = 3
"""How often a message is tried again whose pool process was killed."""

KEY_PREFIX: Final = "castline:"
"""Of all keys and channels in the broker, so that one Redis user may be limited to them."""

BROKER_SECONDS: Final = 5
"""A broker that is frozen accepts connections and never answers: without a limit, publishing to it
waits for as long as it is frozen (over 45 s seen). A living one answers in milliseconds."""

SOFT_LIMIT_SECONDS: Final = 600
"""As long as a claim of chunks to classify is renewed; what takes longer hangs."""

HARD_LIMIT_SECONDS: Final = 660
"""A minute to end in good order."""

VISIBILITY_SECONDS: Final = 1800
"""After how long a message that was taken and never acknowledged is given to another worker: far
above the longest task, since one that takes longer would run twice at once. All apps on a broker
must agree on it."""


def queue_name(step: Step, lane: Lane) -> str:
    """The queue of a step's lane: lanes are queues, for Redis only imitates priorities."""
    return f"{step}.{lane}"


def step_of(queue: str) -> Step:
    """The step of a queue."""
    return Step(queue.partition(".")[0])


def lane_of(queue: str) -> Lane:
    """The lane of a queue."""
    return Lane(queue.rpartition(".")[2])


def make_app(settings: Settings, device: Device = Device.AUTO) -> Celery:
    """Makes the app of an installation; nothing connects before it is used.

    Args:
        settings: The installation's; the processes of a worker get them with the app.
        device: Where to classify.

    Raises:
        WorkerError: The broker's URL is missing, of another kind, or cannot be read.
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
    # Which queues there are; they are looked at in this order, so that what is interactive goes
    # first, and what is extracted is classified before more is extracted.
    "task_queues": [
        Queue(queue_name(step, lane)) for lane in Lane for step in (Step.CLASSIFY, Step.EXTRACT)
    ],
    "task_default_queue": queue_name(Step.EXTRACT, Lane.BULK),
    "task_create_missing_queues": False,
    # Only text comes in: a pickled message would run the code of whoever can write to the broker.
    "task_serializer": "json",
    "accept_content": ["json"],
    # The database holds results.
    "task_ignore_result": True,
    "result_backend": None,
    # A message is acknowledged when its work is done, so that it survives its worker.
    "task_acks_late": True,
    # Of a killed pool process: rejecting its message gives it out again without bound (24 times in
    # 12 s seen), trying again is bounded by the tasks' `max_retries`.
    "task_reject_on_worker_lost": False,
    "task_retry_on_worker_lost": True,
    # What failed or took too long was written down in the database, which decides on the next try.
    "task_acks_on_failure": True,
    "task_acks_on_timeout": True,
    # No worker hoards messages that another could work on.
    "worker_prefetch_multiplier": 1,
    "worker_disable_prefetch": True,
    # TensorFlow that was used before a fork hangs in the child; threads know no time limits.
    "worker_pool": "prefork",
    "worker_pool_start_method": "spawn",
    # A spawned process imports all anew. On a busy machine that takes longer than the 4 s of the
    # default, after which it is killed, and the next one after it, without an end.
    "worker_proc_alive_timeout": 120.0,
    "task_soft_time_limit": SOFT_LIMIT_SECONDS,
    "task_time_limit": HARD_LIMIT_SECONDS,
    # A task survives a restart of the broker and runs once; cancelled, it would run again.
    "worker_cancel_long_running_tasks_on_connection_loss": False,
    # A broker that is down now is back later: a worker waits for it for ever.
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,
    "broker_connection_timeout": BROKER_SECONDS,
    # Publishing gives up after this: `enqueue` says so within half a minute.
    "task_publish_retry_policy": {"max_retries": 1, "interval_start": 0.2, "interval_step": 0.2},
    "broker_transport_options": {
        "visibility_timeout": VISIBILITY_SECONDS,
        # Looked after each 10 s; every tenth time otherwise.
        "unacked_restore_throttle": 1,
        "socket_timeout": BROKER_SECONDS,
        "socket_connect_timeout": BROKER_SECONDS,
        "socket_keepalive": True,
        # Shorter than the minute after which routers forget silent connections.
        "health_check_interval": 25,
        "global_keyprefix": KEY_PREFIX,
        # One key for each queue instead of four: lanes are queues, no message has a priority.
        "priority_steps": [0],
        # In the order of `task_queues`, always from the first.
        "queue_order_strategy": "priority",
    },
    # One line for what matters; each task would be two lines otherwise.
    "worker_hijack_root_logger": False,
    "worker_redirect_stdouts": False,
}
