"""Correct real footage, train on the corrections, compare the models, and promote the new one.

    python -m bench.correction_loop ../shared/data -o FOLDER [--episode EPISODE] [--corrections 30]

Tags EPISODE, by default real footage, with the bundled model, and takes EPISODE.truth.csv as a
person's judgement: it goes from one border of the truth to the next, and corrects with `castline
correct` each label that is shown wrongly (`--is`, `--wrong`) or missed (`--add`), until there are
enough corrections. Everything after that is as docs/how-to/corrections.md says: `castline dataset
from-corrections`, `dataset build` with the stills and boxes of the bundled model, `train --start`,
`models compare`, `models promote`. Prints the seconds that the new model gains and loses, and the
agreement with the truth in the corrected beginning and in the rest, which no one corrected: of
frames, at (k + 1/2) * 0.37 s.

Existing results in FOLDER are reused, and an interrupted training continues. The new model has seen
the footage: never measure it there otherwise, and do not bundle it.
"""

import argparse
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

from bench.footage.samples import scored_seconds
from bench.footage.tagging import run_castline
from bench.town import BOXES, STILLS
from bench.trained_version import strangers_in
from exact.ranges import intersection, rank
from timeline.scoring.identification import Seconds, label_sets
from timeline.scoring.score import labels_at, score_samples
from timeline.scoring.truth import LabelledRange, read_truth

EPISODE: Final = Path("../shared/video/real_footage_71_clips.mp4")
MODEL: Final = "springfield"
SHORTEST_SECONDS: Final = Fraction(1, 2)
"""Nobody corrects what is shorter: there may be no sample in it."""


class Correction(NamedTuple):
    """A correction over a range, as arguments of `castline correct`."""

    seconds: Seconds
    arguments: tuple[str, ...]


def main() -> None:
    arguments = _arguments()
    output: Path = arguments.output
    castline = _Castline(output / "home", arguments.episode)
    truth = read_truth(arguments.episode.with_name(f"{arguments.episode.name}.truth.csv"))
    castline("tag", str(arguments.episode))
    before = castline.shown("--raw", "--model", castline.models[0])
    chosen = list(_needed(truth, before))[: arguments.corrections]
    if not (output / "corrected").exists():
        for each in chosen:
            start, end = (str(float(time)) for time in each.seconds)
            castline("correct", castline.name, "--from", start, "--to", end, *each.arguments)
    made = Counter(each.arguments[-1 if each.arguments[-1] == "--wrong" else -2] for each in chosen)
    print(f"corrections: {dict(made)}, up to {float(chosen[-1].seconds[1]):.1f} s\n")
    print(castline("dataset", "from-corrections", "-o", str(output / "corrected")))
    _train(castline, arguments.data, output)
    first, second = castline.models
    castline("tag", str(arguments.episode), "--model", second)
    print(castline("models", "compare", first, second, "--episodes", castline.name))
    print(_promoted(castline, second, output / "dataset"))
    print(castline("corrections", "status"))
    rows = {
        f"{first}": before,
        f"{first}, corrected": castline.shown("--model", first),
        f"{second}": castline.shown("--raw", "--model", second),
        f"{second}, corrected": castline.shown("--model", second),
    }
    _print_agreement(truth, rows, chosen[-1].seconds[1])


def _train(castline: "_Castline", data: Path, output: Path) -> None:
    dataset = output / "dataset"
    folders = [data / name for name in STILLS]
    labels = sorted(path.name for folder in folders for path in folder.iterdir() if path.is_dir())
    sources = [
        *folders,
        *(data / name for name in BOXES),
        strangers_in(output),
        output / "corrected",
    ]
    if not dataset.exists():
        castline(
            *("dataset", "build", *map(str, sources), "-o", str(dataset)),
            *("--labels", ",".join(labels)),
        )
    if len(castline.models) == 1:
        castline("train", str(dataset), "--name", MODEL, "--start", MODEL, "--resume")


def _promoted(castline: "_Castline", model: str, dataset: Path) -> str:
    """Promote a model; if it is refused, promote it nevertheless, to measure with corrections."""
    promote = ("models", "promote", model, "--dataset", str(dataset))
    ended = castline.run(*promote)
    return ended.stderr + castline(*promote, "--force") if ended.returncode else ended.stdout


def _needed(truth: Sequence[LabelledRange], found: Sequence[LabelledRange]) -> Iterator[Correction]:
    """Yield the corrections of what differs for most of the time between two borders."""
    true_sets, found_sets = label_sets(truth), label_sets(found)
    borders = sorted(
        {time for each in truth for time in (each.start_seconds, each.end_seconds)}, key=rank
    )
    for start, end in pairwise(borders):
        if end - start < SHORTEST_SECONDS:
            continue
        [there] = labels_at([(start + end) / 2], true_sets)
        shown = {label for label in found_sets if _share(found_sets[label], start, end) > 1 / 2}
        missed = sorted(there - shown)
        for label in sorted(shown - there):
            told = ("--is", missed.pop(0)) if missed else ("--wrong",)
            yield Correction((start, end), (label, *told))
        for label in missed:
            yield Correction((start, end), ("--add", label))


def _share(ranges: Sequence[Seconds], start: Fraction, end: Fraction) -> Fraction:
    inside = intersection(ranges, ((start, end),))
    return sum((last - first for first, last in inside), Fraction(0)) / (end - start)


def _print_agreement(
    truth: Sequence[LabelledRange], rows: dict[str, list[LabelledRange]], until: Fraction
) -> None:
    end = max(each.end_seconds for each in truth)
    times = scored_seconds(end)
    parts = [time for time in times if time < until], [time for time in times if time >= until]
    print(f"| timeline | F1 until {float(until):.1f} s | F1 from there |\n|---|---:|---:|")
    for name, found in rows.items():
        scores = (
            score_samples(labels_at(part, label_sets(truth)), labels_at(part, label_sets(found)))
            for part in parts
        )
        print(f"| {name} | " + " | ".join(f"{score.micro_f1:.3f}" for score in scores) + " |")


class _Castline:
    """The command, with a home of its own."""

    def __init__(self, home: Path, episode: Path) -> None:
        self.home = home
        self.name = episode.stem

    def __call__(self, *arguments: str) -> str:
        """Run a command that must succeed; return its output."""
        ended = self.run(*arguments)
        if ended.returncode:
            sys.exit(f"castline {' '.join(arguments)}: code {ended.returncode}: {ended.stderr}")
        return ended.stdout

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command."""
        return run_castline(self.home, *arguments)

    @property
    def models(self) -> list[str]:
        """The versions of the model, the oldest first."""
        listed = json.loads(self("models", "list", "--json"))
        names = [f"{each['name']}@{each['version']}" for each in listed if each["name"] == MODEL]
        return sorted(names, key=lambda name: int(name.split("@")[1]))

    def shown(self, *options: str) -> list[LabelledRange]:
        """Return the appearances in the episode."""
        return [
            LabelledRange(
                each["label"], Fraction(each["start_seconds"]), Fraction(each["end_seconds"])
            )
            for each in json.loads(self("who", self.name, "--json", *options))
        ]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path, help="folder with the stills and the boxes")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder of all results")
    parser.add_argument("--episode", type=Path, default=EPISODE)
    parser.add_argument("--corrections", type=int, default=30)
    return parser.parse_args()


if __name__ == "__main__":
    main()
