"""The API answers what the library answers, in documents that its own description describes."""

import csv
import io
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from starlette.testclient import TestClient

from castline.library import Library
from tests.integration.web.conftest import NAMES, Town, client_of
from tests.video.clips import write_clip
from tests.waiting import wait_until

pytestmark = pytest.mark.integration

API = "/api/v1"


def test_episodes_come_a_page_at_a_time(client: TestClient) -> None:
    first = client.get(f"{API}/episodes", params={"limit": 1}).json()
    assert [item["episode"] for item in first["items"]] == [NAMES[0]]
    assert first["total"] == 2
    second = client.get(f"{API}/episodes", params={"limit": 1, "after": first["next"]}).json()
    assert [item["title"] for item in second["items"]] == ["Departure"]
    assert second["next"] is None


@pytest.mark.parametrize("order", ["called", "name", "newest", "longest"])
def test_pages_of_each_order_hold_each_episode_once(client: TestClient, order: str) -> None:
    found = all_items(client, "episodes", limit=1, order=order)
    assert sorted(item["episode"] for item in found) == sorted(NAMES)


def all_items(client: TestClient, path: str, **parameters: str | int) -> list[dict[str, Any]]:
    """Follow the cursors from page to page."""
    page = client.get(f"{API}/{path}", params=parameters).json()
    found: list[dict[str, Any]] = page["items"]
    while page["next"] is not None:
        page = client.get(f"{API}/{path}", params={**parameters, "after": page["next"]}).json()
        found += page["items"]
    return found


def test_cursor_of_another_order_is_refused(client: TestClient) -> None:
    first = client.get(f"{API}/episodes", params={"limit": 1}).json()
    answer = client.get(f"{API}/episodes", params={"order": "newest", "after": first["next"]})
    assert answer.status_code == 422
    assert "not a cursor" in answer.json()["detail"]


@pytest.mark.parametrize("cursor", ["x", "W10", "bnVsbA", "eyJhIjoxfQ", "IiI", "%00", "-" * 9000])
def test_text_that_is_no_cursor_is_refused(client: TestClient, cursor: str) -> None:
    for path, more in (("episodes", {}), ("matches", {"expression": "apple"})):
        answer = client.get(f"{API}/{path}", params={"after": cursor, **more})
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("wanted", "number"),
    [
        ({"text": "depart"}, 1),
        ({"text": "the town"}, 2),
        ({"text": "%"}, 0),
        ({"series": "The Town"}, 2),
        ({"series": "The"}, 0),
        ({"season": 1}, 2),
        ({"season": 2}, 0),
        ({"state": "done"}, 2),
        ({"state": "failed"}, 0),
    ],
)
def test_episodes_are_filtered(client: TestClient, wanted: dict[str, str], number: int) -> None:
    answer = client.get(f"{API}/episodes", params=wanted).json()
    assert (len(answer["items"]), answer["total"]) == (number, number)


def test_only_episodes_with_a_character_are_listed(client: TestClient, library: Library) -> None:
    for label in ("apple", "birch", "cedar"):
        expected = {row.episode_id for row in library.when(label)}
        answer = client.get(f"{API}/episodes", params={"label": label}).json()
        assert {item["episode_id"] for item in answer["items"]} == expected


def test_appearances_are_those_of_the_library(client: TestClient, library: Library) -> None:
    answer = client.get(f"{API}/episodes/1/appearances").json()
    expected = library.who(1, places=False)
    assert len(expected) > 3
    assert [(item["label"], item["start_pts"], item["end_pts"]) for item in answer["items"]] == [
        (row.label, row.start_pts, row.end_pts) for row in expected
    ]


def test_number_of_an_episode_is_never_taken_for_a_name(own_town: Town) -> None:
    with own_town.library() as library:
        write_clip(own_town.home / "1.mp4", seconds=2, seed=9)
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(own_town.home)
            assert library.episode(1).episode.name == NAMES[0]
            assert client_of(library).get(f"{API}/episodes/1").json()["episode"] == NAMES[0]


