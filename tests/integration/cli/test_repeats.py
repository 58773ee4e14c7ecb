"""Openings and credits: found by their stored frames, listed, and left out of answers."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

import castline as api
from db.changes.episodes import move_episode
from db.engine import Database
from db.library.episodes import get_episode_by_sha256
from db.records import EpisodeRecord
from db.upgrade import upgrade_database
from ingest.frames.write_video import write_video
from ingest.storage.frame_store import FrameStore, StoredFrame, write_frames
from ingest.storage.store_manifest import StoreManifest
from tests.rows.looked_at import looked_at
from tests.rows.records import episode_named, made_model, make_run
from tests.servers.commands import BY_LOT, castline_here, new_home, one_line
from tests.servers.databases import new_postgresql_url

pytestmark = pytest.mark.integration

Picture = npt.NDArray[np.uint8]

EVERY = Fraction(1, 2)
SECONDS = 60
OPENING = 1000
"""Seed of the opening's pictures; others are the episode's own."""

HOMER = {"homer_simpson": [(2_000, 6_000, 0.9), (12_000, 30_000, 0.9)]}
"""In the opening of the first episode, and across its end at 20 s."""


def picture(seed: int, size: tuple[int, int] = (128, 96)) -> Picture:
    blocks = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(blocks, size, interpolation=cv2.INTER_NEAREST), np.uint8)


def shots(own: int, opening_at: int, seconds: int = SECONDS) -> list[int]:
    """The seed of each second's picture: an opening of 20 s, the rest is the episode's own."""
    return [
        OPENING + second - opening_at if opening_at <= second < opening_at + 20 else own + second
        for second in range(seconds)
    ]


class Library:
    """A home with made episodes, on either database."""

    def __init__(self, home: Path, url: str) -> None:
        self.home, self.url = home, url
        self.database = Database(url)
        upgrade_database(self.database)
        self.episodes: list[EpisodeRecord] = []

    @property
    def first(self) -> EpisodeRecord:
        """The episode that was added first."""
        return self.episodes[0]

    def add(self, name: str, seeds: list[int], uri: str = "") -> None:
        """A tagged episode of a minute, with its frames in the store."""
        record = replace(episode_named(uri or name), name=name, end_pts=SECONDS * 1000)
        record = replace(record, uri=uri or record.uri)
        looked_at(self.database, HOMER, episode=record)
        path = FrameStore(self.home / "frames").path_for(
            record.sha256, EVERY, record.start_pts, record.end_pts, record.area
        )
        frames = (StoredFrame(500 * k, picture(seeds[k // 2])) for k in range(2 * SECONDS))
        manifest = StoreManifest(
            *(record.sha256, record.time_base, EVERY, record.start_pts, record.end_pts),
            record.area,
        )
        write_frames(path, frames, manifest)
        self.episodes.append(record)

    def run(self, *arguments: str | Path, code: int = 0) -> tuple[str, str]:
        ended = castline_here(self.home, *arguments, database_url=self.url)
        assert ended.returncode == code, ended.stderr
        return ended.stdout, ended.stderr

    def answer(self, *arguments: str) -> Any:
        return json.loads(self.run(*arguments, "--json")[0])


@pytest.fixture(params=["sqlite", "postgresql"])
def library(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Library]:
    url = f"sqlite:///{tmp_path / 'castline.db'}"
    if request.param == "postgresql":
        url = new_postgresql_url(request.getfixturevalue("postgresql_base_url"))
    made = Library(tmp_path, url)
    yield made
    made.database.dispose()


@pytest.fixture
def town(library: Library) -> Library:
    """Three episodes with an opening at another place in each."""
    for number, opening_at in ((1, 0), (2, 10), (3, 31)):
        library.add(f"Town S01E0{number}.mkv", shots(100 * number, opening_at))
    return library


def ranges(rows: list[dict[str, Any]]) -> dict[str, list[tuple[float, float]]]:
    found: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        found.setdefault(row["episode"], []).append((row["start_seconds"], row["end_seconds"]))
    return found


def test_openings_are_found_listed_and_left_out(town: Library) -> None:
    said = one_line(town.run("episodes", "repeats")[1])
    assert said == (
        "Town S01E01.mkv, Town S01E02.mkv, Town S01E03.mkv: never searched; run: castline episodes"
        " find-repeats"
    )
    rows = town.answer("episodes", "find-repeats")
    assert ranges(rows) == {
        "Town S01E01.mkv": [(0, 20)],
        "Town S01E02.mkv": [(10, 30)],
        "Town S01E03.mkv": [(31, 51)],
    }
    assert rows[0]["elsewhere"] == ["Town S01E02.mkv", "Town S01E03.mkv"]
    assert town.answer("episodes", "repeats") == rows
    assert town.answer("episodes", "repeats", "S01E02") == rows[1:2]
    table, _ = town.run("episodes", "repeats", "--series", "town")
    assert "00:00:31.000  00:00:51.000     20.0  Town S01E01.mkv, Town S01E02.mkv" in table


def test_every_question_can_leave_repeats_out(town: Library, tmp_path: Path) -> None:
    whole = town.answer("screen-time")
    town.run("episodes", "find-repeats")
    assert town.answer("screen-time") == whole
    assert whole[0]["seconds"] == pytest.approx(3 * 22)
    [total] = town.answer("screen-time", "--skip-repeats")
    assert total["seconds"] == pytest.approx(10 + 4 + 22)
    who = town.answer("who", "S01E01", "--skip-repeats")
    assert [(row["start_pts"], row["end_pts"]) for row in who] == [(20_000, 30_000)]
    assert town.answer("who", "S01E01", "--at", "19.9", "--skip-repeats") == []
    when = town.answer("when", "homer", "--skip-repeats")
    assert ranges(when) == {
        "Town S01E01.mkv": [(20, 30)],
        "Town S01E02.mkv": [(2, 6)],
        "Town S01E03.mkv": [(2, 6), (12, 30)],
    }
    absent = town.answer("when", "!homer", "--episode", "S01E01", "--skip-repeats")
    assert ranges(absent) == {"Town S01E01.mkv": [(30, 60)]}
    first = town.answer("first", "homer", "--skip-repeats")
    assert [row["start_seconds"] for row in first] == [20, 2, 2]
    assert town.answer("together", "--skip-repeats") == []
    town.run("export", "S01E01", "-f", "csv", "-o", tmp_path / "out", "--skip-repeats")
    text = (tmp_path / "out" / "Town S01E01.csv").read_text()
    assert "20" in text
    assert len(text.splitlines()) == 2
    town.run("export", "--all", "-f", "csv", "-o", tmp_path / "out", "--skip-repeats")
    assert len((tmp_path / "out" / "episodes.csv").read_text().splitlines()) == 1 + 4
    assert town.run("plot", "S01E01", "-o", tmp_path / "plot.svg", "--skip-repeats")


def test_a_gap_across_a_repeat_is_not_filled(town: Library) -> None:
    town.run("episodes", "find-repeats")
    found = town.answer("when", "homer", "--gap", "60", "--skip-repeats")
    assert ranges(found)["Town S01E01.mkv"] == [(20, 30)]
    assert ranges(found)["Town S01E03.mkv"] == [(2, 30)]


def test_a_question_about_unsearched_episodes_says_so_in_one_line(town: Library) -> None:
    town.run("episodes", "find-repeats", "S01E01")
    town.run("episodes", "find-repeats", "S01E03")
    _, said = town.run("screen-time", "--skip-repeats")
    assert one_line(said) == (
        "Repeats were never sought in Town S01E02.mkv, so nothing is left out there; run: castline"
        " episodes find-repeats"
    )
    assert town.run("who", "S01E01", "--skip-repeats")[1] == ""
    assert "S01E02" in town.run("when", "homer", "--skip-repeats")[1]
    assert town.run("when", "homer", "--skip-repeats", "--episode", "S01E03")[1] == ""


def test_one_episode_is_searched_with_its_neighbours(town: Library) -> None:
    rows = town.answer("episodes", "find-repeats", "S01E02")
    assert ranges(rows) == {"Town S01E02.mkv": [(10, 30)]}
    assert ranges(town.answer("episodes", "repeats")) == ranges(rows)


def test_series_are_searched_apart_and_folders_where_none_is_known(library: Library) -> None:
    for number in (1, 2):
        library.add(f"Town S01E0{number}.mkv", shots(100 * number, 0))
    library.add("City S01E01.mkv", shots(300, 5))
    for own, path in ((400, "/a/one.mkv"), (500, "/a/two.mkv"), (600, "/b/three.mkv")):
        library.add(Path(path).name, shots(own, 0), uri=path)
    rows = library.answer("episodes", "find-repeats")
    assert {row["episode"]: row["elsewhere"] for row in rows} == {
        "Town S01E01.mkv": ["Town S01E02.mkv"],
        "Town S01E02.mkv": ["Town S01E01.mkv"],
        "one.mkv": ["two.mkv"],
        "two.mkv": ["one.mkv"],
    }
    _, said = library.run("episodes", "find-repeats", "--series", "city")
    assert one_line(said) == (
        "City S01E01.mkv: no other episode of the series has stored frames; tag one"
    )


def test_copies_are_named_and_nothing_is_left_out_of_them(library: Library) -> None:
    library.add("Town S01E01.mkv", shots(100, 0))
    library.add("Town S01E01 again.mkv", shots(100, 0))
    out, said = library.run("episodes", "find-repeats")
    assert out == ""
    assert "is a copy of" in said
    assert "nothing recurs" in said


def test_episodes_without_stored_frames_are_named_with_what_to_do(town: Library) -> None:
    shutil.rmtree(town.home / "frames")
    _, said = town.run("episodes", "find-repeats", code=3)
    assert one_line(said).endswith(
        ": the frames are not stored any more; run: castline episodes find-repeats --decode"
    )
    _, said = town.run("episodes", "find-repeats", "--decode", code=3)
    assert "castline episodes locate FOLDER finds moved files" in one_line(said)
    assert town.answer("episodes", "repeats") == []


def test_what_was_never_tagged_is_not_searched(library: Library) -> None:
    for command in ("repeats", "find-repeats"):
        assert one_line(library.run("episodes", command)[1]).startswith("No episodes yet")
    make_run(library.database, episode_named("Town S01E01.mkv"))
    assert "run: castline tag" in library.run("episodes", "find-repeats", "S01E01", code=1)[1]
    said = library.run("episodes", "find-repeats", "--series", "town", code=1)[1]
    assert "no tagged episode is of such a series" in one_line(said)


def test_a_damaged_store_counts_as_none(town: Library) -> None:
    [first, *_] = sorted((town.home / "frames").rglob("*.zip"))
    first.write_bytes(b"not an archive")
    _, said = town.run("episodes", "find-repeats", code=3)
    assert said.count("the frames are not stored any more") == 1
    assert len(town.answer("episodes", "repeats")) == 2


def test_repeats_outlive_reruns_and_moves_and_go_with_their_episode(town: Library) -> None:
    rows = town.answer("episodes", "find-repeats")
    looked_at(town.database, HOMER, episode=town.first, model=made_model("f" * 64, "2"))
    with town.database.write() as connection:
        known = get_episode_by_sha256(connection, town.first.sha256)
        assert known is not None
        move_episode(connection, known, "/elsewhere/Town S01E01.mkv", known.name, "")
    town.run("episodes", "edit", "S01E01", "--title", "Pilot")
    assert town.answer("episodes", "repeats") == rows
    assert town.answer("who", "S01E01", "--skip-repeats", "--model", "cast@2")
    town.run("episodes", "remove", str(known.id), "--yes")
    assert ranges(town.answer("episodes", "repeats")).keys() == {
        "Town S01E02.mkv",
        "Town S01E03.mkv",
    }


def test_the_python_api_says_the_same(tmp_path: Path) -> None:
    made = Library(tmp_path, f"sqlite:///{tmp_path / 'castline.db'}")
    for number, opening_at in ((1, 0), (2, 10), (3, 31)):
        made.add(f"Town S01E0{number}.mkv", shots(100 * number, opening_at))
    steps: list[tuple[int, int]] = []
    with api.open(tmp_path) as opened:
        assert len(opened.unsearched()) == 3
        found = opened.find_repeats(on_progress=lambda _, done, total: steps.append((done, total)))
        assert steps == [(1, 3), (2, 3), (3, 3)]
        assert [float(each.seconds) for each in found] == [20, 20, 20]
        assert found[0].start_pts == 0
        assert opened.unsearched() == ()
        assert opened.repeats().to_dicts() == found.to_dicts()
        assert len(opened.who("S01E01", skip_repeats=True)) == 1
    made.database.dispose()


RATE = Fraction(12)


def video(path: Path, own: int, opening_at: int) -> None:
    seeds = shots(own, opening_at, 45)
    pictures = (picture(seed, (192, 144)) for seed in seeds for _ in range(int(RATE)))
    write_video(path, pictures, RATE)


def test_openings_of_video_files_are_found_from_cut_to_cut(tmp_path: Path) -> None:
    """Also after their frames are gone: --decode reads the files again."""
    home = new_home(tmp_path / "home")
    folder = tmp_path / "videos"
    folder.mkdir()
    starts = {"Town S01E01.mp4": 3, "Town S01E02.mp4": 17}
    for number, (name, start) in enumerate(starts.items(), 1):
        video(folder / name, 100 * number, start)
    assert castline_here(home, "tag", folder, *BY_LOT).returncode == 0
    for _ in range(2):
        ended = castline_here(home, "episodes", "find-repeats", "--decode", "--json")
        assert ended.returncode == 0, ended.stderr
        found = {
            row["episode"]: (row["start_seconds"], row["end_seconds"])
            for row in json.loads(ended.stdout)
        }
        assert found == {name: (start, start + 20) for name, start in starts.items()}
        shutil.rmtree(home / "frames")
