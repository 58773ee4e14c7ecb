"""A person's own SQL: it reads, for a while and up to a size, and does nothing else."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from db.engine import Database
from db.errors import DatabaseBusyError, DatabaseError
from db.patience import Patience
from db.questions.gathering import Limits
from db.questions.reader_role import READABLE, make_reader, role_name
from db.questions.reading import Answer, select_rows
from db.upgrade import upgrade_database
from tests.rows.records import made_episode, make_run
from tests.servers.commands import castline_here, environment_of, one_line
from tests.servers.databases import new_postgresql_url, with_reader

pytestmark = pytest.mark.integration

HARMFUL = (
    "DELETE FROM episode",
    "SELECT 1; DELETE FROM episode",
    "WITH gone AS (DELETE FROM episode RETURNING *) SELECT * FROM gone",
    "COMMIT",
    "ATTACH 'made.db' AS other",
    "PRAGMA writable_schema=ON",
    "COPY episode TO '/tmp/castline-was-here'",
    "SELECT nothing FROM nowhere",
    "SELECT '",
    "",
    "\x00",
)

HARMFUL_ON_A_SERVER = (
    "SELECT pg_advisory_lock(1)",
    "SELECT pg_advisory_lock(n) FROM generate_series(1, 1000000) AS n",
    "SELECT pg_try_advisory_xact_lock_shared(1)",
    "SELECT query_to_xml('SELECT pg_advisory_' || 'lock(1)', true, true, '')",
    "SELECT pg_create_physical_replication_slot('castline_was_here', true)",
    "SELECT pg_reload_conf()",
    "SELECT pg_rotate_logfile()",
    "SELECT pg_stat_reset()",
    "SELECT pg_switch_wal()",
    "SELECT pg_logical_emit_message(false, 'was', 'here')",
    "SELECT pg_read_file('postgresql.conf')",
    "SELECT * FROM pg_ls_dir('.')",
    "SELECT lo_export(1, '/tmp/castline-was-here')",
    "SELECT lo_import('/etc/passwd')",
    "SELECT set_config('role', 'postgres', true)",
    "SELECT set_config('session_authorization', 'postgres', true)",
    "SELECT set_config('transaction_read_only', 'off', true)",
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'postgres'",
    "SELECT * FROM duty",
    "SELECT * FROM alembic_version",
    "SELECT * FROM pg_authid",
    "SELECT * FROM run FOR UPDATE",
)

ENDLESS = {
    "works": "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 0 FROM c) SELECT max(x) FROM c",
    "answers": "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 0 FROM c) SELECT x FROM c",
}

SHORT = Limits(seconds=0.2)


@pytest.fixture
def asked(database: Database) -> Database:
    """A database with one run, of which people ask."""
    make_run(database)
    return with_reader(database)


def refusal(database: Database, statement: str, limits: Limits | None = None) -> str:
    """The one line of why; the database is as usable after it as before."""
    with pytest.raises(DatabaseError) as caught:
        select_rows(database, statement, limits=limits)
    assert select_rows(database, "SELECT count(*) FROM run").rows == [(1,)]
    make_run(database)
    return one_line(str(caught.value))


@pytest.mark.parametrize("statement", HARMFUL)
def test_sql_reads_and_does_nothing_else(statement: str, asked: Database) -> None:
    assert refusal(asked, statement)
    make_run(asked, made_episode("e" * 64, "still writable"))


@pytest.fixture(scope="module")
def server(postgresql_base_url: str) -> Database:
    """A database on PostgreSQL with one run."""
    database = Database(new_postgresql_url(postgresql_base_url))
    upgrade_database(database)
    make_run(database)
    return with_reader(database)


@pytest.mark.parametrize("statement", HARMFUL_ON_A_SERVER)
def test_sql_reads_and_does_nothing_to_a_server(statement: str, server: Database) -> None:
    assert refusal(server, statement)
    with server.read() as connection:
        slots = connection.exec_driver_sql("SELECT count(*) FROM pg_replication_slots")
        assert slots.scalar_one() == 0
        locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
        assert connection.exec_driver_sql(locks).scalar_one() == 0


def test_sql_reads_every_table_that_is_documented(asked: Database) -> None:
    page = (Path(__file__).parents[3] / "docs" / "reference" / "data-model.md").read_text()
    for name in READABLE:
        assert select_rows(asked, f"SELECT * FROM {name}").columns
        assert f"`{name}`" in page
    assert len(READABLE) == 23


@pytest.mark.parametrize("kind", ENDLESS)
def test_a_select_without_an_end_is_ended_and_says_so(kind: str, asked: Database) -> None:
    said = refusal(asked, ENDLESS[kind], Limits(seconds=0.2, rows=10**9, size_bytes=10**12))
    assert said.startswith("no answer within 0.2 s")


def test_a_select_cannot_give_itself_more_time(server: Database) -> None:
    longer = "SELECT set_config('statement_timeout', '0', false), pg_sleep(0.01)"
    statement = f"{longer} FROM generate_series(1, 100000)"
    assert refusal(server, statement, SHORT).startswith("no answer within 0.2 s")


def test_an_answer_of_too_many_rows_is_refused(asked: Database) -> None:
    said = refusal(asked, ENDLESS["answers"], Limits(rows=1000))
    assert said.startswith("the answer has more than 1000 rows")
    limited = f"{ENDLESS['answers']} LIMIT 1000"
    assert len(select_rows(asked, limited, limits=Limits(rows=1000)).rows) == 1000


@pytest.mark.parametrize("rows", [1, 10_000])
def test_an_answer_that_is_too_large_is_refused(rows: int, asked: Database) -> None:
    size = 2_000_000 // rows
    value = f"hex(zeroblob({size // 2}))" if asked.is_sqlite else f"repeat('0', {size})"
    statement = f"WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT {value}"
    statement += f" FROM c LIMIT {rows}"
    said = refusal(asked, statement, Limits(size_bytes=1_000_000))
    assert said.startswith("the answer takes more than 1 MB")


def test_sqlite_makes_no_value_that_no_answer_could_hold(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'castline.db'}")
    upgrade_database(database)
    make_run(database)
    assert "too big" in refusal(database, "SELECT hex(zeroblob(400000000))")
    database.dispose()


def test_memory_that_ends_all_the_same_is_told_in_a_line(
    asked: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lack(*_: object) -> Answer:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr("db.questions.gathering.Gathering.add", lack)
        with pytest.raises(DatabaseError, match="takes more than"):
            select_rows(asked, "SELECT 1")


@pytest.mark.parametrize("text", ["CAST(x'ff' AS TEXT)", "char(55296)"])
def test_text_that_is_no_utf_8_is_told_in_a_line(text: str, tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'castline.db'}")
    upgrade_database(database)
    make_run(database)
    assert "Could not decode to UTF-8" in refusal(database, f"SELECT {text}")
    database.dispose()


def test_json_loses_no_column_to_another_of_its_name(tmp_path: Path) -> None:
    ended = castline_here(tmp_path, "sql", "SELECT 1 AS a, 2 AS b, 3 AS a", "--json")
    assert ended.returncode == 1
    assert "two columns are called a; name one of them with AS" in one_line(ended.stderr)
    assert ended.stdout == ""
    assert castline_here(tmp_path, "sql", "SELECT 1 AS a, 3 AS a").returncode == 0


ONE_LONG_STEP = "SELECT instr(zeroblob(9999999), zeroblob(4999999) || x'01')"
"""For SQLite one function call, which takes most of an hour."""

SOON = """
import sys
from cli.asking import own_sql
from cli.main import main

