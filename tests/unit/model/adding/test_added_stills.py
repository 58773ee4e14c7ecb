"""Which stills of an added label are used, from folders and files of boxes."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from model.adding.stills import read_added
from model.adding.views import FOLDS, deal_out
from model.errors import StillsError
from tests.stills.still_folders import write_stills


def told(*_: object) -> None:
    """Progress that nobody follows."""


def test_folder_of_any_name_is_of_the_label_and_unreadable_and_equal_files_are_left_out(
    tmp_path: Path,
) -> None:
    folder = write_stills(tmp_path, {"new ones": 12}) / "new ones"
    (folder / "notes.txt").write_text("not a picture")
    (folder / "copy.png").write_bytes((folder / "pic_0003.png").read_bytes())
    added = read_added({"otto": [folder]}, told)
    assert added.stills.labels == ("otto", "unknown")
    assert added.labels == ("otto",)
    assert len(added.stills) == 12
    assert added.left_out == 2
    assert not added.boxed.any()


def test_folder_of_labels_gives_the_one_of_that_name(tmp_path: Path) -> None:
    folder = write_stills(tmp_path, {"otto": 11, "agnes": 14})
    added = read_added({"otto": [folder], "agnes": [folder]}, told)
    assert [len(added.of(number)) for number in range(2)] == [11, 14]


def test_too_few_different_stills_are_refused_in_one_line(tmp_path: Path) -> None:
    folder = write_stills(tmp_path, {"otto": 9}, twins_of="otto")
    with pytest.raises(StillsError, match=r"otto: 9 different pictures of otto, too few") as caught:
        read_added({"otto": [folder / "otto"]}, told)
    assert "\n" not in str(caught.value)


def test_boxes_of_other_labels_are_of_strangers(tmp_path: Path) -> None:
    folder = write_stills(tmp_path, {"frames": 13}) / "frames"
    lines = ["path,left,top,right,bottom,label"]
    for index in range(12):
        # homer's box is the larger one
        lines.append(f"pic_{index:04}.png,0.1,0.1,0.8,0.9,homer")
        lines.append(f"pic_{index:04}.png,0.5,0.2,0.9,0.7,Otto")
    lines.append("pic_0012.png,0.1,0.1,0.8,0.9,homer")
    (folder / "boxes.csv").write_text("\n".join(lines))
    added = read_added({"otto": [folder / "boxes.csv"]}, told)
    assert len(added.stills) == 12
    assert added.boxed.all()
    assert added.stills.all_boxed.all()
    np.testing.assert_array_equal(sorted(added.stills.boxes(0)[:, 0]), [0, 1])
    assert added.stills.label_numbers.tolist() == [0] * 12


def test_near_duplicates_come_into_one_fold_and_folds_are_alike(tmp_path: Path) -> None:
    folder = write_stills(tmp_path, {"otto": 16}, twins_of="otto")
    added = read_added({"otto": [folder / "otto"]}, told)
    folds = deal_out(added, seed=0)
    for group in np.unique(added.groups):
        assert len(np.unique(folds[added.groups == group])) == 1
    assert np.bincount(folds, minlength=FOLDS).tolist() == [8] * FOLDS


def test_picture_that_shows_two_added_labels_is_one_still(tmp_path: Path) -> None:
    folder = tmp_path / "both"
    folder.mkdir()
    lines = ["path,left,top,right,bottom,label"]
    for index in range(24):
        noise = np.random.default_rng(index).integers(0, 256, (40, 60, 3), np.uint8)
        Image.fromarray(noise).save(folder / f"p{index}.png")
        lines.append(f"p{index}.png,0.0,0.0,0.5,0.9,{'otto' if index % 2 else 'agnes'}")
        lines.append(f"p{index}.png,0.5,0.0,0.9,0.9,{'agnes' if index % 2 else 'otto'}")
    path = folder / "boxes.csv"
    path.write_text("\n".join(lines))
    added = read_added({"otto": [path], "agnes": [path]}, told)
    assert len(added.stills) == 24
    assert {len(each) for each in added.stills.label_sets} == {2}
    assert [len(added.of(number)) for number in range(2)] == [12, 12]
