"""Measure how well whole frames of a series are recognised, by the number of annotated frames.

    python -m bench.learning_curve BOXES.csv -o FOLDER [--frames N...] [--single-faces]
        [--start NAME[@VERSION] or folder] [--recipe NAME]

BOXES.csv has a row for each face in each frame, as `castline dataset build` reads it; faces of
unknown characters have the label `unknown`. A dataset of all frames, split by near-duplicates,
determines the test frames. For each N a dataset is built from N of the others, drawn at random, and
a model is trained on it as `castline train` does by default; 0 stands for all of them. With
`--single-faces` another model is trained on the frames with one face, as stills in folders without
boxes. Each row of the table is printed as soon as its model exists. Existing results in FOLDER are
reused, and an interrupted training continues.
"""

import argparse
import csv
import os
import shutil
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from bench.episode_frames import version_named
from bench.trained_version import print_epoch, trained_version
from model.dataset.build import build_dataset
from model.dataset.folder import STILLS, Dataset, open_dataset
from model.dataset.plan import BuildOptions
from model.dataset.stills import Stills
from model.inference.classifier import Classifier, Prediction
from model.labels import UNKNOWN
from model.recipe_changes import recipe_for
from model.training.plan import TrainingPlan
from model.version.artifact import ModelVersion
from timeline.scoring.score import Score, score_samples

FRAMES: Final = (50, 150, 500, 1500, 0)
SEED: Final = 0
"""Seed of the choice of frames."""
MOST_ON_SCREEN: Final = 4
"""Frames with at least this many characters are counted together."""


def main() -> None:
    arguments = _arguments()
    output: Path = arguments.output
    whole = _dataset([arguments.boxes], output / "all")
    test = Stills.unpack(whole, "test")
    rows = _rows_of(arguments.boxes)
    pool = [name for name in _sources(whole, ("train", "validation")) if name in rows]
    order = np.random.default_rng(SEED).permutation(pool).tolist()
    print(_HEAD, flush=True)
    for count in arguments.frames:
        chosen = order[:count] if count else order
        folder = output / f"frames-{len(chosen)}"
        dataset = _dataset([_boxes_of(chosen, rows, arguments.boxes, folder)], folder / "dataset")
        _show(f"{len(chosen)} with boxes", dataset, folder, test, arguments)
    if arguments.single_faces:
        folder = output / "single-faces"
        stills, number = _single_faces(order, rows, arguments.boxes, folder)
        dataset = _dataset([stills], folder / "dataset")
        _show(f"{number} of one face, without boxes", dataset, folder, test, arguments)


_HEAD: Final = (
    "| frames | recipe, steps | minutes | F1 | "
    + " | ".join(f"{number}" for number in range(1, MOST_ON_SCREEN))
    + f" | {MOST_ON_SCREEN} or more | 3 or more | false, nobody known | centre in the box |\n"
    + "|---" * (8 + MOST_ON_SCREEN)
    + "|"
)


def _show(
    name: str, dataset: Dataset, folder: Path, test: Stills, arguments: argparse.Namespace
) -> None:
    start = version_named(arguments.start) if arguments.start else None
    recipe = recipe_for(arguments.recipe, dataset.manifest, start.manifest if start else None)
    began = time.monotonic()
    is_there = (folder / "series-1").exists()
    plan = TrainingPlan(dataset, "series", "1", recipe, start=start)
    version = trained_version(plan, folder, print_epoch)
    minutes = "made before" if is_there else f"{(time.monotonic() - began) / 60:.1f}"
    steps = sum(dataset.manifest.counts["train"]) * recipe.epochs // recipe.batch_size
    trained = f"{recipe.network}, about {steps}"
    print(f"| {name} | {trained} | {minutes} | {frame_figures(version, test)} |", flush=True)


def frame_figures(version: ModelVersion, stills: Stills) -> str:
    """Return the metrics on completely annotated whole frames, as cells of a table."""
    classifier = Classifier.load(version)
    true, found, centres = [], [], []
    for start in range(0, len(stills), classifier.frames_per_batch):
        indices = range(start, min(start + classifier.frames_per_batch, len(stills)))
        answers = classifier.classify([stills.picture(index) for index in indices])
        for index, predictions in zip(indices, answers, strict=True):
            sure = [each for each in predictions if _is_sure(each, version)]
            there = _labels_in(stills, index)
            true.append(there)
            found.append({each.label for each in sure})
            centres += [
                is_centre_inside(each, _boxes_in(stills, index, each.label))
                for each in sure
                if each.label in there and each.place is not None
            ]
    return _cells(true, found, centres)


