"""What workers say when their log is JSON: that, and nothing else."""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.rows.found import rows
from tests.servers.cluster import cluster
from tests.servers.commands import BY_LOT, castline, castline_here, new_home
from tests.video.clips import write_clip
from tests.waiting import PATIENCE_SECONDS
from worker.telemetry.log import configure_logging
from worker.telemetry.relay import Relay

pytestmark = pytest.mark.integration

WORKERS = (("extract", 1), ("classify", 1))


def read(text: str) -> list[dict[str, Any]]:
    """A log's lines, each of which has to be a JSON object."""
    lines = [json.loads(line) for line in text.splitlines()]
    assert all(isinstance(line, dict) for line in lines)
    return lines


def told(lines: Iterable[dict[str, Any]], message: str) -> list[tuple[int, int, int]]:
    """Run, chunk and attempt of each line with this message, in order of chunks."""
    found = [line for line in lines if line["message"] == message]
    return sorted((line["run"], line["chunk"], line["attempt"]) for line in found)


def test_celery_workers_log_each_chunk_and_nothing_that_is_not_json(
    postgresql_base_url: str, tmp_path: Path
) -> None:
    clip = write_clip(tmp_path / "made.mp4")
    settings: dict[str, str | int] = {"chunk_seconds": 10, "log_format": "json"}
    with cluster(tmp_path / "home", postgresql_base_url, WORKERS, **settings) as workers:
        workers.broker.client.lpush("castline:extract.bulk", b"null")
        assert workers.enqueue(clip, log_format="").returncode == 0
        workers.wait_until_done()
        chunks = workers.ask("SELECT run_id, id, attempts FROM chunk ORDER BY id")
        assert len(chunks) > 1
        for worker in workers.workers.values():
            worker.send_signal(signal.SIGTERM)
        for worker in workers.workers.values():
            assert worker.wait(PATIENCE_SECONDS) == 0
        lines = read(workers.log_text())
    # One attempt to extract, and one to classify.
    assert told(lines, "extracted") == [(run, chunk, 1) for run, chunk, _ in chunks]
    assert told(lines, "tagged") == [tuple(chunk) for chunk in chunks]
    assert any(line["message"].startswith("refused a message in extract.bulk") for line in lines)
    assert {line["message"] for line in lines} >= {
        "Working; Ctrl-C stops, and the next start continues from there."
    }
    assert not any("received" in line["message"] and "Task" in line["message"] for line in lines)


def test_the_embedded_worker_says_all_of_it_in_json(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "made.mp4")
    home = new_home(tmp_path / "home")
    assert castline_here(home, "enqueue", clip, *BY_LOT, chunk_seconds=10).returncode == 0
    ended = castline(home, "--log-format", "json", "worker", "--until-idle", "--device", "cpu")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == ""
    lines = read(ended.stderr)
    chunks = rows(home, "SELECT run_id, id FROM chunk ORDER BY id")
    for message in ("extracted", "tagged"):
        assert [place[:2] for place in told(lines, message)] == [tuple(row) for row in chunks]
    assert any("made.mp4: done" in line["message"] for line in lines)
    assert any("Most time went to" in line["message"] for line in lines)


def test_an_error_is_a_line_of_the_log_too(tmp_path: Path) -> None:
    ended = castline_here(
        tmp_path / "home", "--log-format", "json", "worker", broker_url="amqp://a:secret@host"
    )
    assert ended.returncode == 1
    last = read(ended.stderr)[-1]
    assert last["level"] == "ERROR"
    assert last["message"].startswith("CASTLINE_BROKER_URL: not the URL of a Redis server")


PRINTS = r"""
import os, sys
os.write(1, b"a library's line\n\n{no JSON}\n[1]\n")
os.write(2, b'{"message": "its own", "run": 3}\n')
os.write(2, b"\xff\xfe, and no end of line")
"""


def test_what_a_process_prints_besides_its_log_becomes_lines_of_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_this_process_as_it_is(monkeypatch)
    configure_logging("json")
    process = subprocess.Popen(
        [sys.executable, "-c", PRINTS],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    assert process.stdout is not None
    Relay(process.stdout, "extract").join(PATIENCE_SECONDS)
    assert process.wait() == 0
    lines = read(capsys.readouterr().err)
    assert [line["message"] for line in lines] == [
        *("a library's line", "{no JSON}", "[1]", "its own", "\ufffd\ufffd, and no end of line")
    ]
    assert [line.get("step") for line in lines] == [*["extract"] * 3, None, "extract"]
    assert lines[3] == {"message": "its own", "run": 3}


def test_an_error_that_ends_a_thread_or_a_process_is_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_this_process_as_it_is(monkeypatch)
    configure_logging("json")

    def fail() -> None:
        raise ValueError("two\nlines")

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    try:
        fail()
    except ValueError:
        sys.excepthook(*sys.exc_info())
    lines = read(capsys.readouterr().err)
    assert [line["message"] for line in lines] == [
        *("a thread ended by an error", "ended by an error")
    ]
    assert all("ValueError: two\nlines" in line["exc_info"] for line in lines)


def keep_this_process_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logging.root.handlers", [])
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
