"""Which files of a folder are stills, and of whom; no file is opened for that."""

import re
from pathlib import Path

import pytest

from model.errors import LabelError, StillsError
from model.stills.files import find_stills


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def labels_of(*sources: Path) -> dict[str, str]:
    return {file.name: file.label for file in find_stills(sources).files}


def test_a_folder_per_label(tmp_path: Path) -> None:
    source = touch(tmp_path / "stills", "bart/pic_0001.jpg", "bart/x.PNG", "ned/pic_0001.jpg")
    assert labels_of(source) == {
        "stills/bart/pic_0001.jpg": "bart",
        "stills/bart/x.PNG": "bart",
        "stills/ned/pic_0001.jpg": "ned",
    }


def test_train_and_test_folders_are_merged(tmp_path: Path) -> None:
    source = touch(tmp_path / "kaggle", "train/bart/1.jpg", "test/bart/2.jpg", "test/ned/3.bmp")
    assert list(labels_of(source).values()) == ["bart", "ned", "bart"]


def test_flat_test_folder_beside_labels_folders_is_labelled_by_names(tmp_path: Path) -> None:
    nested = touch(
        tmp_path / "archive",
        "simpsons_dataset/simpsons_dataset/bart_simpson/pic_0000.jpg",
        "simpsons_dataset/simpsons_dataset/ned_flanders/pic_0000.jpg",
        "kaggle_simpson_testset/kaggle_simpson_testset/bart_simpson_0.jpg",
        "kaggle_simpson_testset/kaggle_simpson_testset/ned_flanders_12.jpg",
        "kaggle_simpson_testset/kaggle_simpson_testset/Thumbs.db",
    )
    found = find_stills([nested])
    assert sorted(file.label for file in found.files) == sorted(
        ["bart_simpson", "ned_flanders"] * 2
    )
    assert [(item.path.name, item.kind) for item in found.left_out] == [("Thumbs.db", "no label")]


def test_flat_folder_as_a_source_of_its_own(tmp_path: Path) -> None:
    flat = touch(
        tmp_path / "more", "bart_simpson_0.jpg", "ned_flanders_12.jpg", "ned_flanders_3.jpg"
    )
    assert list(labels_of(flat).values()) == ["bart_simpson", "ned_flanders", "ned_flanders"]
    named = touch(tmp_path / "test", "bart_1.jpg", "bart_2.jpg")
    assert set(labels_of(named).values()) == {"bart"}


def test_names_that_are_nothing_but_a_number_are_no_labels(tmp_path: Path) -> None:
    source = touch(tmp_path / "s", "train/bart/1.jpg", "test/12.jpg", "test/0013.jpg")
    found = find_stills([source])
    assert [file.name for file in found.files] == ["s/train/bart/1.jpg"]
    assert [item.path.name for item in found.left_out] == ["0013.jpg", "12.jpg"]
    digits = touch(tmp_path / "test", "7_12.jpg", "3_0.jpg")  # labels that are digits themselves
    assert list(labels_of(digits).values()) == ["3", "7"]


def test_numbered_files_in_a_labels_folder_keep_its_label(tmp_path: Path) -> None:
    source = touch(tmp_path / "s", "bart/img_1.jpg", "bart/frame_2.jpg", "ned/ned_1.jpg")
    assert set(labels_of(source).values()) == {"bart", "ned"}


def test_sources_are_merged_and_one_that_is_named_twice_counts_once(tmp_path: Path) -> None:
    first = touch(tmp_path / "first", "bart/1.jpg")
    second = touch(tmp_path / "second", "bart/1.jpg", "ned/1.jpg")
    names = list(labels_of(first, second, tmp_path / "second" / ".." / "first"))
    assert names == ["first/bart/1.jpg", "second/bart/1.jpg", "second/ned/1.jpg"]


def test_hidden_files_are_passed_over_and_undecided_folders_listed(tmp_path: Path) -> None:
    source = touch(
        tmp_path / "s", "bart/1.jpg", "bart/.DS_Store", ".git/x/1.jpg", "_unsure/pic_0000.jpg"
    )
    found = find_stills([source])
    assert [file.name for file in found.files] == ["s/bart/1.jpg"]
    [left_out] = found.left_out
    assert left_out.path.name == "_unsure"


