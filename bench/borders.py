"""Measure the borders of shots and of appearances.

    python -m bench.borders [EPISODE...] [--model NAME[@VERSION] or folder] [--scenedetect COMMAND]

Tags each EPISODE with `castline tag`, in a home of its own with default settings, and prints two
tables in Markdown.

The first compares the cuts that were found with the borders of shots: those of EPISODE.clips.csv,
or else of EPISODE.truth.csv. Shots inside a clip have no border there. A cut is right if it is less
than half a frame away. With `--scenedetect`, PySceneDetect's command (`pip install scenedetect
opencv-python-headless`, in an environment of its own), its two detectors are measured beside them.

The second derives the appearances three times from the same tags: without shots, with the borders
of shots alone, and with places followed inside shots, as `castline tag` does. It compares their
frames, at (k + 1/2) * 0.37 s, and their borders with EPISODE.truth.csv.
"""

import argparse
import csv
import subprocess
import sys
import tempfile
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Final

from bench.episode_frames import version_named
from bench.footage.samples import scored_seconds
from bench.footage.tagging import read_clips, tag_with_command
from castline.asking.timelines import episode_of_file
from db.engine import Transaction
from db.library.runs import current_run_of, ended_chunks, seen_labels
from db.records import EpisodeRecord
from timeline.appearances.from_tags import Tag, find_appearances
from timeline.appearances.rules import Rules
from timeline.scoring.borders import border_errors
from timeline.scoring.identification import label_sets
from timeline.scoring.score import labels_at, score_samples
from timeline.scoring.truth import LabelledRange, read_truth
from worker.installation import open_installation
from worker.parameters import DEFAULT_EVERY_SECONDS, RunParameters
from worker.settings import Settings
from worker.steps.finish import cuts_of_run

VIDEO: Final = Path("../shared/video")
EPISODES: Final = (
    VIDEO / "springfield_composed_240s.mp4",
    VIDEO / "springfield_composed_pillarbox_90s.mp4",
    VIDEO / "real_footage_71_clips.mp4",
)
DETECTORS: Final = {"PySceneDetect, adaptive": "detect-adaptive", "content": "detect-content"}
VARIANTS: Final = ("without shots", "cuts", "cuts, places followed")


@dataclass(frozen=True)
class Tagged:
    """The results of `castline tag` for an episode."""

    path: Path
    record: EpisodeRecord
    tags: Sequence[Tag]
    sampled_pts: Sequence[int]
    cuts: Sequence[int]
    rules: Rules

    @property
    def truth(self) -> list[LabelledRange]:
        """The true ranges."""
        return read_truth(self.path.with_name(f"{self.path.name}.truth.csv"))

    @property
    def shot_borders(self) -> list[Fraction]:
        """The known borders of shots, in seconds, ascending."""
        clips = self.path.with_name(f"{self.path.name}.clips.csv")
        ranges = read_clips(clips) if clips.exists() else self.truth
        return sorted({each.start_seconds for each in ranges} - {Fraction(0)})


def main() -> None:
    arguments = _arguments()
    version = version_named(arguments.model) if arguments.model else None
    with tempfile.TemporaryDirectory(prefix="castline-bench-") as home:
        tag_with_command(Path(home), arguments.episodes, DEFAULT_EVERY_SECONDS, version)
        settings = Settings.from_environment(Path(home), {})
        with (
            open_installation(settings) as installation,
            installation.database.read() as connection,
        ):
            tagged = [_tagged(connection, path) for path in arguments.episodes]
    print("| episode, shot borders | detector | found | right | other cuts |")
    print("|---|---|---:|---:|---:|")
    for episode in tagged:
        for detector, cuts in _cuts(episode, arguments.scenedetect):
            print(f"| {_counted(episode, detector, cuts)} |")
    print("\n| episode | appearances from | F1 | borders matched | median error | 90 % within |")
    print("|---|---|---:|---:|---:|---:|")
    for episode in tagged:
        for variant in VARIANTS:
            print(f"| {episode.path.name} | {variant} | {_compared(episode, variant)} |")


