"""Which database URLs are taken, and that none that is refused shows its password."""

import pytest

from db.database_url import checked_url
from db.errors import DatabaseError


@pytest.mark.parametrize(
    ("url", "driver"),
    [
        ("sqlite:////srv/castline.db", "sqlite"),
        ("sqlite:///here.db", "sqlite"),
        ("sqlite+pysqlite:////srv/why%3F.db", "sqlite+pysqlite"),
        ("postgresql://db/castline", "postgresql+psycopg"),
        ("postgresql+psycopg://castline:a%40b@[::1]:5432/castline", "postgresql+psycopg"),
        ("postgresql:///castline?host=/run/postgresql", "postgresql+psycopg"),
        ("postgresql://castline@/name?host=one,two.&sslmode=require", "postgresql+psycopg"),
    ],
)
def test_urls_of_files_and_servers_are_taken(url: str, driver: str) -> None:
    assert checked_url(url).drivername == driver


@pytest.mark.parametrize(
    "rest",
    [
        "host:abc/name",
        "host:12ss-word/name",
        "[::1/name",
        "a..b/name",
        f"{'a' * 64}/name",
        "ss-word@host/name",
        "db/name%00",
        f"/name?host=db,{'a' * 64}",
    ],
)
def test_a_server_that_no_driver_can_read_is_refused_and_not_shown(rest: str) -> None:
    with pytest.raises(DatabaseError, match="percent-encode") as caught:
        checked_url(f"postgresql://castline:ss-word@{rest}")
    assert "ss-word" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    "url",
    ["postgresql+asyncpg://a:ss-word@db/x", "postgresql+pg8000://db/x", "sqlite+aiosqlite:///x"],
)
def test_drivers_that_are_not_castlines_are_refused(url: str) -> None:
    with pytest.raises(DatabaseError, match=r"not supported; begin the URL with \w+\+\w+://") as e:
        checked_url(url)
    assert "ss-word" not in str(e.value)


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite://x.db"])
def test_a_database_that_is_no_file_is_refused(url: str) -> None:
    with pytest.raises(DatabaseError, match="names no file"):
        checked_url(url)


@pytest.mark.parametrize("query", ["timeout=abc", "check_same_thread=maybe", "bogus=1", "a=1&a=2"])
def test_settings_of_sqlite_are_castlines_own(query: str) -> None:
    with pytest.raises(DatabaseError, match="takes nothing behind a question mark"):
        checked_url(f"sqlite:////srv/castline.db?{query}")


@pytest.mark.parametrize("url", ["", "castline.db", "mysql://db/x", "oracle+bogus://db/x"])
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(DatabaseError, match="sqlite"):
        checked_url(url)
