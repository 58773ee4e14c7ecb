"""What an episode's row keeps of its record."""

from dataclasses import fields, replace
from fractions import Fraction

import pytest

from db.changes.writes import register_episode
from db.engine import Database
from db.episode_names import EpisodeName
from db.library.episode_rows import episode_values
from db.library.episodes import get_episode, list_episodes
from db.records import EpisodeRecord
from db.schema import episode
from exact.picture_area import PictureArea
from tests.rows.records import made_episode

pytestmark = pytest.mark.integration

ODD = EpisodeRecord(
    sha256="5" * 64,
    name="Émission S07E03.mkv",
    uri="/épisodes/Émission S07E03.mkv",
    size_bytes=2**40,
    file_stamp="1:2:3",
    container="matroska,webm",
    codec="hevc",
    pixel_format="yuv420p10le",
    width=720,
    height=576,
    rotation=270,
    sample_aspect_ratio=Fraction(16, 11),
    lag_pts=-4,
    frame_rate=Fraction(25),
    rate_varies=True,
    time_base=Fraction(1, 90000),
    start_pts=-2_700,
    end_pts=2**40,
    area=PictureArea(4, 8, 700, 500),
    key_pts=(0, 90_000, 2**39),
    missing=((3, 5), (2**38, 2**38 + 1)),
    called=EpisodeName("Émission", 7, 3, "Départ"),
)
"""An episode of which no field has the value of another or a usual one."""


@pytest.mark.parametrize("record", [ODD, made_episode()])
def test_every_field_comes_back_from_its_columns(database: Database, record: EpisodeRecord) -> None:
    with database.write() as connection:
        episode_id = register_episode(connection, record)
    with database.read() as connection:
        assert get_episode(connection, episode_id) == replace(record, id=episode_id)


def test_the_odd_episode_has_no_usual_value() -> None:
    usual = made_episode()
    same = [
        field.name
        for field in fields(EpisodeRecord)
        if getattr(ODD, field.name) == getattr(usual, field.name)
    ]
    assert same == ["id"]


def test_every_column_is_written() -> None:
    columns = {column.name for column in episode.columns}
    assert columns - episode_values(ODD).keys() == {"id", "added_at", "modified_ns"}


def test_queries_find_season_and_duration_in_columns(database: Database) -> None:
    with database.write() as connection:
        register_episode(connection, ODD)
    with database.read() as connection:
        (listed,) = list_episodes(connection)
        season = connection.execute(episode.select()).one().season
    assert season == 7
    assert listed.duration_seconds == pytest.approx((2**40 + 2_700) / 90_000)
