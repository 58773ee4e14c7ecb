"""Attacks on the server: what comes from elsewhere, too large, too slow, or with a guessed name."""

import asyncio
import re
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from starlette.exceptions import HTTPException
from starlette.testclient import TestClient

from castline.errors import RequestError
from castline.library import Library
from tests.integration.web.conftest import NAMES, Town, client_of
from tests.servers.commands import COMMAND, castline_here, environment_of, one_line
from tests.waiting import PATIENCE_SECONDS
from web import guard
from web.access import COOKIE, TOKEN_FILE, Access, kept_token
from web.intake import under_media_roots
from web.limits import Idempotency, RateLimit
from web.watching import Watcher

pytestmark = pytest.mark.integration

TOKEN = "an-example-of-a-token-that-nobody-guesses-0"
CHANGE = "/api/v1/runs/1/retry"
"""A request that changes something, if only the run were not done."""


@pytest.mark.parametrize("host", ["127.0.0.1:8321", "localhost:1", "LOCALHOST", "[::1]:8321"])
def test_this_machine_is_answered_by_its_names(client: TestClient, host: str) -> None:
    assert client.get("/api/v1/labels", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8321", "127.0.0.1.evil.example", "localhost.", "127.0.0.2", ""],
)
def test_name_that_was_bound_again_to_this_machine_is_refused(
    client: TestClient, host: str
) -> None:
    for path in ("/", "/api/v1/labels", "/static/castline.css"):
        answer = client.get(path, headers={"host": host})
        assert answer.status_code == HTTPStatus.MISDIRECTED_REQUEST
        assert "apple" not in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "cross-site", "origin": "http://127.0.0.1:8321"},
        {"origin": "http://evil.example"},
        {"origin": "http://127.0.0.1:9999"},
        {"origin": "null"},
        {"origin": ""},
    ],
)
def test_change_that_another_site_asks_for_is_refused(
    client: TestClient, headers: dict[str, str]
) -> None:
    for path in (CHANGE, "/queue/1/retry", "/intakes", "/episodes/1/corrections"):
        answer = client.post(path, headers=headers)
        assert answer.status_code == HTTPStatus.FORBIDDEN, path


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "same-origin", "origin": "http://127.0.0.1:8321"},
        {"origin": "http://127.0.0.1:8321"},
        {},
    ],
)
def test_change_that_a_page_of_ours_or_a_program_asks_for_is_done(
    client: TestClient, headers: dict[str, str]
) -> None:
    assert client.post(CHANGE, headers=headers).json() == {"run": 1, "state": "done"}


def test_no_other_site_may_read_an_answer_or_frame_a_page(client: TestClient) -> None:
    for path in ("/", "/api/v1/labels", "/static/castline.css", "/nothing", "/api/v1/nothing"):
        headers = client.get(path, headers={"origin": "http://evil.example"}).headers
        assert not [name for name in headers if name.startswith("access-control-")]
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["x-content-type-options"] == "nosniff"
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy


@pytest.fixture
def locked(library: Library) -> TestClient:
    return client_of(library, Access(token=TOKEN))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer "},
        {"authorization": f"Bearer {TOKEN}x"},
        {"authorization": f"Basic {TOKEN}"},
        {"cookie": f"{COOKIE}={TOKEN}"},
        {"cookie": f"{COOKIE}="},
    ],
)
def test_nothing_is_answered_without_the_token(locked: TestClient, headers: dict[str, str]) -> None:
    for path in (
        "/",
        "/api/v1/labels",
        "/docs",
        "/api/v1/openapi.json",
        "/api/v1/episodes/1/video",
    ):
        answer = locked.get(path, headers=headers)
        assert answer.status_code == HTTPStatus.UNAUTHORIZED
        assert NAMES[0] not in answer.text
    assert locked.post(CHANGE, headers=headers).status_code == HTTPStatus.UNAUTHORIZED
    assert locked.get("/?token=wrong").status_code == HTTPStatus.UNAUTHORIZED


def test_first_link_is_exchanged_for_a_cookie_without_the_token(locked: TestClient) -> None:
    answer = locked.get(f"/episodes/1?t=1&token={TOKEN}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/episodes/1?t=1")
    cookie = answer.headers["set-cookie"]
    assert TOKEN not in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert locked.get("/").status_code == 200
    assert locked.post(CHANGE).status_code == 200
    foreign = {"sec-fetch-site": "cross-site"}
    assert locked.post(CHANGE, headers=foreign).status_code == HTTPStatus.FORBIDDEN


