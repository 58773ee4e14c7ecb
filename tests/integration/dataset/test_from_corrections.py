"""Stills of what people corrected: of the right label, from well inside, and found again."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import insert, text, update

from castline.library import Library
from db.library.runs import ended_chunks
from db.schema import chunk, tag
from ingest.decoder.parent import Decoder
from tests.rows.ended_runs import ended_run, place_of
from tests.servers.commands import castline_here, one_line
from tests.video.seen_colours import HEIGHT, SHOTS, WIDTH, Block, shot_at, write_colours
from tests.video.seen_colours import write_episode as write_colours_episode

pytestmark = pytest.mark.integration

SEEN = {
    "apple": [(0, 2), (4, 6), (8, 10)],
    "birch": [(2, 4), (4, 6), (10, 12)],
    "cedar": [(4, 6)],
}
"""Seconds, as the shots of the episode have them."""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with a run over 16 s of coloured blocks, each tagged where it is."""
    home = tmp_path / "home"
    with place_of(home) as place, Decoder() as decoder:
        version = write_colours(place.settings.models_folder)
        clip = write_colours_episode(tmp_path / "colours.mp4", seconds=16)
        run_id = ended_run(place, decoder, clip, version, SEEN)
        with place.database.write() as connection:
            connection.execute(update(chunk).values(state="tagged"))
            base = connection.execute(
                text("SELECT time_base_num * 1.0 / time_base_den FROM episode")
            ).scalar_one()
            tagged, _ = ended_chunks(connection, run_id)
            rows = [
                _tag(run_id, pts, pts * base, block)
                for part in tagged
                for pts in part.sampled_pts
                for block in SHOTS[shot_at(pts * base)]
            ]
            connection.execute(insert(tag), rows)
    return home


@pytest.fixture
def library(home: Path) -> Iterator[Library]:
    with Library.at(home) as library:
        yield library


def _tag(run_id: int, pts: int, seconds: float, block: Block) -> dict[str, object]:
    left, right = block.left / WIDTH, block.right / WIDTH
    top, bottom = block.top / HEIGHT, block.bottom / HEIGHT
    return {
        "run_id": run_id,
        "pts": pts,
        "label": block.label,
        "region": "full",
        "confidence": 0.98,
        "seconds": seconds,
        "place_x": (left + right) / 2,
        "place_y": (top + bottom) / 2,
        "place_width": right - left,
        "place_height": bottom - top,
    }


def stills(folder: Path) -> dict[str, list[Path]]:
    return {
        path.name: sorted(path.glob("*.jpg")) for path in sorted(folder.iterdir()) if path.is_dir()
    }


