"""Measure how well labels are recognised that were added to a model from few stills.

    python -m bench.added_labels MODEL DATASET [--stills 20 100] [--boxed] -o FOLDER

DATASET has labels that MODEL was not trained on, not even as `unknown`. Each of them is added on
its own, from a given number of its train stills, as `castline train --add` does. With `--forget
LABELS` they are labels that MODEL knows, and their outputs are removed first: this needs no
training, but its figures are too good, because all other layers were trained on the labels.

The following is printed, measured on the dataset's test stills, which have no near-duplicate among
the train stills: recall and precision of the label at its onset; the share of stills in which it is
falsely predicted, among the other labels that MODEL lacks and has no examples of; the effect on the
labels that MODEL knows, before and after, as accuracy of the most likely label and as micro-F1 at
the onsets; and the time taken.
"""

import argparse
import csv
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.episode_frames import version_named
from bench.with_examples import with_examples
from model.adding.adding import add_labels
from model.adding.features import DenseFeatures
from model.dataset.folder import Dataset, open_dataset
from model.dataset.reading import stream_stills
from model.dataset.shards import SIDES, Record, read_part
from model.inference.confidence import micro_f1, sigmoid
from model.labels import UNKNOWN
from model.networks.named import network_of, weights_of
from model.pictures.preprocess import whole_frame_named
from model.version.artifact import ModelVersion, read_model_version, write_model_version
from model.version.provenance import Provenance

BATCH = 64


@dataclass(frozen=True)
class Tested:
    """The features of test stills, shared by all versions of a network."""

    features: NDArray[np.float16]
    """(n, places, features)"""
    shown: tuple[frozenset[str], ...]
    """(n,) the labels of each still."""

    def logits(self, version: ModelVersion) -> NDArray[np.float32]:
        """Return (n, labels), a version's logits at the most likely places."""
        seen = DenseFeatures(network_of(version), int8=version.manifest.int8)
        parts = [
            seen.logits(self.features[start : start + BATCH].astype(np.float32)).max(axis=1)
            for start in range(0, len(self.features), BATCH)
        ]
        return np.concatenate(parts)

    def truth(self, labels: Sequence[str]) -> NDArray[np.bool_]:
        """Return (n, labels), whether each label is shown."""
        return np.array([[label in shown for label in labels] for shown in self.shown])


@dataclass(frozen=True)
class Row:
    """The results of adding a label."""

    label: str
    stills: int
    test_stills: int
    recall: float
    precision: float
    """Precision among stills of labels that the start knows, and of `unknown`."""
    others_taken: float
    """Share of the stills of further labels in which it is predicted."""
    accuracy_before: float
    accuracy_after: float
    f1_before: float
    f1_after: float
    seconds: float

    @property
    def f1(self) -> float:
        """F1 of the added label."""
        both = self.recall + self.precision
        return 2 * self.recall * self.precision / both if both else 0.0


def main() -> None:
    arguments = _arguments()
    output: Path = arguments.output
    dataset = open_dataset(arguments.dataset)
    forgotten = [label for label in arguments.forget.split(",") if label]
    start = _start(version_named(arguments.model), forgotten, dataset, output)
    known = start.manifest.labels
    new = [label for label in dataset.manifest.labels if label not in (*known, UNKNOWN)]
    tested = tested_stills(start, dataset)
    if forgotten:
        print("The network has learnt these labels, whose outputs were taken away: this flatters.")
    print(
        "| label | stills | test stills | recall | precision | F1 | in others left out "
        "| accuracy before, after | micro-F1 before, after | s |\n"
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
    )
    for label in new:
        for count in arguments.stills:
            folder = output / f"{label}-{count}{'-boxed' if arguments.boxed else ''}"
            row = added(start, dataset, label, count, folder, tested, boxed=arguments.boxed)
            print(
                f"| {row.label} | {row.stills} | {row.test_stills} | {row.recall:.3f} "
                f"| {row.precision:.3f} | {row.f1:.3f} "
                f"| {row.others_taken:.3f} | {row.accuracy_before:.4f}, {row.accuracy_after:.4f} "
                f"| {row.f1_before:.4f}, {row.f1_after:.4f} | {row.seconds:.0f} |",
                flush=True,
            )