def test_first_link_leads_to_no_other_site(locked: TestClient) -> None:
    answer = locked.get(f"http://127.0.0.1:8321//evil.example/?token={TOKEN}")
    assert answer.headers["location"].startswith("/evil.example")


def test_program_sends_the_token_in_a_header(locked: TestClient) -> None:
    headers = {"authorization": f"Bearer {TOKEN}"}
    assert locked.get("/api/v1/labels", headers=headers).status_code == 200


def test_token_is_made_once_and_read_by_its_owner_alone(tmp_path: Path) -> None:
    token = kept_token(tmp_path / "home")
    path = tmp_path / "home" / TOKEN_FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert kept_token(tmp_path / "home") == token
    assert len(token) >= 43
    path.chmod(0o644)
    with pytest.raises(RequestError, match="others may read it"):
        kept_token(tmp_path / "home")
    path.chmod(0o600)
    path.write_text("")
    with pytest.raises(RequestError, match="holds no token"):
        kept_token(tmp_path / "home")


def test_token_is_not_in_the_text_of_its_rules() -> None:
    assert TOKEN not in repr(Access(token=TOKEN))


@pytest.mark.parametrize(
    "path",
    [
        *("/static/../access.py", "/static/%2e%2e/access.py", "/static/..%2faccess.py"),
        *("/static//etc/passwd", "/static/%2fetc/passwd", "/static/..\\access.py"),
        *("/api/v1/episodes/..%2f..%2fetc/video", "/api/v1/episodes/1%00/video"),
        *("/api/v1/episodes/1/contact/..%2f1", "/api/v1/episodes/9223372036854775808/video"),
        *("/api/v1/episodes/-1/video", "/api/v1/episodes/99/video"),
    ],
)
def test_no_path_leads_out_of_what_is_served(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code in (404, 405, 422)
    assert "import" not in answer.text
    assert "root:" not in answer.text


@pytest.mark.parametrize(
    "path",
    ["/etc/passwd", "/etc", "../outside.mp4", "..", "link.mp4", "no_such.mp4", "\0", "x" * 5000],
)
def test_path_outside_the_media_roots_is_answered_like_a_missing_one(
    own_town: Town, tmp_path: Path, path: str
) -> None:
    media = tmp_path / "media"
    media.mkdir()
    (tmp_path / "outside.mp4").write_bytes(b"x")
    (media / "link.mp4").symlink_to(tmp_path / "outside.mp4")
    with Town(own_town.home, media).library() as library:
        with pytest.raises(RequestError, match="there is no such file or folder"):
            under_media_roots(library, path)
        answer = client_of(library).post("/api/v1/intakes", json={"path": path})
        assert answer.status_code == 422


def test_without_media_roots_no_path_is_taken(library: Library) -> None:
    anywhere = library.elsewhere(library.home)
    with pytest.raises(RequestError, match="CASTLINE_MEDIA_ROOTS"):
        under_media_roots(anywhere, "/etc")


def test_large_body_is_refused(client: TestClient) -> None:
    large = "x" * (guard.MOST_BODY_BYTES + 1)
    for path, body in (
        ("/api/v1/intakes", {"json": {"path": large}}),
        ("/intakes", {"data": {"path": large}}),
        ("/episodes/1/corrections", {"data": {"verdict": large}}),
    ):
        answer = client.post(path, **body)  # type: ignore[arg-type]
        assert answer.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE, path


def test_large_body_that_hides_its_size_is_refused(client: TestClient) -> None:
    def pieces() -> Iterator[bytes]:
        yield b'{"path": "'
        for _ in range(guard.MOST_BODY_BYTES // 1024 + 1):
            yield b"x" * 1024

    headers = {"content-type": "application/json"}
    answer = client.post("/api/v1/intakes", content=pieces(), headers=headers)
    assert answer.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE


def test_slow_body_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "BODY_SECONDS", 0.01)

    async def never() -> Any:
        await asyncio.sleep(PATIENCE_SECONDS)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()

    headers = [(b"host", b"localhost"), (b"content-length", b"9")]
    scope: dict[str, Any] = {"type": "http", "method": "POST", "path": "/", "headers": headers}
    scope |= {"query_string": b"", "scheme": "http", "server": ("localhost", 80)}
    with pytest.raises(HTTPException) as refused:
        asyncio.run(guard.Guard(app, Access())(scope, never, never))  # type: ignore[arg-type]
    assert refused.value.status_code == HTTPStatus.REQUEST_TIMEOUT


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'{"path": 1}', b"\xff", b"[" * 5000, b'{"path": "a", "b": 1}'],
)
def test_malformed_document_is_a_problem(client: TestClient, body: bytes) -> None:
    headers = {"content-type": "application/json"}
    answer = client.post("/api/v1/intakes", content=body, headers=headers)
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


