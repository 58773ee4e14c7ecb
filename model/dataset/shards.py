"""Shards: TFRecord files of `tf.train.Example`, readable by any TensorFlow program.

    image    bytes, a PNG, RGB, no side above the manifest's stored_side
    label    int64, the number of the label
    name     bytes, the label
    source   bytes, the file that it came from
    group    int64, equal for near-duplicates
    split    bytes, train, validation or test
    sha256   bytes, of that file's content, in hexadecimal

Stills with boxes or with more than one label have further fields:

    labels      int64 list, the numbers of all labels that it shows, ascending
    all_boxed   int64, 1 if everybody of the dataset's labels in it has a box, else 0
    box_label   int64 list, the number of each box's label
    box_name    bytes list, each box's label
    box_left, box_top, box_right, box_bottom   float lists, shares of its width and height

Pictures are stored without loss: most stills were already compressed once, and each network resizes
them to its own input. Nothing is ever pickled.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final

from model.dataset.folder import Shard
from model.errors import BoxError, DatasetError
from model.inference.tensorflow_runtime import load_tensorflow
from model.pictures.boxes import DIGITS, Box

_PNG_BEGINNING: Final = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
"""Signature, then length and name of the first chunk (W3C, PNG, 5.2 and 11.2.2)."""

_SIDE_BYTES: Final = 4  # width, then height, both big-endian

READING: Final = "reading the stills of a dataset"
"""The purpose for which TensorFlow is needed here, for error messages."""

SIDES: Final = ("left", "top", "right", "bottom")
"""The sides of a box, in the order of its corners."""


@dataclass(frozen=True)
class Record:
    """A still as stored in a shard.

    Raises:
        ValueError: Its labels and boxes are inconsistent.
    """

    png: bytes
    """The picture as a PNG file's content."""
    label_number: int
    """Number of the main label: that of its folder, or of its largest box."""
    label: str
    """Name of the main label."""
    source: str
    """The file that it came from."""
    group: int
    """Equal for near-duplicates."""
    part: str
    """train, validation or test."""
    sha256: str
    """Of that file's content, as hexadecimal digits."""
    labels: tuple[int, ...] = ()
    """The numbers of all labels in the still, ascending; by default the main one alone."""
    boxes: tuple[Box, ...] = ()
    """Bounding boxes, as shares of width and height."""
    box_numbers: tuple[int, ...] = ()
    """The number of each box's label."""
    all_boxed: bool = False
    """Whether everybody with a label of the dataset in it has a box."""

    def __post_init__(self) -> None:
        if not self.labels:
            object.__setattr__(self, "labels", (self.label_number,))
        shown = {self.label_number, *self.box_numbers}
        if len(self.boxes) != len(self.box_numbers) or not shown <= set(self.labels):
            raise ValueError("a record's labels and boxes do not fit together")

    @property
    def has_places(self) -> bool:
        """Whether the record has more than one label, or boxes."""
        return bool(self.boxes) or self.all_boxed or len(self.labels) > 1


def write_shards(
    folder: Path, part: str, shards: int, records: Iterable[Record]
) -> tuple[Shard, ...]:
    """Write the shards of a part; records are distributed to them in turn.

    Args:
        folder: The folder to write to; it exists.
        part: train, validation or test.
        shards: Number of files; some stay empty if there are fewer records.
        records: The records in the order in which they are to be read; each is written immediately.

    Raises:
        DatasetError: The disk is full, or the folder cannot be written.
    """
    tensorflow = load_tensorflow()
    names = [f"{part}-{number:05}-of-{shards:05}.tfrecord" for number in range(shards)]
    counts = [0] * shards
    try:
        with ExitStack() as stack:
            writers = [
                stack.enter_context(tensorflow.io.TFRecordWriter(str(folder / name)))
                for name in names
            ]
            for number, record in enumerate(records):
                # deterministic, because the order of a map's fields would vary between processes
                content = _example(tensorflow, record).SerializeToString(deterministic=True)
                writers[number % shards].write(content)
                counts[number % shards] += 1
    except tensorflow.errors.OpError as error:  # in place of an OSError
        raise DatasetError(
            f"{folder}: cannot be written ({error.message}); make room or name another place, "
            "and the same command continues"
        ) from error
    return tuple(
        Shard(name, count, *_synced(folder / name))
        for name, count in zip(names, counts, strict=True)
    )


