"""Which broker URLs are taken, and that none that is refused shows its password."""

import pytest

from worker.cluster.broker_url import checked_broker_url
from worker.errors import WorkerError


@pytest.mark.parametrize(
    "url",
    [
        "redis://broker",
        "redis://broker:6379/0",
        "redis://castline:pa%2Fss%23@broker:6379/0",
        "redis://:pass@[::1]:6379",
        "redis://castline:p@ss@broker/1",  # the last @ counts, for Celery and Redis alike
        "rediss://a:b@broker:6380/0?ssl_cert_reqs=required&ssl_ca_certs=/etc/ca.crt",
        "redis+socket:///run/redis.sock",
        "redis+socket://:pass@/run/redis.sock?virtual_host=3",
    ],
)
def test_urls_of_redis_servers_are_taken(url: str) -> None:
    assert checked_broker_url(url) == url


@pytest.mark.parametrize(
    "password",
    [
        *("p#ss-word", "12#ss-word", "p/ss-word", "12/ss-word", "p?ss-word", "12?ss-word"),
        *("[ss-word", "ss-word;", "ss-word x", "ss-word\n", "ss-word\x1b"),
        *("12/3?db=ss-word", "12/#ss-word"),
    ],
)
@pytest.mark.parametrize("start", ["redis://castline:", "rediss://:"])
def test_a_password_that_is_not_encoded_is_refused_and_not_shown(start: str, password: str) -> None:
    with pytest.raises(WorkerError, match=r"percent-encode .* %23 for #, %2F for /") as caught:
        checked_broker_url(f"{start}{password}@broker:6379/0")
    assert "ss-word" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    "url",
    [
        "redis://",
        "redis://:6379/0",
        "redis://broker:port/0",
        "redis://broker:99999/0",
        "redis://broker/name",
        "redis://broker/0?timeout=never",
        "rediss://broker/0?ssl_cert_reqs=perhaps",
        "redis://broker/0?ssl_ca_certs",
        "redis+socket://",
        "redis+socket:///",
    ],
)
def test_what_celery_cannot_read_is_refused(url: str) -> None:
    with pytest.raises(WorkerError, match="CASTLINE_BROKER_URL: cannot be read; write"):
        checked_broker_url(url)


@pytest.mark.parametrize("url", [None, "", "broker", "amqp://broker", "sqla+sqlite:///queue.db"])
def test_other_brokers_are_refused(url: str | None) -> None:
    with pytest.raises(WorkerError, match=r"not the URL of a Redis server; write redis://"):
        checked_broker_url(url)
