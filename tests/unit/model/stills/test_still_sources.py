"""Folders of labelled stills and files of boxes together: one still per picture."""

from pathlib import Path

import pytest
from PIL import Image

from model.errors import StillsError
from model.stills.files import FoundStills
from model.stills.sources import find_sources
from tests.stills.still_folders import blobs

HEAD = "path,left,top,right,bottom,label\n"
NED = "0.1,0.1,0.5,0.6,ned"
BART = "0.5,0.1,0.6,0.2,bart"


def draw(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(blobs(sum(map(ord, path.name)))).save(path)


def boxes(path: Path, *lines: str) -> Path:
    path.write_text(HEAD + "\n".join(lines) + "\n")
    return path


def seen(found: FoundStills) -> dict[str, tuple[str, int, bool]]:
    """Label, number of boxes and completeness of each still, by its name."""
    return {file.name: (file.label, len(file.boxes), file.all_boxed) for file in found.files}


def wrong(found: FoundStills) -> list[tuple[str, str, str]]:
    return [(box.where, box.picture, box.kind) for box in found.wrong_boxes]


@pytest.fixture
def cast(tmp_path: Path) -> Path:
    folder = tmp_path / "cast"
    draw(folder / "ned/1.png", folder / "ned/2.png", folder / "bart/1.png")
    return folder


def test_picture_of_a_labels_folder_that_has_boxes_is_one_still(cast: Path) -> None:
    csv = boxes(cast.parent / "boxes.csv", f"cast/ned/1.png,{NED}", f"cast/ned/1.png,{BART}")
    for sources in ([cast, csv], [csv, cast]):
        assert seen(find_sources(sources)) == {
            "cast/bart/1.png": ("bart", 0, False),
            # others may be in it without a box: its folder only says that Ned is
            "cast/ned/1.png": ("ned", 2, False),
            "cast/ned/2.png": ("ned", 0, False),
        }


def test_file_of_boxes_alone_gives_only_the_pictures_that_it_names(cast: Path) -> None:
    csv = boxes(cast.parent / "boxes.csv", f"cast/ned/1.png,{BART}", f"cast/ned/1.png,{NED}")
    [still] = find_sources([csv]).files
    assert still.label == "ned"  # of the larger box
    assert sorted(still.labels) == ["bart", "ned"]
    assert still.all_boxed
    assert still.name == f"{cast.parent.name}/cast/ned/1.png"


@pytest.mark.parametrize("inside", ["", "frames", "images"])
def test_folder_of_pictures_with_boxes_is_no_labels_folder(inside: str, tmp_path: Path) -> None:
    frames = tmp_path / "whole" / inside
    draw(frames / "a.png", frames / "b.png", frames / "c.png")
    csv = boxes(tmp_path / "whole" / "boxes.csv", f"a.png,{NED}", f"a.png,{BART}", f"b.png,{BART}")
    for sources in ([csv], [csv, tmp_path / "whole"], [frames, csv]):
        found = find_sources(sources)
        assert sorted(seen(found).values()) == [("bart", 1, True), ("ned", 2, True)]
        listed = [(item.path.name, item.kind) for item in found.left_out]
        assert listed == ([] if sources == [csv] else [("c.png", "no label")])


def test_file_of_boxes_in_a_labels_own_folder_leaves_the_label(cast: Path) -> None:
    csv = boxes(cast / "ned/boxes.csv", f"1.png,{NED}")
    found = find_sources([cast, csv])
    assert seen(found) == {
        "cast/bart/1.png": ("bart", 0, False),
        "cast/ned/1.png": ("ned", 1, False),
        "cast/ned/2.png": ("ned", 0, False),
    }
    assert found.left_out == ()


def test_strangers_name_a_picture_only_where_nobody_else_is(tmp_path: Path) -> None:
    draw(tmp_path / "a.png", tmp_path / "b.png")
    stranger = "0,0,1,1,unknown"
    csv = boxes(tmp_path / "x.csv", f"a.png,{stranger}", f"a.png,{BART}", f"b.png,{stranger}")
    assert [file.label for file in find_sources([csv]).files] == ["bart", "unknown"]


def test_each_wrong_box_is_listed_and_the_others_stay(tmp_path: Path) -> None:
    draw(tmp_path / "a.png", tmp_path / "b.png", tmp_path.parent / "outside.png")
    (tmp_path / "link.png").symlink_to(tmp_path.parent / "outside.png")
    (tmp_path / "ring.png").symlink_to(tmp_path / "ring.png")
    csv = boxes(
        tmp_path / "boxes.csv",
        f"a.png,{NED}",
        "a.png,0.5,0.1,0.5,0.6,ned",  # line 3: no width
        "a.png,0.6,0.1,0.5,0.6,ned",
        "a.png,0.6,0.1,1.2,0.6,ned",
        "a.png,20,15,40,45,ned",  # pixels
        "a.png,left,0,1,1,ned",
        "a.png,nan,0,1,1,ned",
        "a.png,0,0,1e400,1,ned",
        "a.png,0,0,1,1,",  # line 10
        "a.png,0,0,1,1,?!",
        "a.png,0,0,1",
        f",{NED}",
        f"gone.png,{NED}",
        f"/etc/passwd,{NED}",  # line 15
        f"../outside.png,{NED}",
        f"link.png,{NED}",
        f"ring.png,{NED}",
        f"a\0.png,{NED}",
        f"{'a' * 5000}.png,{NED}",  # line 20
        f"a.png,{NED}",  # again: no fault, and no second box
        "b.png,-0.004,0,1.009,1,bart",  # past the edge by a pixel
        "b.png,-3,0,-2,1,bart",
    )
    found = find_sources([csv])
    assert wrong(found) == [
        ("line 3", "a.png", "empty"),
        ("line 4", "a.png", "empty"),
        ("line 5", "a.png", "outside"),
        ("line 6", "a.png", "outside"),
        ("line 7", "a.png", "unreadable"),
        ("line 8", "a.png", "unreadable"),
        ("line 9", "a.png", "unreadable"),
        ("line 10", "a.png", "no label"),
        ("line 11", "a.png", "no label"),
        ("line 12", "a.png", "unreadable"),
        ("line 13", "", "unreadable"),
        ("line 14", "gone.png", "no picture"),
        ("line 15", "/etc/passwd", "refused"),
        ("line 16", "../outside.png", "refused"),
        ("line 17", "link.png", "refused"),
        ("line 18", "ring.png", "no picture"),
        ("line 19", "a\0.png", "no picture"),
        ("line 20", "a" * 200, "no picture"),
        ("line 23", "b.png", "outside"),
    ]
    assert all(box.file == csv and box.reason for box in found.wrong_boxes)
    assert list(found.wrong_boxes[3].corners) == [20, 15, 40, 45]
    # somebody is in them whose box is lost
    folder = tmp_path.name
    assert seen(found) == {
        f"{folder}/a.png": ("ned", 1, False),
        f"{folder}/b.png": ("bart", 1, False),
    }
    assert found.files[1].boxes[0].box.corners == (0.0, 0.0, 1.0, 1.0)


def test_picture_elsewhere_is_taken_where_its_folder_is_a_source_too(cast: Path) -> None:
    (cast.parent / "drawn").mkdir()
    csv = boxes(cast.parent / "drawn/boxes.csv", f"../cast/ned/1.png,{NED}")
    with pytest.raises(StillsError, match=r"leads out of .*name the picture's folder"):
        find_sources([csv])
    assert seen(find_sources([cast, csv]))["cast/ned/1.png"] == ("ned", 1, False)


def test_picture_whose_boxes_are_all_wrong_is_left_out(tmp_path: Path) -> None:
    draw(tmp_path / "a.png", tmp_path / "b.png")
    csv = boxes(tmp_path / "boxes.csv", "a.png,0,0,0,0,ned", f"b.png,{NED}")
    found = find_sources([csv])
    assert [file.path.name for file in found.files] == ["b.png"]
    assert [(item.path.name, item.reason) for item in found.left_out] == [
        ("a.png", "none of its boxes can be used")
    ]


def test_two_files_of_boxes_may_name_one_picture(tmp_path: Path) -> None:
    draw(tmp_path / "a.png")
    one = boxes(tmp_path / "1.csv", f"a.png,{NED}")
    two = boxes(tmp_path / "2.csv", f"a.png,{BART}", f"a.png,{NED}")
    [still] = find_sources([one, two]).files
    assert [(drawn.file.name, drawn.where) for drawn in still.boxes] == [
        ("1.csv", "line 2"),
        ("2.csv", "line 2"),
    ]


def test_pixels_of_a_turned_photograph_are_those_of_the_upright_one(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter to the right: 80x60 is shown as 60x80
    Image.fromarray(blobs(1)).save(tmp_path / "a.jpg", exif=exif)
    region = (
        '{"shape_attributes": {"name": "rect", "x": 30, "y": 40, "width": 30, "height": 20},'
        ' "region_attributes": {"label": "ned"}}'
    )
    path = tmp_path / "via.json"
    path.write_text(f'{{"a.jpg1": {{"filename": "a.jpg", "regions": [{region}]}}}}')
    [still] = find_sources([path]).files
    assert still.boxes[0].box.corners == (0.5, 0.5, 1.0, 0.75)


def test_source_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(StillsError, match="no such file or folder"):
        find_sources([tmp_path / "absent.csv"])


def test_scooby_doo_boxes_are_all_found(shared_data: Path) -> None:
    # counted with cut, sort and uniq
    found = find_sources([shared_data / "scooby_doo/boxes.csv"])
    assert len(found.files) == 3357
    assert sum(len(file.boxes) for file in found.files) == 5545
    assert all(file.all_boxed for file in found.files)
    assert found.wrong_boxes == ()


def test_close_boxes_of_a_second_person_add_a_label(shared_data: Path) -> None:
    sources = [shared_data / name for name in ("simpsons", "simpsons_more", "simpsons_boxes.csv")]
    found = find_sources(sources)
    assert len(found.files) == 15_618 + 1_899
    assert sum(bool(file.boxes) for file in found.files) == 6494
    assert not any(file.all_boxed for file in found.files)
    [family] = [file for file in found.files if file.path.match("homer_simpson/pic_1777.jpg")]
    assert family.label == "homer_simpson"
    assert {"lisa_simpson", "bart_simpson"} < family.labels
