"""Trains the bundled model, so that anyone can make it again.

    python -m bench.bundled_model ../shared/data/simpsons -o /tmp/bundled [--anew [--epochs N]]

Makes, under the output folder, pictures of nobody, a dataset of all labels with them as `unknown`,
and the bundled version, which has the weights of version 6, but looks at pictures made smaller
first, with thresholds chosen for that: some minutes. With --anew three large teachers and another
version 6, which learns from them, are trained before, which takes a GPU; few epochs show the way
without one. Each step that is there already is not made again, and an interrupted training goes on.
Copy a version to model/bundled without `report/mistakes.png`, which shows stills.
"""

import argparse
import functools
import os
import shlex
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from bench.trained_version import (
    print_epoch,
    strangers_in,
    trained_version,
    version_of_history,
)
from model.artifact import ModelVersion
from model.dataset import Dataset, open_dataset
from model.dataset_build import build_dataset
from model.dataset_plan import BuildOptions
from model.recipe import LARGE, REGIONAL, REGIONAL_FURTHER
from model.recipe_changes import with_epochs, with_glance
from model.still_choice import Choice
from model.testing import Words

NAME = "springfield"

COMMIT_OF_6 = "941e768"
"""Of this repository, before version 7 took its place."""

TEACHERS = 3
"""Single ones reached a micro-F1 of 0.957 to 0.965 on rehearsed shots, the mean of three 0.968."""

TAUGHT = replace(
    REGIONAL,
    epochs=436,  # as many as a GPU made in five minutes: a good teacher is patient
    batch_size=192,
    first_side=0,
    seed=7,  # none of theirs, so that it sees other pictures
    closer_view=0.0,  # a third more work, for a micro-F1 of 0.966 instead of 0.964
)

AT_A_GLANCE = with_glance(replace(with_epochs(REGIONAL_FURTHER, 0), closer_view=0.0), True)
"""Keeps the weights: ten more epochs at both sides, with version 6 as the teacher, made them worse
(a micro-F1 of 0.966 instead of 0.969 on the same rehearsed shots)."""

WORDS = Words(
    licence=(
        "The stills are under CC BY-NC-SA 4.0, and so is the use of these weights: with"
        " attribution, not for commercial purposes, and shared alike. Castline's own code is under"
        " Apache-2.0."
    ),
    about_stills=(
        "15,618 labelled colour stills of 17 characters of one animated series, from the public"
        " Kaggle set by A. Attia, shrunk to 176 pixels on the longest side, and, as `unknown`,"
        " pictures of nobody made of free drawings, game art and photographs"
        " (`bench/strangers.py` names them). None of them is part of this repository."
    ),
)


def main() -> None:
    """Makes what is not there yet."""
    arguments = _arguments()
    output: Path = arguments.output
    dataset = _dataset(arguments.stills, output)
    words = replace(WORDS, command=f"python -m bench.bundled_model {shlex.join(sys.argv[1:])}")
    make = functools.partial(trained_version, dataset, output, on_epoch=print_epoch, words=words)
    before = (
        _anew(make, arguments.epochs)
        if arguments.anew
        else version_of_history(COMMIT_OF_6, f"{NAME}-6", output)
    )
    if before.manifest.training_data_sha256 != dataset.manifest.fingerprint_sha256:
        sys.exit(
            f"{dataset.folder}: some of its test stills may be among those that"
            f" {before.manifest.reference} learnt from, which were others; make that --anew"
        )
    made = make(NAME, "8", AT_A_GLANCE, start=before)
    for name, value in made.manifest.metrics.items():
        print(f"{name:>28} {value:.4g}")
    print(f"{made.folder}: {made.manifest.reference} {made.sha256}")


def _anew(make: Callable[..., ModelVersion], epochs: int | None) -> ModelVersion:
    """Trains three teachers, and version 6 with them, each over its recipe's epochs or so many."""
    taught, *taught_by = (
        recipe if epochs is None else with_epochs(recipe, epochs)
        for recipe in (TAUGHT, *(replace(LARGE, seed=seed) for seed in range(TEACHERS)))
    )
    teachers = [make("teacher", str(recipe.seed), recipe) for recipe in taught_by]
    return make(NAME, "6", taught, teachers=teachers)


def _dataset(stills: Path, output: Path) -> Dataset:
    folder = output / "dataset"
    if folder.exists():
        return open_dataset(folder)
    labels = tuple(sorted(path.name for path in stills.iterdir() if path.is_dir()))
    options = BuildOptions(Choice(labels=labels), processes=os.cpu_count() or 1)
    return build_dataset([stills, strangers_in(output)], folder, options)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("stills", type=Path, help="folder of LABEL/PICTURE files")
    parser.add_argument("-o", "--output", type=Path, required=True, help="where all is made")
    parser.add_argument("--anew", action="store_true", help="train teachers and version 6 too")
    parser.add_argument("--epochs", type=int, help="with --anew: for each, instead of the recipes'")
    return parser.parse_args()


if __name__ == "__main__":
    main()