def added(
    start: ModelVersion,
    dataset: Dataset,
    label: str,
    count: int,
    folder: Path,
    tested: Tested,
    *,
    boxed: bool,
) -> Row:
    """Add a label to a version from this number of stills, and measure both versions."""
    shutil.rmtree(folder, ignore_errors=True)
    sources = write_stills(dataset, label, count, folder / "stills", boxed=boxed)
    provenance = Provenance(start.manifest.licence, "Train stills.", "python -m bench.added_labels")
    began = time.monotonic()
    made = add_labels(
        start, {label: sources}, folder / "model", "added", "1", provenance=provenance
    )
    seconds = time.monotonic() - began
    old = start.manifest.labels
    before, after = tested.logits(start), tested.logits(made)
    own = tested.truth([label])[:, 0]
    said = said_to_be_in(made, after)
    found = said[:, -1]
    right = int((found & own).sum())
    truth = tested.truth(old)
    somebody = truth.any(axis=1) & ~own
    rows = np.arange(len(own))
    others = np.array([not shown <= {*old, label, UNKNOWN} for shown in tested.shown])
    counts = ~own & ~others
    return Row(
        label,
        min(count, len(list((folder / "stills" / label).iterdir()))),
        int(own.sum()),
        right / max(1, int(own.sum())),
        right / max(1, right + int((found & counts).sum())),
        float(found[others & ~own].mean()) if (others & ~own).any() else 0.0,
        float(truth[rows, before.argmax(axis=1)][somebody].mean()),
        float(np.column_stack([truth, own])[rows, after.argmax(axis=1)][somebody].mean()),
        micro_f1(said_to_be_in(start, before)[counts], truth[counts]),
        micro_f1(said[counts], np.column_stack([truth, own])[counts]),
        seconds,
    )


def said_to_be_in(version: ModelVersion, logits: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return (n, labels), whether each label reaches its onset."""
    manifest = version.manifest
    general = (manifest.onset, manifest.offset)
    onsets = [manifest.label_thresholds.get(label, general)[0] for label in manifest.labels]
    return np.asarray(sigmoid(logits / manifest.temperature) >= onsets)


def tested_stills(version: ModelVersion, dataset: Dataset) -> Tested:
    """Compute the features of a dataset's test stills, each as a whole."""
    seen = DenseFeatures(network_of(version), int8=version.manifest.int8)
    frame = whole_frame_named(version.manifest.preprocessing)
    labels = dataset.manifest.labels
    parts, waiting, shown = [], [], []
    for picture, who in stream_stills(dataset, "test", frame.preprocess):
        waiting.append(picture)
        shown.append(frozenset(labels[number] for number in who.label_set))
        if len(waiting) == BATCH:
            parts.append(seen.of(np.stack(waiting)).astype(np.float16))
            waiting = []
    if waiting:
        parts.append(seen.of(np.stack(waiting)).astype(np.float16))
    features = np.concatenate(parts)
    return Tested(features.reshape(len(features), -1, features.shape[-1]), tuple(shown))


def write_stills(
    dataset: Dataset, label: str, count: int, folder: Path, *, boxed: bool
) -> list[Path]:
    """Write train stills of a label, with their boxes on request; return the sources to add."""
    number = dataset.manifest.labels.index(label)
    records = [
        record
        for record in read_part(dataset.shard_paths("train"))
        if record.label_number == number
    ]
    chosen = np.random.default_rng(0).permutation(len(records))[:count]
    (folder / label).mkdir(parents=True)
    rows: list[list[object]] = [["path", *SIDES, "label"]]
    for index in chosen.tolist():
        record: Record = records[index]
        path = f"{label}/pic_{index:05}.png"
        (folder / path).write_bytes(record.png)
        rows += [[path, *box.corners, box.label] for box in record.boxes]
    if not boxed or len(rows) == 1:
        return [folder / label]
    with (folder / "boxes.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return [folder / label, folder / "boxes.csv"]


def _start(
    version: ModelVersion, forgotten: Sequence[str], dataset: Dataset, output: Path
) -> ModelVersion:
    """Return the version to add to: without the labels to forget, and with examples."""
    if not forgotten and version.manifest.examples_sha256:
        return version
    folder = output / "start"
    if folder.exists():
        return read_model_version(folder)
    if forgotten:
        version = _without(version, forgotten, output / "forgetful")
    return with_examples(version, dataset, folder)


def _without(version: ModelVersion, labels: Sequence[str], folder: Path) -> ModelVersion:
    """Write a version without the outputs of some labels."""
    manifest = version.manifest
    strange = sorted(set(labels) - set(manifest.labels))
    if strange:
        sys.exit(f"--forget: {manifest.reference} does not know {', '.join(strange)}")
    kept = [number for number, label in enumerate(manifest.labels) if label not in labels]
    weights = weights_of(network_of(version))
    fewer = {name: weights[name][..., kept] for name in ("logits/kernel", "logits/bias")}
    thresholds = {
        label: pair for label, pair in manifest.label_thresholds.items() if label not in labels
    }
    shutil.rmtree(folder, ignore_errors=True)
    return write_model_version(
        folder,
        replace(
            manifest,
            labels=tuple(manifest.labels[number] for number in kept),
            label_thresholds=thresholds,
            examples_sha256="",
            weights_sha256="",
        ),
        {**weights, **fewer},
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", help="a folder, NAME or NAME@VERSION of a dense model")
    parser.add_argument("dataset", type=Path)
    parser.add_argument(
        "--stills",
        type=int,
        nargs="+",
        default=[20, 100],
        help="stills of each label; default 20 100",
    )
    parser.add_argument(
        "--forget", default="", help="known labels to remove first, separated by commas"
    )
    parser.add_argument("--boxed", action="store_true", help="use the existing boxes too")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder of all results")
    return parser.parse_args()


if __name__ == "__main__":
    main()