def is_centre_inside(prediction: Prediction, boxes: Iterable[Sequence[float]]) -> bool:
    """Tell whether a prediction's centre lies in any box (left, top, right, bottom)."""
    place = prediction.place
    assert place is not None
    return any(
        left <= place.x <= right and top <= place.y <= bottom for left, top, right, bottom in boxes
    )


def _is_sure(prediction: Prediction, version: ModelVersion) -> bool:
    manifest = version.manifest
    onset, _ = manifest.label_thresholds.get(prediction.label, (manifest.onset, manifest.offset))
    return prediction.confidence >= onset


def _labels_in(stills: Stills, index: int) -> set[str]:
    names = {stills.labels[number] for number in stills.label_sets[index]}
    return names - {UNKNOWN}


def _boxes_in(stills: Stills, index: int, label: str) -> list[list[float]]:
    boxes = stills.boxes(index)
    return [list(box[1:]) for box in boxes.tolist() if stills.labels[int(box[0])] == label]


def _cells(true: list[set[str]], found: list[set[str]], centres: list[bool]) -> str:
    def scored(least: int, most: int) -> Score:
        rows = [row for row, each in enumerate(true) if least <= len(each) <= most]
        return score_samples([true[row] for row in rows], [found[row] for row in rows])

    everybody = max(map(len, true))
    whole = scored(0, everybody)
    by_number = [scored(number, number) for number in range(1, MOST_ON_SCREEN)]
    by_number += [scored(MOST_ON_SCREEN, everybody), scored(3, everybody)]
    cells = [f"{each.micro_f1:.3f}" for each in (whole, *by_number)]
    cells.append(f"{whole.false_tag_samples} of {whole.samples_with_nobody}")
    cells.append(f"{np.mean(centres):.1%} of {len(centres)}" if centres else "no places")
    return " | ".join(cells)


def _dataset(sources: Sequence[Path], folder: Path) -> Dataset:
    if folder.exists():
        return open_dataset(folder)
    return build_dataset(sources, folder, BuildOptions(processes=os.cpu_count() or 1))


def _sources(dataset: Dataset, parts: Sequence[str]) -> list[str]:
    with (dataset.folder / STILLS).open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["part"] in parts]
    return sorted(Path(row["source"]).name for row in rows)


def _rows_of(boxes: Path) -> dict[str, list[dict[str, str]]]:
    rows = defaultdict(list)
    with boxes.open(newline="") as file:
        for row in csv.DictReader(file):
            rows[row["path"]].append(row)
    return rows


def _picture(boxes: Path, name: str) -> Path:
    places = (boxes.parent / name, boxes.parent / "frames" / name)
    return next(place for place in places if place.exists()).resolve()


def _boxes_of(
    names: Sequence[str], rows: dict[str, list[dict[str, str]]], boxes: Path, folder: Path
) -> Path:
    path = folder / "boxes.csv"
    if not path.exists():
        (folder / "frames").mkdir(parents=True, exist_ok=True)
        for name in names:
            shutil.copy(_picture(boxes, name), folder / "frames")
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[names[0]][0])
            writer.writeheader()
            writer.writerows(row for name in names for row in rows[name])
    return path


def _single_faces(
    names: Sequence[str], rows: dict[str, list[dict[str, str]]], boxes: Path, folder: Path
) -> tuple[Path, int]:
    stills, number = folder / "stills", 0
    for name in names:
        if len(rows[name]) == 1:
            place = stills / rows[name][0]["label"] / name
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(_picture(boxes, name), place)
            number += 1
    return stills, number


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("boxes", type=Path, help="a CSV of complete boxes of whole frames")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder of all results")
    parser.add_argument(
        "--frames", type=int, nargs="*", default=FRAMES, help="numbers of frames; 0 for all"
    )
    parser.add_argument(
        "--single-faces", action="store_true", help="also train on single faces without boxes"
    )
    parser.add_argument("--start", help="NAME, NAME@VERSION or folder of the start")
    parser.add_argument("--recipe", help="recipe of `castline train`")
    return parser.parse_args()


if __name__ == "__main__":
    main()
