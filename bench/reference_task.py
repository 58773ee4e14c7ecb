"""Reproduce the original task on the available stills, and compare it with a better recipe.

    python -m bench.reference_task ../shared/data/simpsons -o /tmp/reference

Each row is a dataset and a model version in the output folder. An existing row is not trained
again, and an interrupted one continues; a single row can be trained by its name: `--rows
baseline-ten-random`. A seed determines the split as well as the training: with 900 test stills, one
split has easier ones than another. `baseline` takes 7 minutes on two cores, `regional` up to an
hour per row.
"""

import argparse
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from bench.trained_version import trained_version
from model.dataset.build import build_dataset
from model.dataset.folder import Dataset, open_dataset
from model.dataset.plan import BuildOptions
from model.recipe import recipe_named
from model.stills.choice import Choice
from model.training.history import Epoch
from model.training.plan import TrainingPlan
from model.version.artifact import ModelVersion

TEN_LABELS = (
    "maggie_simpson",
    "ned_flanders",
    "moe_szyslak",
    "krusty_the_clown",
    "principal_skinner",
    "charles_montgomery_burns",
    "milhouse_van_houten",
    "chief_wiggum",
    "abraham_grampa_simpson",
    "sideshow_bob",
)
"""The task's labels, with sideshow_bob in place of gary_chalmers, whose stills are not
available."""

TASK_ACCURACY = "0.87"
"""Accuracy of the original task, on its own ten labels."""


@dataclass(frozen=True)
class Row:
    """One training."""

    recipe: str
    labels: tuple[str, ...] | None
    """None for all labels."""
    split: str

    @property
    def name(self) -> str:
        """A name such as `regional-ten-random`."""
        return f"{self.recipe}-{'ten' if self.labels else 'all'}-{self.split}"


ROWS = (
    Row("baseline", TEN_LABELS, "random"),
    Row("regional", TEN_LABELS, "random"),
    Row("baseline", TEN_LABELS, "grouped"),
    Row("regional", TEN_LABELS, "grouped"),
    Row("baseline", None, "grouped"),
    Row("regional", None, "grouped"),
)


def main() -> None:
    """Print the table, each line as soon as it is known."""
    arguments = _arguments()
    rows = [row for row in ROWS if arguments.rows is None or row.name in arguments.rows]
    print(
        "| row | seed | task | test accuracy | macro-F1 | train - validation | test stills | min |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- |", flush=True)
    for row in rows:
        for seed in range(arguments.seeds):
            dataset = _dataset(row, seed, arguments.stills, arguments.output)
            print(_line(row, seed, _version(row, seed, dataset, arguments.output)), flush=True)


def _dataset(row: Row, seed: int, stills: Path, output: Path) -> Dataset:
    folder = output / f"dataset-{'ten' if row.labels else 'all'}-{row.split}-{seed}"
    if folder.exists():
        return open_dataset(folder)
    choice = Choice(labels=row.labels, others="drop")
    options = BuildOptions(choice, split=row.split, seed=seed, processes=os.cpu_count() or 1)
    return build_dataset([stills], folder, options)


def _version(row: Row, seed: int, dataset: Dataset, output: Path) -> ModelVersion:
    recipe = replace(recipe_named(row.recipe), seed=seed)
    teller = _teller(f"{row.name}-{seed}")
    return trained_version(TrainingPlan(dataset, row.name, str(seed), recipe), output, teller)


def _teller(name: str) -> Callable[[tuple[Epoch, ...]], None]:
    def tell(history: tuple[Epoch, ...]) -> None:
        epoch = history[-1]
        print(
            f"<!-- {name}: epoch {epoch.number}/{epoch.epochs}, validation accuracy"
            f" {epoch.validation_accuracy:.4f}, {epoch.seconds:.0f} s -->",
            flush=True,
        )

    return tell


def _line(row: Row, seed: int, version: ModelVersion) -> str:
    metrics = version.manifest.metrics
    history = (version.folder / "report" / "history.csv").read_text().splitlines()
    place = history[0].split(",").index("seconds")
    minutes = sum(float(line.split(",")[place]) for line in history[1:]) / 60
    overfitting = metrics["train_accuracy"] - metrics["validation_accuracy"]
    is_task = row.recipe == "baseline" and row.split == "random"
    return (
        f"| {row.name} | {seed} | {TASK_ACCURACY if is_task else ''} | {metrics['accuracy']:.4f} |"
        f" {metrics['macro_f1']:.4f} | {overfitting:.3f} | {metrics['stills_test']:.0f} |"
        f" {minutes:.1f} |"
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("stills", type=Path, help="folder of LABEL/PICTURE files")
    parser.add_argument("-o", "--output", type=Path, required=True, help="datasets and versions")
    names = [row.name for row in ROWS]
    parser.add_argument("--rows", nargs="+", choices=names, help="default all")
    parser.add_argument("--seeds", type=int, default=1, help="splits and trainings per row")
    return parser.parse_args()


if __name__ == "__main__":
    main()
