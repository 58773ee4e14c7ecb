"""Check whether the broker answers, and keeps its messages."""

from typing import TYPE_CHECKING

from worker.cluster.broker_url import SOCKET, checked_broker_url
from worker.errors import WorkerError

if TYPE_CHECKING:
    import redis

BROKER_SECONDS = 5.0
"""Timeout: a broker that is up answers in milliseconds."""


def describe_broker(url: str | None) -> str:
    """Query the broker and describe its state.

    Raises:
        WorkerError: It does not answer, or evicts messages.
    """
    import redis

    url = checked_broker_url(url).replace(SOCKET, "unix://", 1)
    url = url.replace("?virtual_host=", "?db=")  # as Redis's own client spells it
    try:
        client = redis.Redis.from_url(
            url, socket_timeout=BROKER_SECONDS, socket_connect_timeout=BROKER_SECONDS
        )
        with client:
            client.ping()
            policy = _eviction_policy(client)
    except redis.exceptions.RedisError as error:
        raise WorkerError(
            f"CASTLINE_BROKER_URL: no answer from the broker ({error}); check that it runs, and"
            " that host, user and password are right"
        ) from error
    if policy not in ("noeviction", None):
        raise WorkerError(
            f"CASTLINE_BROKER_URL: the broker evicts messages ({policy}); run: redis-cli config"
            " set maxmemory-policy noeviction"
        )
    return "Redis answers" + (", evicts nothing" if policy else "")


def _eviction_policy(client: "redis.Redis") -> str | None:
    """Return the broker's eviction policy for full memory; None where this user may not read it."""
    import redis

    try:
        about = client.info("memory")
    except redis.exceptions.NoPermissionError:
        return None
    assert isinstance(about, dict), "the client that waits answers with values"
    policy = about.get("maxmemory_policy")
    return str(policy) if policy else None
