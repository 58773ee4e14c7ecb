"""Build, show and check datasets of labelled stills."""

import json
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from castline.models.in_use import chosen_model
from castline.progress import Progress
from castline.stills.harvest import check_tells_places
from castline.stills.values import (
    Built,
    Choice,
    Dataset,
    DoubtfulBox,
    DoubtfulBoxes,
    ShownDataset,
    Twin,
)
from castline.tables import columns_of
from model.inference.device import Device
from model.labels import require_label_of
from worker.installation import Installation

if TYPE_CHECKING:
    from model.dataset.doubtful_boxes import DoubtfulBox as FoundBox
    from model.dataset.folder import Dataset as OpenedDataset


def build(
    sources: Sequence[Path],
    output: Path,
    choice: Choice,
    *,
    workers: int | None,
    on_progress: Progress,
) -> Built:
    """Build a dataset of labelled stills; see `Library.build_dataset`."""
    from model.dataset.build import build_dataset
    from model.dataset.folder import REPORT
    from model.dataset.plan import BuildOptions
    from model.stills.choice import Choice as StillChoice

    options = BuildOptions(
        choice=StillChoice(
            None if choice.labels is None else _labels(choice.labels, "--labels"),
            choice.top,
            choice.min_images,
            choice.others,
            _labels(choice.without, "--without"),
        ),
        split=choice.split,
        shards=choice.shards,
        seed=choice.seed,
        processes=workers or os.cpu_count() or 1,
    )
    made = build_dataset(sources, output, options, on_progress)
    path = made.folder / REPORT
    report = json.loads(path.read_text("utf-8"))
    return Built(_shown(made), report["left_out_counts"], report["wrong_box_counts"], path)


def _labels(names: Sequence[str], option: str) -> tuple[str, ...]:
    return tuple(require_label_of(name, option) for name in names if name.strip())


def show(folder: Path) -> ShownDataset:
    """Check a dataset and describe it; see `Library.dataset`."""
    from model.dataset.folder import open_dataset
    from model.dataset.pages import near_duplicates

    opened = open_dataset(folder)
    opened.check_shards()
    groups = tuple(
        tuple(Twin(part, label, source) for part, label, source in group.stills)
        for group in near_duplicates(opened)
    )
    return ShownDataset(_shown(opened), _stills_by_boxes(opened), groups)


def check(
    installation: Installation,
    folder: Path,
    *,
    model: str | None,
    device: Device,
    on_progress: Progress,
) -> DoubtfulBoxes:
    """Find boxes far from where a model sees their label; see `Library.check_dataset`."""
    from model.dataset.doubtful_boxes import doubtful_boxes
    from model.dataset.folder import open_dataset
    from model.inference.classifier import Classifier

    opened = open_dataset(folder)
    version = chosen_model(installation, model)
    check_tells_places(version)
    classifier = Classifier.load(version, device=device)
    found = doubtful_boxes(classifier, opened, on_progress)
    rows = tuple(map(_doubtful, found))
    return DoubtfulBoxes(rows, columns_of(DoubtfulBox), names=opened.manifest.names)


def _doubtful(found: "FoundBox") -> DoubtfulBox:
    return DoubtfulBox(
        found.part,
        found.source,
        found.box.label,
        found.box.corners,
        found.seen.corners,
        found.confidence,
    )


def _shown(opened: "OpenedDataset") -> Dataset:
    from model.dataset.folder import CONTACT_SHEET, NEAR_DUPLICATES, STILLS

    manifest, folder = opened.manifest, opened.folder
    return Dataset(
        folder=folder,
        labels=manifest.labels,
        names=manifest.names,
        counts=manifest.counts,
        boxes=manifest.boxes,
        others=manifest.others,
        others_are_kept=manifest.others_are_kept,
        split=manifest.split,
        seed=manifest.seed,
        fingerprint_sha256=manifest.fingerprint_sha256,
        test_with_train_twin=manifest.test_with_train_twin,
        groups=manifest.groups,
        created_at=manifest.created_at,
        contact_sheet=folder / CONTACT_SHEET,
        table=folder / STILLS,
        near_duplicates_page=folder / NEAR_DUPLICATES,
    )


def _stills_by_boxes(opened: "OpenedDataset") -> dict[str, int]:
    """Count stills by their number of boxes, and those in which every character has a box."""
    from model.dataset.table import read_table

    lines = read_table(opened)
    counts = Counter(min(line.boxes, 3) for line in lines)
    return {
        "none": counts[0],
        "one": counts[1],
        "two": counts[2],
        "three_or_more": counts[3],
        "all_boxed": sum(line.all_boxed for line in lines),
    }
