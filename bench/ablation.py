"""Ablation study of the dense network: train the bundled model with one component removed.

    python -m bench.ablation ../shared/data -o /tmp/ablation [--epochs N] [--rows NAME...]

Each row is a model trained as `bench.town` trains the bundled one, over fewer epochs and without
one component of its training data or augmentation, and scored by `bench.real_footage`. An epoch
takes ten minutes on two fast cores. Each row is printed as soon as its model exists; existing
results are reused, and an interrupted training continues.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from bench.town import BOXES, COMMIT_OF_8, NAME, SHARDS, STILLS
from bench.trained_version import print_epoch, strangers_in, trained_version, version_of_history
from model.dataset.build import build_dataset
from model.dataset.folder import Dataset, open_dataset
from model.dataset.plan import BuildOptions
from model.recipe import STRONG, Recipe
from model.recipe_changes import with_epochs
from model.stills.choice import Choice
from model.training.plan import TrainingPlan
from model.version.artifact import ModelVersion


@dataclass(frozen=True)
class Row:
    """The training data and recipe of a model."""

    stills: tuple[str, ...] = STILLS
    """Folders of labelled stills."""
    boxes: tuple[str, ...] = BOXES[:2]
    strangers: bool = True
    """Whether there are pictures without known characters, and characters of another series."""
    recipe: Callable[[Recipe], Recipe] = lambda recipe: recipe


ROWS: Final = {
    "everything": Row(),
    "no boxes": Row(boxes=(), recipe=lambda recipe: replace(recipe, whole_frames=0.0)),
    "no mosaics, no panels": Row(recipe=lambda recipe: replace(recipe, mosaics=0.0, panels=0.0)),
    "no stills without a box": Row(stills=()),
    "no strangers": Row(strangers=False),
    "17 labels": Row(stills=STILLS[:1]),
}


def main() -> None:
    """Print a row for each model."""
    arguments = _arguments()
    labels = _labels(arguments.data, STILLS)
    print(_HEAD, flush=True)
    for name in arguments.rows or ROWS:
        row = ROWS[name]
        folder = arguments.output / name.replace(",", "").replace(" ", "_")
        dataset = _dataset(row, labels, arguments.data, arguments.output, folder / "dataset")
        recipe = row.recipe(with_epochs(replace(STRONG, corrected_after=(1,)), arguments.epochs))
        start = version_of_history(COMMIT_OF_8, f"{NAME}-8", arguments.output)
        plan = TrainingPlan(dataset, "ablation", "1", recipe, start=start)
        version = trained_version(plan, folder, print_epoch)
        print(f"| {name} | {_cells(version)} |", flush=True)


_HEAD: Final = (
    "| learns from | F1, 17 labels | one | two | three or more | falsely tagged |"
    " F1 without linking |\n|---|---:|---:|---:|---:|---:|---:|"
)


def _labels(data: Path, folders: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(
        sorted(path.name for name in folders for path in (data / name).iterdir() if path.is_dir())
    )


def _dataset(row: Row, labels: tuple[str, ...], data: Path, output: Path, folder: Path) -> Dataset:
    if folder.exists():
        return open_dataset(folder)
    known = _labels(data, row.stills) if row.stills else labels
    sources = [data / name for name in (*row.stills, *row.boxes)]
    if row.strangers:
        sources += [strangers_in(output), data / BOXES[2]]
    others = "keep" if row.strangers else "drop"
    options = BuildOptions(
        Choice(labels=known, others=others), shards=SHARDS, processes=os.cpu_count() or 1
    )
    return build_dataset(sources, folder, options)


def _cells(version: ModelVersion) -> str:
    command = [sys.executable, "-m", "bench.real_footage", "--labels", "17", "--json"]
    done = subprocess.run(
        [*command, "--model", str(version.folder)], check=True, stdout=subprocess.PIPE
    )
    choice: dict[str, Any] = json.loads(done.stdout)["choices"][0]
    numbers = choice["by_number_on_screen"]
    f1 = [choice["f1"], *(numbers[number]["f1"] for number in ("1", "2", "3+"))]
    false = choice["falsely_tagged"] / choice["samples_with_nobody"]
    return (
        " | ".join(f"{each:.3f}" for each in f1)
        + f" | {false:.1%} | {choice['f1_without_linking']:.3f}"
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path, help="folder that holds the stills and the boxes")
    parser.add_argument("-o", "--output", type=Path, required=True, help="where all is made")
    parser.add_argument("--epochs", type=int, default=2, help="of each training")
    parser.add_argument("--rows", nargs="+", choices=ROWS, help="these alone")
    return parser.parse_args()


if __name__ == "__main__":
    main()
