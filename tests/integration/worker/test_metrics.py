"""What Prometheus reads: what all processes of a worker counted, and what the database holds."""

import socket
import struct
import subprocess
import sys
import threading
import urllib.request
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from db.engine import Database
from db.queue.claims import claim_chunks
from db.states import ChunkState
from db.upgrade import upgrade_database
from tests.rows.records import make_run
from tests.waiting import PATIENCE_SECONDS, wait_until
from worker.errors import WorkerError
from worker.settings import Settings
from worker.telemetry import metrics_page
from worker.telemetry.metrics import metrics_folder, serve_metrics

pytestmark = pytest.mark.integration

COUNTS = """
import sys
from worker.telemetry.metrics import open_metrics
from worker.settings import Settings
from db.states import Step

class Half:
    def batch_fill(self, frames):
        return 0.5

metrics = open_metrics(Settings.from_json(sys.argv[1]))
metrics.count_attempts(Step.EXTRACT, 2)
metrics.count_attempts(Step.CLASSIFY, 1)
metrics.count_decoded(100)
metrics.count_classified(24, Half())
metrics.count_refused_message()
"""
"""What a process of a worker does."""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return replace(Settings.from_environment(tmp_path, {}), metrics_port=free_port())


def read(settings: Settings) -> dict[tuple[str, str], float]:
    """The page's samples by name and step."""
    url = f"http://127.0.0.1:{settings.metrics_port}/metrics"
    with urllib.request.urlopen(url, timeout=PATIENCE_SECONDS) as page:
        text = page.read().decode()
    return {
        (sample.name, sample.labels.get("step", sample.labels.get("le", ""))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def count_elsewhere(settings: Settings) -> None:
    subprocess.run([sys.executable, "-c", COUNTS, settings.to_json()], check=True)


def test_the_page_adds_up_all_processes_and_asks_the_database(settings: Settings) -> None:
    database = Database(settings.database_url)
    upgrade_database(database)
    make_run(database)
    with database.write() as connection:
        claim_chunks(connection, ChunkState.QUEUED, "me/1/1", 60)
        connection.exec_driver_sql("UPDATE chunk SET state = 'quarantined' WHERE id = 6")
        connection.exec_driver_sql("UPDATE chunk SET state = 'extracted' WHERE id = 5")
        connection.exec_driver_sql("UPDATE run SET queued_at = '2020-01-01 00:00:00'")
    with serve_metrics(settings, database):
        for _ in range(2):
            count_elsewhere(settings)
        shown = read(settings)
    database.dispose()
    assert shown["castline_frames_decoded_total", ""] == 200
    assert shown["castline_frames_classified_total", ""] == 48
    assert shown["castline_attempts_total", "extract"] == 4
    assert shown["castline_attempts_total", "classify"] == 2
    assert shown["castline_refused_messages_total", ""] == 2
    assert shown["castline_batch_fill_count", ""] == 2
    assert shown["castline_batch_fill_sum", ""] == 1.0
    assert shown["castline_batch_fill_bucket", "0.5"] == 2
    assert shown["castline_batch_fill_bucket", "0.25"] == 0
    assert shown["castline_database_up", ""] == 1
    assert shown["castline_queue_depth", "extract"] == 3
    assert shown["castline_queue_depth", "classify"] == 1
    assert shown["castline_claimed_chunks", ""] == 1
    assert shown["castline_quarantined_chunks", ""] == 1
    assert shown["castline_oldest_unclaimed_chunk_seconds", ""] > 6 * 365 * 86_400


def test_the_page_outlives_the_database_and_counts_anew_in_a_new_worker(
    settings: Settings, tmp_path: Path
) -> None:
    gone = Database("postgresql+psycopg://castline@127.0.0.1:9/castline")
    assert settings.metrics_port is not None
    folder = metrics_folder(settings, settings.metrics_port)
    folder.mkdir(parents=True)
    count_elsewhere(settings)
    with serve_metrics(settings, gone):
        shown = read(settings)
    assert shown["castline_database_up", ""] == 0
    assert ("castline_queue_depth", "extract") not in shown
    assert shown.get(("castline_frames_decoded_total", ""), 0) == 0
    assert not folder.exists()


def connection_to(settings: Settings) -> socket.socket:
    assert settings.metrics_port is not None
    return socket.create_connection(("127.0.0.1", settings.metrics_port), PATIENCE_SECONDS)


def status_of(settings: Settings, request: bytes) -> bytes:
    """The first line of what is answered to a request as it goes over the wire."""
    with connection_to(settings) as asking:
        asking.sendall(request)
        return asking.makefile("rb").readline()


def test_nothing_that_is_asked_for_writes_to_stderr(
    settings: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    database = Database(settings.database_url)
    with serve_metrics(settings, database):
        capfd.readouterr()
        threads_at_rest = threading.active_count()
        for kind in (b"application/openmetrics-text", b"text/plain"):
            accept = b"Accept: %b; version=\x1b[2J\r\n" % kind
            status = status_of(settings, b"GET /metrics HTTP/1.0\r\n" + accept + b"\r\n")
            assert status.startswith(b"HTTP/1.0 200 "), status
        with connection_to(settings) as leaving:
            leaving.sendall(b"GET /met")
            no_time_to_linger = struct.pack("ii", 1, 0)  # closing resets the connection
            leaving.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, no_time_to_linger)
        read(settings)
        wait_until(lambda: threading.active_count() <= threads_at_rest)
    database.dispose()
    assert capfd.readouterr().err == ""


def test_counts_that_are_damaged_are_no_traceback(
    settings: Settings, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    database = Database(settings.database_url)
    assert settings.metrics_port is not None
    with serve_metrics(settings, database):
        capfd.readouterr()
        damaged = metrics_folder(settings, settings.metrics_port) / "counter_1.db"
        # as the library lays it out: what is used of the file, then a key's length and the key
        damaged.write_bytes(struct.pack("=ixxxxi", 64, 16) + b"\xff" * 64)
        status = status_of(settings, b"GET /metrics HTTP/1.0\r\n\r\n")
    database.dispose()
    assert status.startswith(b"HTTP/1.0 500 ")
    assert "metrics cannot be read" in caplog.text
    assert capfd.readouterr().err == ""


def test_whoever_asks_slowly_is_cut_off_and_takes_few_threads(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics_page, "LONGEST_SECONDS", 0.1)
    database = Database(settings.database_url)
    with serve_metrics(settings, database), ExitStack() as connections:
        before = threading.active_count()
        slow = [connections.enter_context(connection_to(settings)) for _ in range(50)]
        for connection in slow:
            with suppress(OSError):  # it may be closed already
                connection.sendall(b"GET /met")
        assert threading.active_count() <= before + metrics_page.MOST_REQUESTS
        for connection in slow:
            with suppress(ConnectionResetError):
                assert b"200" not in connection.recv(100)
        wait_until(lambda: threading.active_count() == before)
        monkeypatch.undo()
        assert read(settings)["castline_database_up", ""] in (0, 1)
    database.dispose()


@pytest.mark.parametrize("address", ["192.0.2.1", "[::1]"])
def test_an_address_elsewhere_is_one_line_that_names_the_address(
    address: str, settings: Settings
) -> None:
    wrong = replace(settings, metrics_address=address)
    with (
        pytest.raises(WorkerError, match=r"CASTLINE_METRICS_ADDRESS: .*; write "),
        serve_metrics(wrong, Database(wrong.database_url)),
    ):
        pass


@pytest.mark.parametrize("address", ["a" * 64, "a..b", "\u00fc" * 64])
def test_an_address_that_is_no_name_of_a_machine_is_one_line(
    address: str, settings: Settings
) -> None:
    wrong = replace(settings, metrics_address=address)
    with (
        pytest.raises(WorkerError, match=r"CASTLINE_METRICS_ADDRESS: .*no name of a machine"),
        serve_metrics(wrong, Database(wrong.database_url)),
    ):
        pass


def test_a_port_that_is_taken_is_one_line(settings: Settings) -> None:
    database = Database(settings.database_url)
    with serve_metrics(settings, database):
        count_elsewhere(settings)
        second = serve_metrics(settings, database)
        with pytest.raises(WorkerError, match="is in use; name another port") as caught:
            second.__enter__()
        assert "\n" not in str(caught.value)
        assert read(settings)["castline_frames_decoded_total", ""] == 100, "nothing is lost by it"


def test_nothing_listens_unless_it_is_asked_for(tmp_path: Path) -> None:
    settings = Settings.from_environment(tmp_path, {})
    with serve_metrics(settings, Database(settings.database_url)):
        assert settings.metrics_port is None
    assert not (tmp_path / "metrics").exists()
