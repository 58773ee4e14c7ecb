"""An episode's video: in ranges, by its number alone, and never another file than was checked."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.integration.web.conftest import NAMES, Town, client_of
from web.app import API

pytestmark = pytest.mark.integration

VIDEO = f"{API}/episodes/1/video"


@pytest.fixture
def content(town: Town) -> bytes:
    return (town.media / NAMES[0]).read_bytes()


def test_whole_file_is_sent_as_what_it_is(client: TestClient, content: bytes) -> None:
    answer = client.get(VIDEO)
    assert (answer.status_code, answer.content) == (200, content)
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["accept-ranges"] == "bytes"
    assert "content-disposition" not in answer.headers


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ("bytes=0-9", slice(0, 10)),
        ("bytes=100-", slice(100, None)),
        ("bytes=-7", slice(-7, None)),
        ("bytes=5-5", slice(5, 6)),
    ],
)
def test_range_is_that_part(client: TestClient, content: bytes, asked: str, part: slice) -> None:
    answer = client.get(VIDEO, headers={"range": asked})
    assert (answer.status_code, answer.content) == (206, content[part])
    start = part.indices(len(content))[0]
    expected = f"bytes {start}-{start + len(answer.content) - 1}/{len(content)}"
    assert answer.headers["content-range"] == expected


def test_range_behind_the_end_is_refused(client: TestClient, content: bytes) -> None:
    answer = client.get(VIDEO, headers={"range": f"bytes={len(content)}-"})
    assert (answer.status_code, answer.headers["content-range"]) == (416, f"bytes */{len(content)}")


def test_head_tells_the_length_alone(client: TestClient, content: bytes) -> None:
    answer = client.head(VIDEO)
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) == len(content)


def test_file_that_a_browser_has_is_not_sent_again(client: TestClient) -> None:
    etag = client.head(VIDEO).headers["etag"]
    for given in (etag, f'"other", {etag}', "*"):
        answer = client.get(VIDEO, headers={"if-none-match": given, "range": "bytes=0-9"})
        assert (answer.status_code, answer.content) == (304, b"")
    other = client.get(VIDEO, headers={"if-range": '"other"', "range": "bytes=0-9"})
    assert other.status_code == 200


def descriptors() -> int:
    return len(list(Path("/dev/fd").iterdir()))


def test_no_descriptor_is_left_open(client: TestClient) -> None:
    client.get(VIDEO)
    before = descriptors()
    for headers in ({}, {"range": "bytes=0-9"}, {"range": "bytes=x"}, {"if-none-match": "*"}) * 5:
        client.get(VIDEO, headers=headers)
    assert descriptors() <= before + 1


def moved(own_town: Town, tmp_path: Path) -> tuple[Town, Path]:
    """A library whose media the test may change."""
    media = tmp_path / "media"
    media.mkdir()
    for name in NAMES:
        (media / name).write_bytes((own_town.media / name).read_bytes())
    with closing(sqlite3.connect(own_town.home / "castline.db")) as database, database:
        database.execute("UPDATE episode SET uri = ? || '/' || name", [str(media)])
    return Town(own_town.home, media), media / NAMES[0]


def test_link_that_leads_out_of_the_media_roots_is_not_followed(
    own_town: Town, tmp_path: Path
) -> None:
    town, video = moved(own_town, tmp_path)
    secret = tmp_path / "secret.mp4"
    video.rename(secret)
    video.symlink_to(secret)
    with town.library() as library:
        answer = client_of(library).get(VIDEO)
    assert answer.status_code == 422
    assert "outside the media folders" in answer.json()["detail"]


def test_file_that_took_the_place_of_an_episode_is_not_shown(
    own_town: Town, tmp_path: Path
) -> None:
    town, video = moved(own_town, tmp_path)
    video.write_bytes(b"a private letter")
    with town.library() as library:
        answer = client_of(library).get(VIDEO)
    assert answer.status_code == 422
    assert "was changed" in answer.json()["detail"]


def test_missing_file_is_told_with_its_remedy(own_town: Town, tmp_path: Path) -> None:
    town, video = moved(own_town, tmp_path)
    video.unlink()
    with town.library() as library:
        answer = client_of(library).get(VIDEO)
    assert answer.status_code == 422
    assert "castline episodes locate" in answer.json()["detail"]


def test_file_whose_name_is_exchanged_during_the_answer_stays_the_checked_one(
    own_town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    town, video = moved(own_town, tmp_path)
    content = video.read_bytes()
    secret = tmp_path / "secret.mp4"
    secret.write_bytes(b"x" * len(content))

    from web import media

    opened = media.VideoResponse.__init__

    def exchange(*arguments: object) -> None:
        opened(*arguments)  # type: ignore[arg-type]
        secret.replace(video)

    monkeypatch.setattr(media.VideoResponse, "__init__", exchange)
    with town.library() as library:
        assert client_of(library).get(VIDEO).content == content
