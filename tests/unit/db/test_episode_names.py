"""What paths tell of episodes, and what stays when they change."""

import pytest

from db.episode_names import UNNAMED, EpisodeName

TOLD = {
    "lib/A/S01E01.mp4": EpisodeName("A", 1, 1),
    "/tv/The Town/Season 5/The Town - S05E12 - Bart Gets Famous.mkv": EpisodeName(
        "The Town", 5, 12, "Bart Gets Famous"
    ),
    "s3://bucket/shows/B/S01E02.mp4": EpisodeName("B", 1, 2),
    "The.Town.1x07.720p.WEB.mkv": EpisodeName("The Town", 1, 7),
    "Futura/Season 1/Pilot.mkv": EpisodeName("Futura", 1, None, "Pilot"),
    "[Group] One Piece - 1071 [1080p].mkv": EpisodeName("One Piece", None, 1071),
    "Émission S07E03.mkv": EpisodeName("Émission", 7, 3),
    "シンプソンズ/S01E02.mp4": EpisodeName("シンプソンズ", 1, 2),
    "pilot.mkv": UNNAMED,
    "springfield_composed_240s.mp4": UNNAMED,
    "real_footage_71_clips.mp4": UNNAMED,
    "show/103.mkv": UNNAMED,
    "": UNNAMED,
}


@pytest.mark.parametrize("path", TOLD)
def test_a_path_tells_series_season_number_and_title(path: str) -> None:
    assert EpisodeName.told_by(path) == TOLD[path]


def test_a_number_that_no_column_holds_is_left_out() -> None:
    assert EpisodeName.told_by("A/S99999999999E1.mp4").season is None


def test_after_a_move_the_path_tells_and_what_a_person_set_stays() -> None:
    told = EpisodeName.told_by("A/S01E01.mp4")
    assert told.after_move("A/S01E01.mp4", "B/S02E03.mp4") == EpisodeName("B", 2, 3)
    edited = EpisodeName("The Town", 1, 1, "Pilot")
    assert edited.after_move("A/S01E01.mp4", "B/S02E03.mp4") == EpisodeName(
        "The Town", 2, 3, "Pilot"
    )
    assert edited.after_move("A/S01E01.mp4", "archive/x.mp4") == edited


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (EpisodeName("A", 1, 12, "Pilot"), "A S01E12 Pilot"),
        (EpisodeName("A", None, 1071), "A E1071"),
        (EpisodeName("A", 3), "A S03"),
        (UNNAMED, ""),
    ],
)
def test_a_name_is_written_as_people_say_it(name: EpisodeName, text: str) -> None:
    assert name.text == text