def sources(folder: Path) -> list[dict[str, str]]:
    with (folder / "_sources.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def mean_colour(path: Path) -> list[float]:
    """Of the middle of a picture."""
    with Image.open(path) as picture:
        pixels = np.asarray(picture.convert("RGB"), float)
    height, width, _ = pixels.shape
    middle = pixels[height // 3 : height * 2 // 3, width // 3 : width * 2 // 3]
    return [float(each) for each in middle.mean(axis=(0, 1))]


def test_a_confusion_goes_to_the_right_label_from_well_inside(
    library: Library, tmp_path: Path
) -> None:
    [made] = library.correct("colours", "apple", at=1, whole=True, is_="elder", new=True)
    out = tmp_path / "out"
    done = library.stills_from_corrections(out)
    assert dict(done.counts) == {"elder": len(stills(out)["elder"])}
    for row in sources(out):
        assert 0.5 <= float(row["seconds"]) < 1.5
        assert (row["label"], row["correction"], row["holds"]) == ("elder", made.key, "yes")
        assert (row["said_of"], row["part"]) == ("apple", "around apple")
        assert row["path"].endswith("colours.mp4")
        red, green, blue = mean_colour(out / row["still"])
        assert red > 2 * max(green, blue)  # the block that was taken for an apple


def test_a_stranger_goes_to_unknown(library: Library, tmp_path: Path) -> None:
    library.correct("colours", "birch", at=3, whole=True, wrong=True)
    done = library.stills_from_corrections(tmp_path / "out")
    assert set(done.counts) == {"unknown"}
    red, green, blue = mean_colour(stills(tmp_path / "out")["unknown"][0])
    assert green > 2 * max(red, blue) * 0.8


def test_where_somebody_known_is_no_stranger_is_shown(home: Path, tmp_path: Path) -> None:
    with place_of(home) as place, place.database.write() as connection:
        connection.execute(
            text("UPDATE tag SET place_x = 0.15, place_y = 0.33 WHERE label = 'cedar'")
        )
    with Library.at(home) as library:
        library.correct("colours", "apple", from_=4, to=6, wrong=True)
        done = library.stills_from_corrections(tmp_path / "out")
    assert not done.counts
    assert set(done.left_out) == {"somebody else is there"}


def test_who_was_missed_is_shown_whole_where_nobody_else_is(
    library: Library, tmp_path: Path
) -> None:
    library.correct("colours", from_=6, to=8, add="cedar")
    library.correct("colours", from_=2, to=4, add="cedar")  # beside a birch, no place is told
    done = library.stills_from_corrections(tmp_path / "out")
    assert set(done.counts) == {"cedar"}
    assert done.left_out["somebody else is there"] > 0
    for path in stills(tmp_path / "out")["cedar"]:
        with Image.open(path) as picture:
            assert picture.size == (WIDTH, HEIGHT)
    assert all(6.5 <= float(row["seconds"]) < 7.5 for row in sources(tmp_path / "out"))


def test_what_the_model_knew_well_is_taken_only_if_it_is_asked_for(
    library: Library, tmp_path: Path
) -> None:
    library.correct("colours", "apple", from_=0, to=2, right=True)
    first = library.stills_from_corrections(tmp_path / "out")
    assert not first.counts
    assert first.left_out == {"the model knew it well (--easy takes these)": 1}
    assert set(library.stills_from_corrections(tmp_path / "out", easy=True).counts) == {"apple"}


def test_nothing_is_added_twice_and_what_was_undone_is_marked(
    library: Library, home: Path, tmp_path: Path
) -> None:
    [made] = library.correct("colours", "apple", at=1, whole=True, is_="birch")
    library.correct("colours", "birch", from_=2, to=4, wrong=True)
    out = tmp_path / "out"
    first = library.stills_from_corrections(out)
    moved = stills(out)["birch"][0]
    (out / "checked").mkdir()
    moved.rename(out / "checked" / "mine.jpg")  # a person may move them
    removed = stills(out)["unknown"][0]
    removed.unlink()  # and remove them
    assert not library.stills_from_corrections(out).counts
    assert len(sources(out)) == sum(first.counts.values())
    assert [row["label"] for row in sources(out) if row["still"] == ""] == ["unknown"]

    library.undo_corrections([made.key])
    again = library.stills_from_corrections(out)
    assert again.stale == first.counts["birch"]
    marked = {row["still"] for row in sources(out) if row["holds"] == "no"}
    assert "checked/mine.jpg" in marked
    said = castline_here(home, "dataset", "from-corrections", "-o", out)
    assert said.returncode == 0
    assert "0 new stills" in said.stderr
    assert f"{again.stale} stills are of corrections that were undone" in said.stderr


def test_a_dataset_is_built_of_them(library: Library, home: Path, tmp_path: Path) -> None:
    library.correct("colours", "apple", from_=0, to=16, is_="cedar")
    library.correct("colours", "birch", from_=0, to=16, is_="elder", new=True)
    library.stills_from_corrections(tmp_path / "out")
    folder = tmp_path / "dataset"
    done = castline_here(
        home, "dataset", "build", tmp_path / "out", "-o", folder, "--split", "random"
    )
    assert done.returncode == 0, done.stderr
    report = json.loads((folder / "report.json").read_text("utf-8"))
    assert report["left_out"] == []


def test_frames_that_are_not_stored_are_decoded_again(
    library: Library, home: Path, tmp_path: Path
) -> None:
    library.correct("colours", "apple", at=1, whole=True, is_="birch")
    for path in (home / "frames").rglob("*.zip"):
        path.unlink()
    assert set(library.stills_from_corrections(tmp_path / "out").counts) == {"birch"}
    for path in (home / "frames").rglob("*.zip"):
        path.unlink()
    (tmp_path / "colours.mp4").unlink()
    done = library.stills_from_corrections(tmp_path / "other")
    assert not done.counts
    assert set(done.left_out) == {"the frames are not stored, and the file is not there"}


def test_an_output_that_is_a_file_is_refused(home: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    done = castline_here(home, "dataset", "from-corrections", "-o", tmp_path / "out")
    assert done.returncode == 1
    assert "is not a folder" in one_line(done.stderr)
