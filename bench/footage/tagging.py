"""Tag footage with `castline tag` itself, in a home of its own with default settings."""

import csv
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Final

from bench.footage.samples import Answer, Footage, Look
from castline.asking.timelines import episode_of_file, labelled_ranges
from db.engine import Transaction
from db.library.runs import current_run_of, ended_chunks, run_tags
from db.records import EpisodeRecord
from model.version.artifact import ModelVersion
from timeline.scoring.truth import LabelledRange, read_truth
from timeline.times import parse_time
from worker.installation import open_installation
from worker.settings import Settings

PARTIAL: Final = 3
"""The exit code if parts of an episode could not be examined; nothing is found there."""


def tag_footage(
    home: Path, paths: Sequence[Path], every_seconds: Fraction, version: ModelVersion | None
) -> list[Footage]:
    """Tag episodes, and read the results with their truths.

    Args:
        home: An empty folder.
        paths: The episodes, each with its truth beside it.
        every_seconds: Interval between two samples.
        version: The model version; None for the default one.
    """
    tag_with_command(home, paths, every_seconds, version)
    with (
        open_installation(Settings.from_environment(home, {})) as installation,
        installation.database.read() as connection,
    ):
        return [_footage(connection, path) for path in paths]


def tag_with_command(
    home: Path, paths: Sequence[Path], every_seconds: Fraction, version: ModelVersion | None
) -> None:
    """Tag episodes into an empty home; `version` is the model, None for the default one."""
    model: list[str] = []
    if version is not None:
        _castline(home, "models", "import", str(version.folder))
        model = ["--model", version.manifest.reference]
    _castline(home, "tag", *map(str, paths), "--every", str(every_seconds), *model)


def _castline(home: Path, *arguments: str) -> None:
    ended = run_castline(home, *arguments)
    if ended.returncode not in (0, PARTIAL):
        sys.exit(f"castline {arguments[0]} ended with code {ended.returncode}: {ended.stderr}")
    if ended.returncode == PARTIAL:
        sys.stderr.write(ended.stderr)


def run_castline(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a home, without settings from the environment."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CASTLINE_")}
    command = [sys.executable, "-m", "cli", "--home", str(home), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=kept)


def _footage(connection: Transaction, path: Path) -> Footage:
    episode = episode_of_file(connection, path)
    assert episode is not None, "it was just tagged"
    clips = path.with_name(f"{path.name}.clips.csv")
    return Footage(
        episode=path,
        duration_seconds=episode.duration_seconds,
        truth=read_truth(path.with_name(f"{path.name}.truth.csv")),
        clips=read_clips(clips) if clips.exists() else [],
        found=labelled_ranges(connection, episode),
        looks=_looks(connection, episode),
    )


def _looks(connection: Transaction, episode: EpisodeRecord) -> list[Look]:
    run = current_run_of(connection, episode.id)
    assert run is not None, "a run that is done is shown"
    answers: dict[int, dict[str, Answer]] = defaultdict(dict)
    for tag in run_tags(connection, run.id):
        answers[tag.pts][tag.label] = Answer(
            tag.confidence, None if tag.place is None else tag.place.height
        )
    tagged, _ = ended_chunks(connection, run.id)
    # A frame may be on display across two chunks.
    sampled = sorted({pts for chunk in tagged for pts in chunk.sampled_pts})
    return [Look(episode.seconds_at(pts), answers.get(pts, {})) for pts in sampled]


def read_clips(path: Path) -> list[LabelledRange]:
    """Read the index of the clips of footage."""
    with path.open(newline="") as file:
        return [
            LabelledRange(
                row["clip"], parse_time(row["start_seconds"]), parse_time(row["end_seconds"])
            )
            for row in csv.DictReader(file)
        ]