def _tagged(connection: Transaction, path: Path) -> Tagged:
    record = episode_of_file(connection, path)
    assert record is not None, "it was just tagged"
    run = current_run_of(connection, record.id)
    assert run is not None, "a run that is done is shown"
    chunks, _ = ended_chunks(connection, run.id)
    cuts = cuts_of_run(connection, run.id)
    assert cuts is not None, "cuts are always sought"
    return Tagged(
        path,
        record,
        [Tag(*seen) for seen in seen_labels(connection, run.id)],
        sorted({pts for chunk in chunks for pts in chunk.sampled_pts}),
        cuts,
        RunParameters.from_json(run.params).rules,
    )


def _cuts(episode: Tagged, scenedetect: str | None) -> Iterator[tuple[str, list[Fraction]]]:
    yield "Castline", [episode.record.seconds_at(pts) for pts in episode.cuts]
    for name, detector in DETECTORS.items() if scenedetect else ():
        yield name, _detected(str(scenedetect), episode.path, detector)


def _detected(scenedetect: str, path: Path, detector: str) -> list[Fraction]:
    with tempfile.TemporaryDirectory(prefix="castline-bench-") as folder:
        options = ("-q", "-i", str(path), "-o", folder, detector)
        listing = ("list-scenes", "-q", "-s", "-f", "scenes.csv")
        ended = subprocess.run(
            [scenedetect, *options, *listing], capture_output=True, text=True, check=False
        )
        if ended.returncode:
            sys.exit(f"{scenedetect} ended with code {ended.returncode}: {ended.stderr}")
        with (Path(folder) / "scenes.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
    return [Fraction(row["Start Time (seconds)"]) for row in rows[1:]]


def _counted(episode: Tagged, detector: str, cuts: Sequence[Fraction]) -> str:
    borders = episode.shot_borders
    half_frame = 1 / episode.record.frame_rate / 2
    near = [_distance(border, cuts) < half_frame for border in borders]
    others = sum(_distance(cut, borders) >= half_frame for cut in cuts)
    return (
        f"{episode.path.name}, {len(borders)} | {detector} | {len(cuts)} | {sum(near)} | {others}"
    )


def _distance(time: Fraction, others: Sequence[Fraction]) -> Fraction:
    after = bisect_left(others, time)
    return min(
        (abs(each - time) for each in others[max(0, after - 1) : after + 1]),
        default=Fraction(10**9),
    )


def _compared(episode: Tagged, variant: str) -> str:
    record = episode.record
    found = find_appearances(
        episode.tags
        if variant == VARIANTS[2]
        else [replace(tag, place=None) for tag in episode.tags],
        episode.sampled_pts,
        record.end_pts,
        record.time_base,
        replace(episode.rules, shots=None) if variant == VARIANTS[0] else episode.rules,
        record.missing,
        episode.cuts,
    )
    true_sets = label_sets(episode.truth)
    found_sets = label_sets(
        [
            LabelledRange(
                each.label, record.seconds_at(each.start_pts), record.seconds_at(each.end_pts)
            )
            for each in found
        ]
    )
    duration = Fraction(record.duration_seconds)
    times = scored_seconds(duration)
    score = score_samples(labels_at(times, true_sets), labels_at(times, found_sets))
    errors = border_errors(true_sets, found_sets, duration)
    median, high = (
        "" if each is None else f"{each * 1000:.0f} ms"
        for each in (errors.median_seconds, errors.percentile_seconds(90))
    )
    matched = f"{len(errors.seconds)} of {errors.borders}"
    return f"{score.micro_f1:.3f} | {matched} | {median} | {high}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("episodes", nargs="*", type=Path, default=EPISODES)
    parser.add_argument("--model", help="NAME, NAME@VERSION or a folder; the bundled one if none")
    parser.add_argument("--scenedetect", help="PySceneDetect's command, to compare its detectors")
    return parser.parse_args()


if __name__ == "__main__":
    main()
