"""How well the bundled model does: from the truth files and the database, and nothing else."""

import csv
from pathlib import Path

import pytest

from tests.commands import castline, new_home
from tests.rows import assert_nothing_is_stuck, rows_of

pytestmark = pytest.mark.integration

LONG = "springfield_composed_240s.mp4"
PILLARBOXED = "springfield_composed_pillarbox_90s.mp4"

SAMPLES_PER_SECOND = 2
LEAST_F1 = {LONG: 0.89, PILLARBOXED: 0.92}
"""Three hundredths below what docs/stills_to_frames.md has for the bundled model."""


@pytest.fixture(scope="module")
def home(shared_video: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which both composed episodes were tagged by the bundled model."""
    home = new_home(tmp_path_factory.mktemp("scores") / "home")
    ended = castline(home, "tag", shared_video / LONG, shared_video / PILLARBOXED)
    assert ended.returncode == 0, ended.stderr
    return home


@pytest.mark.parametrize("episode", LEAST_F1)
def test_frame_level_micro_f1_of_a_composed_episode_reaches_its_bar(
    episode: str, home: Path, shared_video: Path
) -> None:
    assert_nothing_is_stuck(home)
    duration_seconds = float(_episode(home, episode, "duration_seconds")[0])
    truth = _samples(_truth(shared_video / f"{episode}.truth.csv"), duration_seconds)
    found = _samples(_appearances(home, episode), duration_seconds)
    f1 = 2 * len(truth & found) / (len(truth) + len(found))
    print(f"micro-F1 {f1:.3f}")
    assert f1 >= LEAST_F1[episode]


def test_the_bars_of_the_pillarboxed_episode_are_cut(home: Path) -> None:
    columns = "area_x, area_y, area_width, area_height"
    # 4:3 in the middle of 854x480: (854 - 640) / 2 = 107 on each side.
    area = _episode(home, PILLARBOXED, columns)
    assert area == pytest.approx((107, 0, 640, 480), abs=2)


Ranges = list[tuple[str, float, float]]
"""Label, start and end in seconds, half-open."""


def _samples(ranges: Ranges, duration_seconds: float) -> set[tuple[int, str]]:
    """The number of each sample time with each label that is on screen then."""
    return {
        (number, label)
        for number in range(int(duration_seconds * SAMPLES_PER_SECOND) + 1)
        for label, start, end in ranges
        if number / SAMPLES_PER_SECOND < duration_seconds
        and start <= number / SAMPLES_PER_SECOND < end
    }


def _truth(path: Path) -> Ranges:
    with path.open(newline="") as file:
        return [
            (row["label"], float(row["start_seconds"]), float(row["end_seconds"]))
            for row in csv.DictReader(file)
            if row["label"]
        ]


def _appearances(home: Path, episode: str) -> Ranges:
    query = (
        "SELECT label, start_seconds, end_seconds FROM appearance"
        " JOIN current_run USING (run_id) JOIN episode ON episode.id = current_run.episode_id"
        " WHERE name = ?"
    )
    with rows_of(home) as connection:
        return [tuple(row) for row in connection.execute(query, [episode])]


def _episode(home: Path, name: str, columns: str) -> tuple[float, ...]:
    with rows_of(home) as connection:
        query = f"SELECT {columns} FROM episode WHERE name = ?"
        return tuple(connection.execute(query, [name]).fetchone())