def test_matches_continue_after_the_last_one(client: TestClient, library: Library) -> None:
    expected = [(row.episode_id, row.start_pts) for row in library.when("apple | birch | cedar")]
    assert len(expected) > 3
    found = all_items(client, "matches", expression="apple | birch | cedar", limit=1)
    assert [(item["episode_id"], item["start_pts"]) for item in found] == expected


def test_mistake_in_an_expression_is_a_problem_with_its_position(client: TestClient) -> None:
    answer = client.get(f"{API}/matches", params={"expression": "apple & & birch"})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["position"] == 8


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/episodes/99", 404),
        ("/episodes/0", 422),
        ("/episodes/one", 422),
        ("/episodes?limit=0", 422),
        ("/episodes?limit=9999", 422),
        ("/episodes?order=shoe", 422),
        ("/episodes?label=nobody_here", 404),
        ("/matches", 422),
        ("/matches?expression=nobody_here", 404),
        ("/episodes/1/contact/99", 404),
        ("/episodes/1/still?at=-1", 422),
        ("/episodes/1/still?at=inf", 422),
        ("/episodes/1/appearances?at=1&from=2", 422),
        ("/episodes/1/appearances?at=99999", 404),
        ("/episodes/1/export?format=exe", 422),
        ("/runs/99/cancel", 405),
        ("/nothing", 404),
    ],
)
def test_each_error_is_a_problem(client: TestClient, path: str, status: int) -> None:
    answer = client.get(API + path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert document["status"] == status
    assert document["detail"]
    assert "Traceback" not in answer.text


def test_answer_that_a_client_has_is_not_sent_again(client: TestClient) -> None:
    first = client.get(f"{API}/episodes")
    again = client.get(f"{API}/episodes", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    other = client.get(f"{API}/episodes?limit=1", headers={"if-none-match": first.headers["etag"]})
    assert other.status_code == 200


def test_contact_sheets_show_the_sampled_frames_at_their_times(
    client: TestClient, library: Library
) -> None:
    about = client.get(f"{API}/episodes/1/contact").json()
    [times] = about["sheets"]
    assert times == [number / 2 for number in range(24)]
    sheet = picture(client.get(f"{API}/episodes/1/contact/0").content)
    width, height = about["width"], about["height"]
    assert sheet.shape[:2] == (3 * height, about["columns"] * width)
    for number in (0, 11, 23):
        row, column = divmod(number, about["columns"])
        shown = sheet[row * height : (row + 1) * height, column * width : (column + 1) * width]
        still = picture(client.get(f"{API}/episodes/1/still?at={times[number]}").content)
        small = cv2.resize(still, (width, height), interpolation=cv2.INTER_AREA)
        assert np.abs(shown.astype(int) - small).mean() < 6


def picture(jpeg: bytes) -> NDArray[np.uint8]:
    found = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert found is not None
    return np.asarray(found, np.uint8)


def test_only_a_picture_of_the_current_run_is_kept_for_ever(client: TestClient) -> None:
    run = client.get(f"{API}/episodes/1").json()["current_run"]
    kept = client.get(f"{API}/episodes/1/still?run={run}").headers["cache-control"]
    asked_again = client.get(f"{API}/episodes/1/still?run={run + 100}").headers["cache-control"]
    assert "immutable" in kept
    assert "immutable" not in asked_again


def test_export_is_the_file_that_the_command_writes(
    client: TestClient, library: Library, tmp_path: Path
) -> None:
    answer = client.get(f"{API}/episodes/1/export?format=csv")
    assert answer.headers["content-disposition"].startswith("attachment;")
    [path] = library.export(1, "csv", tmp_path).files
    assert answer.content == path.read_bytes()
    assert len(list(csv.reader(io.StringIO(answer.text)))) > 3


def test_correction_counts_and_can_be_undone(own_client: TestClient, own_library: Library) -> None:
    wrong = own_library.who(1)[0]
    said = {"label": wrong.label, "at": wrong.start_seconds, "whole": True, "wrong": True}
    made = own_client.post(f"{API}/episodes/1/corrections", json={**said, "reason": "a shadow"})
    assert made.status_code == 201
    [correction] = made.json()["items"]
    assert wrong.start_pts not in starts_of(own_client, wrong.label)
    listed = own_client.get(f"{API}/corrections", params={"episode": 1}).json()["items"]
    assert [(item["key"], item["reason"]) for item in listed] == [(correction["key"], "a shadow")]
    undone = own_client.post(f"{API}/corrections/{correction['key']}/undo")
    assert undone.status_code == 201
    assert wrong.start_pts in starts_of(own_client, wrong.label)


def starts_of(client: TestClient, label: str) -> list[int]:
    items = client.get(f"{API}/episodes/1/appearances").json()["items"]
    return [item["start_pts"] for item in items if item["label"] == label]


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"label": "apple"},
        {"label": "apple", "at": 1, "wrong": True, "right": True},
        {"label": "apple", "from": 3, "to": 2, "right": True},
        {"label": "apple", "at": -1, "right": True},
        {"label": "apple", "at": 1, "is": "nobody_here"},
        {"label": "apple", "at": 1, "right": True, "more": 1},
        {"label": "x" * 300, "at": 1, "right": True},
    ],
)
def test_verdict_that_makes_no_sense_changes_nothing(
    own_client: TestClient, said: dict[str, object]
) -> None:
    answer = own_client.post(f"{API}/episodes/1/corrections", json=said)
    assert answer.status_code in (404, 422)
    assert answer.headers["content-type"] == "application/problem+json"
    assert own_client.get(f"{API}/corrections").json()["items"] == []


