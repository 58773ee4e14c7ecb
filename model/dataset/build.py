"""Build a dataset from folders of stills, in one call that may be interrupted at any time."""

import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.dataset import folder as names
from model.dataset.folder import (
    FORMAT,
    FORMAT_WITHOUT_BOXES,
    Dataset,
    DatasetManifest,
    Shard,
    open_dataset,
)
from model.dataset.pages import write_pages, write_text
from model.dataset.plan import BuildOptions, Plan, plan_dataset
from model.dataset.shards import Record, write_shards
from model.dataset.split import PARTS
from model.errors import DatasetError, StillsError
from model.extras import require_train_extra
from model.labels import Names
from model.progress import Progress
from model.stills.choice import MIN_PER_LABEL, Choice, choose_labels, leave_labels_out
from model.stills.files import FoundStills, StillFile
from model.stills.reading import STORED_SIDE, read_still
from model.stills.reading_processes import read_into
from model.stills.sources import find_sources
from model.stills.work_file import WorkFile, open_work_file

_WORK: Final = "read.sqlite"


def build_dataset(
    sources: Sequence[Path],
    output: Path,
    options: BuildOptions | None = None,
    on_progress: Progress = lambda _step, _done, _total: None,
) -> Dataset:
    """Read, clean, split and pack stills.

    The dataset appears under its name completely or not at all. Progress is kept beside it in
    `.NAME.building`, so that the same command continues an interrupted build. Memory holds a few
    hundred bytes per still.

    Args:
        sources: Folders of labelled stills and files of boxes, see `model.stills.sources`.
        output: The folder of the dataset; it must not exist, or be empty.
        options: How the dataset is built.
        on_progress: Called with a step's name, and how much of it is done out of how much.

    Returns:
        The new dataset.

    Raises:
        StillsError: The stills cannot make a dataset: a source is not a folder, there are too few
            labels or pictures, or two folders beside each other have the same label.
        LabelError: A folder has a name that cannot become a label.
        DatasetError: The output exists, or cannot be written.
        MissingExtraError: TensorFlow is not installed.
    """
    require_train_extra("building a dataset")
    options = options or BuildOptions()
    output = output.absolute()
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise DatasetError(f"{output}: exists, and a dataset never changes; name another with -o")
    where = ", ".join(map(str, sources))
    found = leave_labels_out(options.choice, find_sources(sources), where)
    _check_choice(options.choice, found.files, where)  # before minutes of reading, not after
    building = output.with_name(f".{output.name}.building")
    try:
        building.mkdir(parents=True, exist_ok=True)
        with open_work_file(building / _WORK) as work:
            _read(work, found, options, on_progress)
            on_progress("Looking for near-duplicates", 0, 1)
            read, unreadable = work.candidates(found.files)
            left_out = (*found.left_out, *unreadable)
            plan = plan_dataset(read, left_out, found.wrong_boxes, options, where)
            on_progress("Looking for near-duplicates", 1, 1)
            manifest = _write(building, work, plan, found.names, options, sources, on_progress)
        (building / _WORK).unlink()
        write_text(building / names.MANIFEST, manifest.to_json())
        if output.exists():
            output.rmdir()
        building.rename(output)
    except OSError as error:
        raise DatasetError(
            f"{error.filename or building}: {error.strerror}; make room or name another place, "
            "and the same command continues"
        ) from error
    return open_dataset(output)


def _check_choice(choice: Choice, files: Sequence[StillFile], where: str) -> None:
    labels = [file.labels for file in files]
    try:
        choose_labels(choice, labels, where)
    except StillsError:
        counts = Counter(label for shown in labels for label in shown)
        # few files, such as a README beside the labels' folders, may not be pictures: look at them
        pictures = [
            file.labels
            for file in files
            if counts[file.label] >= MIN_PER_LABEL or _is_picture(file.path)
        ]
        choose_labels(choice, pictures, where)


def _is_picture(path: Path) -> bool:
    try:
        read_still(path)
    except StillsError:
        return False
    return True


def _read(work: WorkFile, found: FoundStills, options: BuildOptions, on_progress: Progress) -> None:
    total = len(found.files)
    unread = work.unread(found.files)
    before = total - len(unread)
    on_progress("Reading stills", before, total)
    read_into(
        work,
        unread,
        options.processes,
        lambda done: on_progress("Reading stills", before + done, total),
    )


def _write(
    building: Path,
    work: WorkFile,
    plan: Plan,
    names_of_labels: Names,
    options: BuildOptions,
    sources: Sequence[Path],
    on_progress: Progress,
) -> DatasetManifest:
    folder = building / names.SHARDS
    shutil.rmtree(folder, ignore_errors=True)  # left over from an interrupted build
    folder.mkdir()
    shards: dict[str, tuple[Shard, ...]] = {}
    done = 0
    rng = np.random.default_rng(options.seed)
    for part in PARTS:
        order = rng.permutation(plan.split.part(part))
        records = _told(_records(work, plan, part, order), done, len(plan.stills), on_progress)
        shards[part] = write_shards(folder, part, options.shards, records)
        done += len(order)
    manifest = DatasetManifest(
        labels=plan.labels.labels,
        counts=plan.counts,
        others=plan.labels.others,
        others_are_kept=plan.labels.others_are_kept,
        split=options.split,
        seed=options.seed,
        groups=len(np.unique(plan.groups)),
        test_with_train_twin=plan.test_with_train_twin(),
        stored_side=STORED_SIDE,
        fingerprint_sha256=plan.fingerprint,
        sources=tuple(str(source.absolute()) for source in sources),
        shards=shards,
        boxes=plan.box_counts if plan.has_boxes else None,
        format=FORMAT if plan.has_boxes else FORMAT_WITHOUT_BOXES,
        names=names_of_labels.of(plan.labels.labels),
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    write_pages(
        building,
        plan,
        lambda index: work.png(plan.stills[index].file),
        options.seed,
        manifest.names,
    )
    return manifest


def _records(work: WorkFile, plan: Plan, part: str, order: NDArray[np.int64]) -> Iterator[Record]:
    for index in order.tolist():
        still, shown = plan.stills[index], plan.shown[index]
        yield Record(
            png=work.png(still.file),
            label_number=shown.label_number,
            label=plan.label_of(index),
            source=still.file.name,
            group=int(plan.groups[index]),
            part=part,
            sha256=still.sha256,
            labels=shown.labels,
            boxes=shown.boxes,
            box_numbers=shown.box_numbers,
            all_boxed=shown.all_boxed,
        )


def _told(
    records: Iterator[Record], before: int, total: int, on_progress: Progress
) -> Iterator[Record]:
    for done, record in enumerate(records, before + 1):
        yield record
        on_progress("Writing shards", done, total)
