"""How a person may name an episode or a label at the command."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from castline.asking.names import require_episode, require_label, require_tagged_episode
from castline.errors import NotFoundError
from db.engine import Database
from db.upgrade import upgrade_database
from tests.rows.records import made_episode, made_model, make_run

pytestmark = pytest.mark.integration


@pytest.fixture
def library(tmp_path: Path) -> Database:
    database = Database(f"sqlite:///{tmp_path / 'castline.db'}")
    upgrade_database(database)
    make_run(database, made_episode("ab" * 32, "S01E01 pilot.mkv"))
    make_run(database, made_episode("cd" * 32, "S01E02 second.mkv"))
    return database


@pytest.mark.parametrize(
    "reference",
    ["S01E01 pilot.mkv", "pilot", "PILOT", "/episodes/S01E01 pilot.mkv", "ababab", "e01"],
)
def test_an_episode_answers_to_its_name_a_part_of_it_its_path_and_its_hash(
    library: Database, reference: str
) -> None:
    with library.read() as connection:
        assert require_episode(connection, reference).name == "S01E01 pilot.mkv"


def test_a_reference_that_fits_two_episodes_names_both(library: Database) -> None:
    with library.read() as connection, pytest.raises(NotFoundError, match=r"pilot.*second"):
        require_episode(connection, "S01")


def test_a_misspelt_episode_gets_a_suggestion(library: Database) -> None:
    with library.read() as connection, pytest.raises(NotFoundError, match="did you mean S01E02"):
        require_episode(connection, "S01E02 secnod.mkv")


def test_an_untagged_episode_says_what_to_run(library: Database) -> None:
    with library.read() as connection, pytest.raises(NotFoundError, match="castline tag"):
        require_tagged_episode(connection, "pilot")


@pytest.mark.parametrize("reference", ["ned_flanders", "Ned Flanders", "ned-flanders", "ned"])
def test_a_label_answers_to_other_writings_and_to_a_part(library: Database, reference: str) -> None:
    with library.read() as connection:
        assert require_label(connection, reference) == "ned_flanders"


@pytest.fixture
def cast(library: Database) -> Database:
    """The library, in which a model of these labels was enqueued, too."""
    labels = ("ned-junior", "lisa_s", "lisa-s", "unknown")
    make_run(library, model=replace(made_model("2" * 64, "2"), labels=labels))
    return library


@pytest.mark.parametrize(
    ("reference", "label"),
    [
        ("ned-junior", "ned-junior"),
        ("ned_junior", "ned-junior"),
        ("Ned Junior", "ned-junior"),
        ("junior", "ned-junior"),
        ("d-j", "ned-junior"),
        ("lisa-s", "lisa-s"),
        ("lisa_s", "lisa_s"),
    ],
)
def test_a_label_with_a_hyphen_answers_to_all_writings(
    cast: Database, reference: str, label: str
) -> None:
    with cast.read() as connection:
        assert require_label(connection, reference) == label


def test_labels_that_differ_in_writing_alone_are_both_named(cast: Database) -> None:
    with cast.read() as connection, pytest.raises(NotFoundError, match="fit: lisa-s, lisa_s;"):
        require_label(connection, "Lisa S")


@pytest.mark.parametrize("reference", ["unknown", "unk"])
def test_unknown_which_no_tag_has_is_no_label_to_ask_for(cast: Database, reference: str) -> None:
    with cast.read() as connection, pytest.raises(NotFoundError, match="no such label") as caught:
        require_label(connection, reference)
    assert "unknown" not in str(caught.value).partition(":")[2]


def test_a_misspelt_label_gets_a_suggestion(library: Database) -> None:
    with library.read() as connection, pytest.raises(NotFoundError, match="did you mean homer_"):
        require_label(connection, "hommer")


def test_a_file_of_the_same_content_names_the_episode_and_another_of_that_name_does_not(
    library: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = b"x" * 1000  # the size of the made episodes
    episode = made_episode(hashlib.sha256(content).hexdigest(), "third.mkv")
    make_run(library, episode)
    (tmp_path / "copy.mkv").write_bytes(content)
    (tmp_path / "S01E01 pilot.mkv").write_bytes(b"y" * 1000)
    monkeypatch.chdir(tmp_path)
    with library.read() as connection:
        assert require_episode(connection, "copy.mkv").name == "third.mkv"
        assert require_episode(connection, "S01E01 pilot.mkv").sha256 == "ab" * 32


def test_a_reference_too_long_for_a_file_name_is_answered_in_one_line(library: Database) -> None:
    with library.read() as connection, pytest.raises(NotFoundError, match="no such episode"):
        require_episode(connection, "x" * 5000)