def test_file_is_enqueued_in_the_background_and_once_for_a_key(
    own_town: Town, own_library: Library, own_client: TestClient
) -> None:
    folder = own_town.media / "new"
    folder.mkdir(exist_ok=True)
    write_clip(folder / "third.mp4", seconds=2, seed=3)
    (folder / "notes.mp4").write_text("#EXTM3U\n/etc/passwd\n")
    wanted = {"path": "new", "model": "by_lot"}
    headers = {"idempotency-key": "7b1c"}
    taken = own_client.post(f"{API}/intakes", json=wanted, headers=headers)
    assert taken.status_code == 202
    again = own_client.post(f"{API}/intakes", json=wanted, headers=headers)
    assert again.json()["id"] == taken.json()["id"]
    other = own_client.post(f"{API}/intakes", json={"path": "."}, headers=headers)
    assert other.status_code == 422
    place = taken.headers["location"]
    wait_until(lambda: own_client.get(place).json()["state"] in ("done", "refused"))
    done = own_client.get(place).json()
    assert (done["state"], done["new"], len(done["runs"])) == ("done", 1, 1)
    [refused] = done["refused"]
    assert "playlist" in refused
    [run] = own_client.get(f"{API}/runs").json()["open"]
    assert (run["run"], run["episode"], run["state"]) == (done["runs"][0], "third.mp4", "queued")
    cancelled = own_client.post(f"{API}/runs/{run['run']}/cancel").json()
    assert cancelled["state"] == "cancelled"
    assert own_client.get(f"{API}/runs").json()["open"] == []
    assert own_client.post(f"{API}/runs/{run['run']}/retry").json()["state"] == "queued"


def test_queue_tells_that_it_moved_on(own_client: TestClient) -> None:
    before = own_client.get(f"{API}/runs").json()
    assert len(before["ended"]) == 2
    assert before["ended"][0]["chunks_done"] == before["ended"][0]["chunks_total"]
    assert own_client.get(f"{API}/workers").json() == []


def test_description_names_each_operation_and_its_problems(client: TestClient) -> None:
    about = client.get(f"{API}/openapi.json").json()
    assert about["openapi"].startswith("3.1")
    for path, operations in about["paths"].items():
        assert path.startswith(API)
        for operation in operations.values():
            assert operation["description"]
            kinds = operation["responses"]["422"]["content"]
            assert list(kinds) == ["application/problem+json"]


@pytest.mark.parametrize(
    ("path", "allowed"),
    [("/intakes", "GET, POST"), ("/episodes/1/video", "GET"), ("/runs/1/cancel", "POST")],
)
def test_wrong_method_is_told_all_right_ones(client: TestClient, path: str, allowed: str) -> None:
    answer = client.delete(API + path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