def test_linked_folders_are_looked_into_under_the_names_of_the_links(tmp_path: Path) -> None:
    elsewhere = touch(tmp_path / "disk", "stills_7/1.jpg", "more/ned/2.jpg")
    source = touch(tmp_path / "s", "bart/1.jpg")
    (source / "lisa").symlink_to(elsewhere / "stills_7")
    (source / "train").symlink_to(elsewhere / "more")
    assert labels_of(source) == {
        "s/bart/1.jpg": "bart",
        "s/lisa/1.jpg": "lisa",
        "s/train/ned/2.jpg": "ned",
    }


def test_links_that_lead_back_are_listed_and_not_followed(tmp_path: Path) -> None:
    elsewhere = touch(tmp_path / "disk", "ned/1.jpg")
    source = touch(tmp_path / "s", "bart/1.jpg")
    (source / "disk").symlink_to(elsewhere)
    (source / "bart" / "all").symlink_to(source)
    (source / "bart" / "above").symlink_to(tmp_path)
    (elsewhere / "back").symlink_to(source)
    (elsewhere / ".hidden").symlink_to(source)
    found = find_stills([source])
    assert [file.name for file in found.files] == ["s/bart/1.jpg", "s/disk/ned/1.jpg"]
    assert [item.path.relative_to(source).as_posix() for item in found.left_out] == [
        "bart/above",
        "bart/all",
        "disk/back",
    ]
    assert {item.reason for item in found.left_out} == {"a link to a folder that it lies in"}


def test_absent_source_is_named(tmp_path: Path) -> None:
    with pytest.raises(StillsError, match="absent: no such folder"):
        find_stills([tmp_path / "absent"])


def test_folders_in_any_script_are_labels_and_their_names_are_kept(tmp_path: Path) -> None:
    written = ("バート", "Éd", "Dr. Nick", "Милхаус", "=1+1", "ned_flanders", "Unknown")
    touch(tmp_path / "s" / "train", *(f"{name}/pic_0001.jpg" for name in written))
    found = find_stills([tmp_path / "s"])
    assert {file.path.parent.name: file.label for file in found.files} == {
        "バート": "バート",
        "Éd": "éd",
        "Dr. Nick": "dr_nick",
        "Милхаус": "милхаус",
        "=1+1": "1_1",
        "ned_flanders": "ned_flanders",
        "Unknown": "unknown",
    }
    assert found.names == {
        "éd": "Éd",
        "dr_nick": "Dr. Nick",
        "милхаус": "Милхаус",
        "1_1": "=1+1",
    }


def test_names_of_files_in_a_flat_folder_may_be_of_any_script(tmp_path: Path) -> None:
    flat = touch(tmp_path / "test", "バート_1.jpg", "Dr. Nick 2.jpg", "🙂_3.jpg")
    found = find_stills([flat])
    assert sorted(file.label for file in found.files) == ["dr_nick", "バート"]
    assert found.names == {"dr_nick": "Dr. Nick"}
    assert [item.path.name for item in found.left_out] == ["🙂_3.jpg"]


def test_folders_beside_each_other_that_have_one_label_are_both_named(tmp_path: Path) -> None:
    source = touch(tmp_path / "s", "train/Dr. Nick/1.jpg", "train/dr_nick/1.jpg", "train/ned/1.jpg")
    with pytest.raises(StillsError, match=r"folders 'Dr\. Nick' and 'dr_nick' both have the label"):
        find_stills([source])


def test_folders_of_several_sources_and_sets_that_have_one_label_are_merged(
    tmp_path: Path,
) -> None:
    source = touch(tmp_path / "s", "train/dr_nick/1.jpg", "test/Dr. Nick/1.jpg")
    other = touch(tmp_path / "t", "DR NICK/1.jpg")
    found = find_stills([source, other])
    assert {file.label for file in found.files} == {"dr_nick"}
    assert found.names == {"dr_nick": "Dr. Nick"}


@pytest.mark.parametrize("name", ["🙂", "+++"])
def test_a_folder_that_makes_no_label_is_named(name: str, tmp_path: Path) -> None:
    source = touch(tmp_path / "s", f"{name}/1.jpg", "ned/1.jpg")
    with pytest.raises(LabelError, match=rf"/s: '{re.escape(name)}' has no letter or digit"):
        find_stills([source])
