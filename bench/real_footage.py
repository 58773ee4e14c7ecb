"""Measure `castline tag` on real footage: by number of characters on screen, and false tags.

    python -m bench.real_footage [EPISODE...] [--model NAME[@VERSION] or folder] [--every SECONDS]
        [--labels 17|33|A,B,...]... [--stills FOLDER...] [--by-label] [--by-clip]
        [--mistakes FILE.png] [--json]

Tags each EPISODE with the command itself, in a home of its own with default settings, and compares
the timeline with EPISODE.truth.csv at (k + 1/2) * 0.37 s from the first frame, which never
coincides with the sampling. Prints Markdown; figures count pairs of sample and label. Moments that
no row of the truth covers are left out. EPISODE.clips.csv, if there is one, names the clips.

The choice of labels does not depend on the model, so that models with different labels can be
compared: a label that a model does not know is missed, and its predictions of other labels are
ignored. A sample where none of the labels is on screen counts as one without known characters. By
default two choices are scored: the 17 labels of ../shared/data/simpsons, and 33 with those of
simpsons_more.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Final

from bench.episode_frames import version_named
from bench.footage.mistakes import worst_samples, write_sheet
from bench.footage.report import Scored, choice_json, clips_table, figures_table, labels_table
from bench.footage.samples import GRID_SECONDS, Footage, samples_of
from bench.footage.tagging import tag_footage
from model.version.artifact import ModelVersion
from worker.errors import WorkerError
from worker.parameters import parse_every_seconds

EPISODES: Final = (Path("../shared/video/real_footage_71_clips.mp4"),)
STILLS: Final = tuple(Path("../shared/data") / name for name in ("simpsons", "simpsons_more"))
CHOICES: Final = {"17": STILLS[:1], "33": STILLS}
"""Folders of stills by the names of choices; the folders in them are labels."""


def main() -> None:
    arguments = _arguments()
    version = version_named(arguments.model)
    with tempfile.TemporaryDirectory(prefix="castline-bench-") as home:
        footage = tag_footage(
            Path(home),
            arguments.episodes,
            arguments.every,
            version if arguments.model else None,
        )
    choices = [scored(footage, labels, version) for labels in _choices(arguments)]
    if arguments.json:
        print(json.dumps(_json(arguments, version, choices), indent=2))
    else:
        _print(arguments, version, choices)
    if arguments.mistakes:
        write_sheet(arguments.mistakes, worst_samples(choices[0].samples))


def scored(footage: Sequence[Footage], labels: frozenset[str], version: ModelVersion) -> Scored:
    """Compare all footage with its truth, for one choice of labels."""
    parts = [samples_of(each, labels) for each in footage]
    manifest = version.manifest
    return Scored(
        labels,
        labels - set(version.manifest.labels),
        [sample for samples, _ in parts for sample in samples],
        sum(untold for _, untold in parts),
        lambda label: manifest.label_thresholds.get(label, (manifest.onset,))[0],
    )


def labels_of(folders: Sequence[Path]) -> frozenset[str]:
    """Return the names of the folders in some folders of stills."""
    missing = [str(folder) for folder in folders if not folder.is_dir()]
    if missing:
        sys.exit(f"{missing[0]}: no such folder; name labels with --labels A,B or --stills FOLDER")
    return frozenset(
        entry.name for folder in folders for entry in folder.iterdir() if entry.is_dir()
    )


def _choices(arguments: argparse.Namespace) -> list[frozenset[str]]:
    if arguments.stills:
        return [labels_of(arguments.stills)]
    return [
        labels_of(CHOICES[choice]) if choice in CHOICES else frozenset(choice.split(","))
        for choice in arguments.labels or CHOICES
    ]


def _print(arguments: argparse.Namespace, version: ModelVersion, choices: Sequence[Scored]) -> None:
    first = choices[0]
    print(
        f"{version.manifest.reference}, `castline tag --every {float(arguments.every):g}`,"
        f" {', '.join(path.name for path in arguments.episodes)}:"
        f" {len(first.samples)} samples at (k + 1/2) * {float(GRID_SECONDS)} s;"
        f" {first.untold} left out, of which the truth says nothing\n"
    )
    print(figures_table(choices))
    for wanted, table in ((arguments.by_label, labels_table), (arguments.by_clip, clips_table)):
        for choice in choices if wanted else ():
            print(f"\n{choice.name}:\n\n{table(choice)}")


def _json(
    arguments: argparse.Namespace, version: ModelVersion, choices: Sequence[Scored]
) -> dict[str, object]:
    return {
        "model": version.manifest.reference,
        "episodes": [path.name for path in arguments.episodes],
        "every_seconds": float(arguments.every),
        "grid_seconds": float(GRID_SECONDS),
        "choices": [choice_json(choice) for choice in choices],
    }


def _every_seconds(text: str) -> Fraction:
    try:
        every_seconds = parse_every_seconds(text)
    except WorkerError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    if every_seconds == 0 or 1 in (every_seconds / (GRID_SECONDS / 2)).as_integer_ratio():
        raise argparse.ArgumentTypeError(f"{text} is on the grid that is scored; take another")
    return every_seconds


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("episodes", nargs="*", type=Path, default=EPISODES)
    parser.add_argument("--model", help="NAME, NAME@VERSION or a folder; the bundled one if none")
    parser.add_argument(
        "--every",
        type=_every_seconds,
        default="0.5",
        help="seconds between samples, for `castline tag`",
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--labels", action="append", help="17, 33 or A,B,...; may be repeated")
    which.add_argument("--stills", nargs="+", type=Path, help="folders whose folders are labels")
    parser.add_argument("--by-label", action="store_true", help="also print a table of labels")
    parser.add_argument(
        "--by-clip", action="store_true", help="also print a table of clips with mistakes"
    )
    parser.add_argument(
        "--mistakes", type=Path, help="PNG file of the worst mistakes, for the first choice"
    )
    parser.add_argument("--json", action="store_true", help="print all figures as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    main()