def read_shard(path: Path) -> Iterator[Record]:
    """Read a shard's records in their order, one at a time.

    Raises:
        tensorflow.errors.OpError: The file is missing or damaged.
        ValueError: A record is malformed.
    """
    tensorflow = load_tensorflow(READING)
    for content in tensorflow.data.TFRecordDataset(str(path)).as_numpy_iterator():
        yield _record(tensorflow, content)


def read_part(paths: Sequence[Path]) -> Iterator[Record]:
    """Read the records of a part in the order in which `write_shards` received them.

    Args:
        paths: All its shards, in their order.

    Raises:
        tensorflow.errors.OpError: A file is missing or damaged.
        ValueError: A record is malformed.
    """
    for dealt in zip_longest(*map(read_shard, paths)):
        yield from (record for record in dealt if record is not None)


def check_png(content: bytes, longest_side: int) -> None:
    """Refuse content whose first bytes are not a PNG file's, or announce too large a picture.

    Args:
        content: The content of the file.
        longest_side: The longest side allowed, in pixels.

    Raises:
        ValueError: It is not a PNG file, or has a longer side.
    """
    if not content.startswith(_PNG_BEGINNING):
        raise ValueError("a picture is not a PNG")
    width, height = (
        int.from_bytes(content[start : start + _SIDE_BYTES])
        for start in (len(_PNG_BEGINNING), len(_PNG_BEGINNING) + _SIDE_BYTES)
    )
    if max(width, height) > longest_side:
        raise ValueError(f"a picture of {width}x{height} pixels, of {longest_side} at most")


def _record(tensorflow: Any, content: bytes) -> Record:
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    try:
        found = tensorflow.train.Example.FromString(content).features.feature
        return Record(
            png=found["image"].bytes_list.value[0],
            label_number=int(found["label"].int64_list.value[0]),
            label=found["name"].bytes_list.value[0].decode(),
            source=found["source"].bytes_list.value[0].decode(),
            group=int(found["group"].int64_list.value[0]),
            part=found["split"].bytes_list.value[0].decode(),
            sha256=found["sha256"].bytes_list.value[0].decode(),
            labels=tuple(map(int, found["labels"].int64_list.value)),
            boxes=tuple(_boxes(found)),
            box_numbers=tuple(map(int, found["box_label"].int64_list.value)),
            all_boxed=any(found["all_boxed"].int64_list.value),
        )
    except (DecodeError, IndexError, UnicodeDecodeError, BoxError) as error:
        raise ValueError("a record is malformed") from error


def _boxes(found: Any) -> Iterator[Box]:
    names = [name.decode() for name in found["box_name"].bytes_list.value]
    sides = [found[f"box_{side}"].float_list.value for side in SIDES]
    for name, *corners in zip(names, *sides, strict=True):
        yield Box(name, *(round(corner, DIGITS) for corner in corners))


def _example(tensorflow: Any, record: Record) -> Any:
    texts = {
        "name": record.label,
        "source": record.source,
        "split": record.part,
        "sha256": record.sha256,
    }
    make = tensorflow.train
    feature = {"image": make.Feature(bytes_list=make.BytesList(value=[record.png]))}
    for name, text in texts.items():
        content = text.encode("utf-8", "backslashreplace")  # names of files may not be valid UTF-8
        feature[name] = make.Feature(bytes_list=make.BytesList(value=[content]))
    numbers = {"label": [record.label_number], "group": [record.group]}
    if record.has_places:  # others keep the format from before there were boxes
        names = [box.label.encode() for box in record.boxes]
        feature["box_name"] = make.Feature(bytes_list=make.BytesList(value=names))
        for side in SIDES:
            shares = make.FloatList(value=[getattr(box, side) for box in record.boxes])
            feature[f"box_{side}"] = make.Feature(float_list=shares)
        numbers |= {
            "labels": list(record.labels),
            "all_boxed": [int(record.all_boxed)],
            "box_label": list(record.box_numbers),
        }
    for name, values in numbers.items():
        feature[name] = make.Feature(int64_list=make.Int64List(value=values))
    return make.Example(features=make.Features(feature=feature))


def _synced(path: Path) -> tuple[int, str]:
    """Wait until a file is on the disk; return its size in bytes and its SHA-256."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return path.stat().st_size, digest
