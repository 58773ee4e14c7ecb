"""The walk-through of docs/tutorials/retraining.md, command by command, on the drawn cast."""

import json
import re
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from cli.drawn.cast import DrawnEpisode, draw_episode, draw_stills
from ingest.frames.write_video import write_video
from model.dataset.build import build_dataset
from model.dataset.plan import BuildOptions
from model.recipe import QUICK
from model.training.plan import TrainingPlan
from model.versions import train_model_version
from tests.servers.commands import castline_here

pytestmark = pytest.mark.integration

PAGE = Path(__file__).parents[3] / "docs" / "tutorials" / "retraining.md"
STILLS_PER_LABEL = 60
TAKEN = re.compile(r"at (\d+\.\d+) s, (\w+);")


def commands() -> list[list[str]]:
    """The commands of the page, in order."""
    text = PAGE.read_text("utf-8")
    lines = [line.strip() for line in text.splitlines() if line.startswith("    ")]
    assert all(line.startswith("castline ") for line in lines)
    return [shlex.split(line)[1:] for line in lines]


def correct(folder: Path, episode: DrawnEpisode) -> int:
    """What a person does with harvested stills who knows the truth; returns how many stay."""
    kept = 0
    for path in sorted(folder.rglob("*.jpg")):
        with Image.open(path) as picture:
            taken = TAKEN.search(picture.info["comment"].decode())
        assert taken is not None
        frame = round(float(taken[1]) * episode.frame_rate)
        there = {
            entry.label for entry in episode.truth if entry.start_frame <= frame < entry.end_frame
        }
        if len(there) == 1 and taken[2] == "full":
            home = folder / there.pop()
            home.mkdir(exist_ok=True)
            path.rename(home / f"confirmed_{kept:04}.jpg")
            kept += 1
        else:
            path.unlink()
    return kept


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the page begins: stills, an episode, and a model of few stills and little training."""
    draw_stills(tmp_path / "few", 12, seed=7)
    draw_stills(tmp_path / "stills", STILLS_PER_LABEL, seed=1)
    episode = draw_episode(2, 40)
    write_video(tmp_path / "drawn_episode.mp4", episode.pictures, episode.frame_rate)
    train_model_version(
        TrainingPlan(
            build_dataset([tmp_path / "few"], tmp_path / "first", BuildOptions(shards=2)),
            "cast",
            "1",
            replace(QUICK, epochs=1),
        ),
        tmp_path / "home" / "models" / "cast-1",
        work_folder=tmp_path / "work",
    )
    # what the page trains in an hour by default, the drawn cast learns in seconds
    monkeypatch.setattr("model.recipe_changes.REGIONAL", QUICK)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_walk_through_works_as_it_is_written(workshop: Path) -> None:
    home = workshop / "home"
    printed: dict[str, str] = {}
    for arguments in commands():
        ended = castline_here(home, *arguments)
        line = shlex.join(arguments)
        assert ended.returncode == 0, f"{line}: {ended.stderr}"
        printed[line] = ended.stdout
        if arguments[:2] == ["dataset", "harvest"]:
            assert correct(workshop / "harvested", draw_episode(2, 40)) > 0

    steps = " ".join(printed)
    for step in ("tag", "harvest", "build", "train", "compare", "promote", "rerun", "who"):
        assert step in steps, "the page leaves a step out"
    planned = printed["rerun --stale --dry-run"]
    assert "by cast@1" in planned
    assert "frame store" in planned
    assert "none decoded" in printed["rerun --stale"]
    assert (workshop / "changes.html").read_text("utf-8").count("data:image/jpeg") > 0
    shown = castline_here(home, "who", "drawn_episode.mp4").stdout
    assert shown == printed["who drawn_episode.mp4 --model cast@1"], "rolled back"
    runs = json.loads(castline_here(home, "status", "--json").stdout)
    assert [(run["model"], run["frames_decoded"] > 0) for run in runs] == [
        ("cast@1", True),
        ("cast@2", False),
    ]