own_sql.LONGEST_SECONDS = 0.5
sys.argv = ["castline", "sql", sys.argv[1]]
main()
"""


def test_a_select_that_sqlite_does_not_interrupt_is_ended_with_its_process(tmp_path: Path) -> None:
    assert castline_here(tmp_path, "sql", "SELECT 1").returncode == 0
    ended = subprocess.run(
        [sys.executable, "-c", SOON, ONE_LONG_STEP],
        env=environment_of(tmp_path),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ended.returncode == 1
    assert "no answer within 0.5 s; ask for less" in one_line(ended.stderr)


def test_a_snapshot_does_not_take_the_place_of_the_database(tmp_path: Path) -> None:
    own = tmp_path / "castline.db"
    database = Database(f"sqlite:///{own}")
    upgrade_database(database)
    make_run(database)
    (tmp_path / "link.db").symlink_to(own)
    for path in (own, tmp_path / "link.db"):
        ended = castline_here(tmp_path, "snapshot", "-o", path, "--force")
        assert ended.returncode == 1
        assert f"{path}: is Castline's own database" in one_line(ended.stderr)
    assert select_rows(database, "SELECT count(*) FROM run").rows == [(1,)]
    database.dispose()


def test_sql_says_that_the_database_is_locked(tmp_path: Path) -> None:
    path = tmp_path / "castline.db"
    database = Database(f"sqlite:///{path}", Patience(lock_seconds=0))
    upgrade_database(database)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(DatabaseBusyError, match="another program holds its lock"):
        select_rows(database, "SELECT * FROM run")
    other.close()
    database.dispose()


def test_upgrade_makes_the_role_and_sql_asks_by_it(
    tmp_path: Path, postgresql_base_url: str
) -> None:
    url = new_postgresql_url(postgresql_base_url)
    early = castline_here(tmp_path, "sql", "SELECT 1", database_url=url)
    assert early.returncode == 1
    assert "run castline db upgrade" in one_line(early.stderr)
    for _ in range(2):  # twice is as once
        assert castline_here(tmp_path, "db", "upgrade", database_url=url).returncode == 0
    ended = castline_here(tmp_path, "sql", "SELECT session_user AS me", "--json", database_url=url)
    name = url.partition("?")[0].rpartition("/")[2]
    assert f'"me": "castline_reader_{name}"' in ended.stdout


def test_who_may_not_make_the_role_is_told_how(tmp_path: Path, postgresql_base_url: str) -> None:
    url = new_postgresql_url(postgresql_base_url)
    name = url.partition("?")[0].rpartition("/")[2]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE plain_{name} LOGIN")
        connection.execute(f"CREATE ROLE maker_{name} LOGIN CREATEROLE")
        connection.execute(f"GRANT ALL ON SCHEMA public TO plain_{name}, maker_{name}")
    plain, maker = (url.replace("postgres:@", f"{who}_{name}@") for who in ("plain", "maker"))
    ended = castline_here(tmp_path, "db", "upgrade", database_url=plain)
    assert ended.returncode == 0
    assert "CASTLINE_SQL_URL" in one_line(ended.stderr.splitlines()[-1])
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"REASSIGN OWNED BY plain_{name} TO maker_{name}")
    assert (
        len(castline_here(tmp_path, "db", "upgrade", database_url=maker).stderr.splitlines()) == 1
    )
    assert castline_here(tmp_path, "sql", "SELECT 1", database_url=maker).returncode == 0
    given = castline_here(tmp_path, "sql", "SELECT 1", database_url=maker, sql_url=maker)
    assert "may do more than read" in one_line(given.stderr)


def test_names_of_roles_are_no_longer_than_a_server_takes() -> None:
    assert role_name("castline") == "castline_reader_castline"
    long = {role_name("x" * 60 + letter) for letter in "ab"}
    assert len(long) == 2
    assert all(len(name) <= 63 for name in long)


def test_the_password_of_the_role_follows_from_castlines_own_and_is_kept_as_a_hash(
    postgresql_base_url: str,
) -> None:
    url = new_postgresql_url(postgresql_base_url)
    name = url.partition("?")[0].rpartition("/")[2]
    database = Database(url.replace("postgres:@", "postgres:Tr0ub4dor@"))
    upgrade_database(database)
    make_reader(database)
    with psycopg.connect(url) as connection:
        kept = connection.execute(
            "SELECT rolpassword FROM pg_authid WHERE rolname = %s", [f"castline_reader_{name}"]
        ).fetchone()
    assert kept is not None
    assert kept[0].startswith("SCRAM-SHA-256$")
    database.dispose()
