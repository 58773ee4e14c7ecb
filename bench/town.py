"""Train the bundled model, a dense one of a whole town, reproducibly.

    python -m bench.town ../shared/data -o /tmp/town [--without LABELS]

Makes, in the output folder, pictures without known characters (`bench.strangers`), a dataset of all
labels of one town with their boxes, in which those pictures and frames of another series are
`unknown`, and a dense network initialised with the backbone of version 8, which comes from this
repository's history. This takes about two hours on two cores. Existing results are reused, and an
interrupted training continues. Copy the version to model/bundled without `report/mistakes.png`,
which shows stills, and run `make compile-bundled`.

With `--without LABELS` these labels are left out completely, not even kept as `unknown`, and the
network begins with random weights, since version 8 knows some of them: for `bench.unknown` and
`bench.added_labels`.
"""

import argparse
import os
import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import Final

from bench.trained_version import (
    print_epoch,
    strangers_in,
    trained_version,
    version_of_history,
)
from model.dataset.build import build_dataset
from model.dataset.folder import Dataset, open_dataset
from model.dataset.plan import BuildOptions
from model.recipe import STRONG
from model.recipe_changes import with_epochs
from model.stills.choice import Choice
from model.training.plan import TrainingPlan
from model.version.provenance import Provenance

NAME: Final = "springfield"

VERSION: Final = "9"

TOWN: Final = replace(with_epochs(STRONG, 12), corrected_after=(2, 5, 9))
"""The recipe when initialised with the backbone of version 8."""

COMMIT_OF_8 = "34af2b0"
"""Commit of this repository before version 9 replaced version 8."""

STILLS = ("simpsons", "simpsons_more")
"""Folders of labelled stills, in the given folder."""

LEFT_OUT: Final = with_epochs(STRONG, 8)
"""The recipe when labels are left out: from random weights, an hour."""

BOXES = (
    "simpsons_boxes.csv",
    "simpsons_frames/boxes.csv",
    "scooby_doo/boxes.csv",  # has no known characters: people of another series
)
"""Files of boxes in the given folder."""

SHARDS = 4
"""Per part, with 15,000 pictures in total."""

PROVENANCE = Provenance(
    licence=(
        "The stills are under CC BY-NC-SA 4.0, and so is the use of these weights: with"
        " attribution, not for commercial purposes, and shared alike. Castline's own code is under"
        " Apache-2.0."
    ),
    about_stills=(
        "17,517 labelled colour stills of 33 characters of one animated series, from the public"
        " Kaggle set by A. Attia, shrunk to 176 pixels on the longest side, with 6,533 boxes, of"
        " which 5,309 were drawn in haste; 191 whole pictures with boxes of heads, from a public"
        " Roboflow set (CC BY 4.0); and, as `unknown`, pictures of nobody made of free drawings,"
        " game art and photographs (`bench/strangers.py` names them) and frames of another"
        " animated series. None of them is part of this repository."
    ),
)


def main() -> None:
    """Make everything that does not exist yet."""
    arguments = _arguments()
    output: Path = arguments.output
    without = tuple(arguments.without.split(",")) if arguments.without else ()
    dataset = _dataset(arguments.data, output, without)
    plan = TrainingPlan(
        dataset,
        NAME,
        "left_out" if without else VERSION,
        LEFT_OUT if without else TOWN,
        start=None if without else version_of_history(COMMIT_OF_8, f"{NAME}-8", output),
        provenance=replace(PROVENANCE, command=f"python -m bench.town {shlex.join(sys.argv[1:])}"),
    )
    made = trained_version(plan, output, print_epoch)
    for name, value in made.manifest.metrics.items():
        print(f"{name:>28} {value:.4g}")
    print(f"{made.folder}: {made.manifest.reference} {made.sha256}")


def _dataset(data: Path, output: Path, without: tuple[str, ...]) -> Dataset:
    folder = output / "dataset"
    if folder.exists():
        return open_dataset(folder)
    folders = [data / name for name in STILLS]
    labels = tuple(sorted(path.name for one in folders for path in one.iterdir() if path.is_dir()))
    sources = [
        *folders,
        *(data / name for name in BOXES[:2]),
        strangers_in(output),
        data / BOXES[2],
    ]
    choice = Choice(tuple(label for label in labels if label not in without), without=without)
    options = BuildOptions(choice, shards=SHARDS, processes=os.cpu_count() or 1)
    return build_dataset(sources, folder, options)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path, help="folder with the stills and the boxes")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder of all results")
    parser.add_argument("--without", help="labels to leave out completely, separated by commas")
    return parser.parse_args()


if __name__ == "__main__":
    main()
