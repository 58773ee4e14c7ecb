"""CASTLINE_ON_DONE: a web address or a command is told of each run's end, until it listens."""

import json
import logging
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from db.engine import Database
from db.queue.claims import claim_chunks
from db.queue.notices import add_notice
from db.states import ChunkState
from tests.rows.records import end_run, make_run
from tests.servers.commands import BY_LOT, castline, new_home
from tests.video.clips import write_clip
from worker import on_done
from worker.errors import WorkerError
from worker.installation import Installation
from worker.on_done import Teller, note_end, tell_next
from worker.settings import Settings
from worker.steps.claims import record_failure

pytestmark = pytest.mark.integration

SECRET = "s3cr3t"


@dataclass
class Heard:
    """A web server, what it heard, and how it answers: at last with 204."""

    port: int
    answers: list[int] = field(default_factory=list)
    documents: list[dict[str, Any]] = field(default_factory=list)
    authorizations: list[str | None] = field(default_factory=list)

    @property
    def url(self) -> str:
        """With secrets wherever there may be some."""
        return f"http://castline:{SECRET}@localhost:{self.port}/{SECRET}/hook?token={SECRET}"


@pytest.fixture
def heard() -> Iterator[Heard]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.documents.append(json.loads(body))
            found.authorizations.append(self.headers["Authorization"])
            self.send_response(found.answers.pop(0) if found.answers else 204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("localhost", 0), Handler)
    found = Heard(server.server_port)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield found
    server.shutdown()
    thread.join()
    server.server_close()


@contextmanager
def told_at_once(monkeypatch: pytest.MonkeyPatch, attempts: int = 4) -> Iterator[None]:
    monkeypatch.setattr(on_done, "PAUSE_SECONDS", (0.0,) * attempts)
    yield


def place_with(database: Database, listener: str | None) -> Installation:
    return Installation(Settings(Path(), str(database.url), on_done=listener), database)


def ended_run(installation: Installation) -> int:
    """A run that ended, of which somebody wants to know."""
    run_id = make_run(installation.database)
    end_run(
        installation.database, run_id, missing=((1000, 2500),), state="partial", error="it broke"
    )
    with installation.database.write() as connection:
        note_end(connection, installation.settings, run_id)
    return run_id


def test_a_web_address_is_told_how_a_run_ended(database: Database, heard: Heard) -> None:
    place = place_with(database, heard.url)
    run_id = ended_run(place)
    assert tell_next(place)
    assert not tell_next(place)
    [document] = heard.documents
    assert document.pop("ended_at")
    assert document == {
        "run": run_id,
        "episode": "pilot.mkv",
        "model": "cast@1",
        "state": "partial",
        "is_current": True,
        "frames": 720,
        "missing_seconds": [[1.0, 2.5]],
        "error": "it broke",
    }
    assert heard.authorizations == [f"Basic {b64encode(b'castline:s3cr3t').decode()}"]


def test_what_fails_is_tried_again_and_no_secret_is_in_the_log(
    database: Database,
    heard: Heard,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    heard.answers[:] = [500, 404]
    place = place_with(database, heard.url)
    ended_run(place)
    with told_at_once(monkeypatch), caplog.at_level(logging.DEBUG):
        while tell_next(place):
            pass
    assert [document["run"] for document in heard.documents] == [1, 1, 1]
    assert "run 1: localhost answered 500; tried again in 0 s" in caplog.text
    assert SECRET not in caplog.text


def test_it_is_given_up_at_last(
    database: Database, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = place_with(database, f"http://127.0.0.1:9/{SECRET}")
    ended_run(place)
    with told_at_once(monkeypatch, 3):
        assert [tell_next(place) for _ in range(4)] == [True, True, True, False]
    assert caplog.text.count("127.0.0.1 Connection refused") == 3
    assert "given up" in caplog.text
    assert SECRET not in caplog.text


def test_a_notice_is_kept_from_others_while_one_tells_it(database: Database, heard: Heard) -> None:
    place = place_with(database, heard.url)
    ended_run(place)
    heard.answers[:] = [500]
    assert tell_next(place)
    assert not tell_next(place)  # before its pause is over


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (f"sh -c 'echo {SECRET} >&2; exit 3'", "the command ended with code 3"),
        (f"/no/such/{SECRET}", "the command cannot be started (No such file or directory)"),
    ],
)
def test_a_command_that_fails_is_told_without_what_it_says(
    database: Database, caplog: pytest.LogCaptureFixture, command: str, reason: str
) -> None:
    place = place_with(database, command)
    ended_run(place)
    assert tell_next(place)
    assert reason in caplog.text
    assert SECRET not in caplog.text


def test_a_run_that_fails_is_told_of_too(database: Database, heard: Heard) -> None:
    place = place_with(database, heard.url)
    run_id = make_run(database, chunks=((0, 10_000),))
    while True:
        with database.write() as connection:
            claims = claim_chunks(connection, ChunkState.QUEUED, "w/1/1.0", 60)
        if not claims:
            break
        record_failure(place, claims[0], "it broke", lost=False)
    with Teller(place):
        pass
    assert [(each["run"], each["state"]) for each in heard.documents] == [(run_id, "failed")]


def test_where_nobody_wants_to_know_nothing_is_kept(database: Database, heard: Heard) -> None:
    ended_run(place_with(database, None))
    assert not tell_next(place_with(database, heard.url))


def test_a_second_end_of_a_run_is_told_once_more(database: Database, heard: Heard) -> None:
    place = place_with(database, heard.url)
    run_id = ended_run(place)
    with database.write() as connection:
        add_notice(connection, run_id)
    assert [tell_next(place), tell_next(place)] == [True, False]
    assert len(heard.documents) == 1


def test_a_command_is_told_at_the_end_of_castline_tag(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "pilot.mp4", seconds=2)
    told = tmp_path / "told.json"
    ended = castline(new_home(tmp_path / "home"), "tag", clip, *BY_LOT, on_done=f"tee '{told}'")
    assert ended.returncode == 0, ended.stderr
    document = json.loads(told.read_text())
    assert (document["episode"], document["state"]) == ("pilot.mp4", "done")


@pytest.mark.parametrize("text", [f"ftp://{SECRET}", f"https://:{SECRET}", f"'{SECRET}"])
def test_what_is_neither_is_refused_without_being_quoted(tmp_path: Path, text: str) -> None:
    with pytest.raises(WorkerError, match="neither a web address nor a command") as caught:
        Settings.from_environment(tmp_path, {"CASTLINE_ON_DONE": text})
    assert SECRET not in str(caught.value)