def test_many_requests_that_start_work_are_slowed_down(library: Library) -> None:
    client = client_of(library)
    statuses = [client.post(CHANGE).status_code for _ in range(40)]
    assert statuses[:30] == [200] * 30
    assert HTTPStatus.TOO_MANY_REQUESTS in statuses
    refused = client.post(CHANGE)
    if refused.status_code == HTTPStatus.TOO_MANY_REQUESTS:  # no second went by meanwhile
        assert int(refused.headers["retry-after"]) >= 1


def test_rate_recovers_with_time() -> None:
    now = [0.0]
    rate = RateLimit(per_minute=60, burst=2, clock=lambda: now[0])
    rate.take()
    rate.take()
    with pytest.raises(HTTPException):
        rate.take()
    now[0] = 1.0
    rate.take()


def test_failed_request_may_be_repeated_with_its_key() -> None:
    keys: Idempotency[int] = Idempotency()
    with pytest.raises(ZeroDivisionError):
        keys.once("a", "x", lambda: 1 // 0)
    assert keys.once("a", "x", lambda: 7) == 7
    assert keys.once("a", "x", lambda: 8) == 7
    with pytest.raises(HTTPException):
        keys.once("a", "y", lambda: 9)


def test_failure_tells_a_client_nothing_of_the_inside(
    client: TestClient, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise ValueError("a secret of the inside")

    monkeypatch.setattr(library, "labels", fail)
    for path in ("/", "/api/v1/labels"):
        answer = client.get(path, headers={"accept": "text/html"})
        assert answer.status_code == HTTPStatus.INTERNAL_SERVER_ERROR
        assert "secret" not in answer.text
        assert "Traceback" not in answer.text


def test_streams_tell_each_change_to_all_who_watch_and_look_once() -> None:
    looks: list[int] = []
    state = [0]

    def look() -> int:
        looks.append(state[0])
        return state[0]

    async def changes(stream: AsyncIterator[bytes], wanted: int) -> int:
        seen = 0
        async for event in stream:
            seen += event.startswith(b"id:")
            if seen == wanted:
                return seen
        return seen

    async def run() -> None:
        watcher = Watcher(look, every_seconds=0.001)
        watching = [asyncio.create_task(changes(watcher.watch(), 3)) for _ in range(50)]
        while not all(task.done() for task in watching):
            state[0] += 1
            await asyncio.sleep(0.01)
        assert [await task for task in watching] == [3] * 50

    asyncio.run(run())
    assert looks == sorted(looks)


def test_server_keeps_its_token_out_of_its_log(town: Town, tmp_path: Path) -> None:
    home = town.copy(tmp_path).home
    settings = environment_of(home, log_format="text", media_roots=str(town.media))
    process = subprocess.Popen(
        [*COMMAND, "serve", "--port", "0", "--token"],
        env=settings,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    line = process.stderr.readline()
    try:
        [port] = re.findall(r"http://127\.0\.0\.1:(\d+)/", line)
        assert str(home / TOKEN_FILE) in line
        token = (home / TOKEN_FILE).read_text()
        client = HTTPConnection("127.0.0.1", int(port))
        client.request("GET", f"/?token={token}")
        first = client.getresponse()
        assert (first.status, first.read()) == (303, b"")
        cookie = (first.headers["set-cookie"] or "").partition(";")[0]
        client.request("GET", "/api/v1/episodes", headers={"cookie": cookie})
        assert NAMES[0] in client.getresponse().read().decode()
        client.request("GET", f"/nothing?token={token}")
        assert client.getresponse().status == 303
        client.close()
    finally:
        process.send_signal(signal.SIGINT)
        said = line + process.communicate(timeout=PATIENCE_SECONDS)[1]
    assert token not in said
    assert "Traceback" not in said
    assert process.returncode in (0, 130)


def test_port_in_use_is_told_in_one_line(town: Town, tmp_path: Path) -> None:
    home = town.copy(tmp_path).home
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = castline_here(home, "serve", "--port", str(port))
    assert done.returncode == 1
    assert f"port {port}: cannot be bound" in one_line(done.stderr)


def test_without_the_extra_the_command_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "web.server", raising=False)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    done = castline_here(tmp_path / "home", "serve")
    assert done.returncode == 1
    assert "pip install 'castline[web]'" in one_line(done.stderr)
