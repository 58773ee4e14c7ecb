"""A dataset as an immutable folder: labelled stills, split into parts and packed into shards.

    dataset.json        the manifest below
    shards/*.tfrecord   the stills (see model.dataset.shards)
    stills.csv          one line per still: part, label, group, source, SHA-256
    report.json         which files were left out, and why
    contact_sheet.png, near_duplicates.png   for people

The manifest may be untrusted, so it validates itself. TensorFlow is not needed here.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from model.dataset.split import PARTS, SPLITS
from model.errors import DatasetError
from model.labels import UNKNOWN, Names, are_names

FORMAT: Final = 2
"""Layout of the folder, of the manifest and of the records."""

FORMAT_WITHOUT_BOXES: Final = 1
"""Format of datasets without boxes; versions of Castline from before there were boxes can read
it."""

MANIFEST: Final = "dataset.json"
SHARDS: Final = "shards"
STILLS: Final = "stills.csv"
REPORT: Final = "report.json"
CONTACT_SHEET: Final = "contact_sheet.png"
NEAR_DUPLICATES: Final = "near_duplicates.png"

_MAX_MANIFEST_BYTES: Final = 4 << 20  # a usual one has about 10 kB
_MAX_STORED_SIDE: Final = 1024  # usually 320; a larger one would let a record take gigabytes
_SHARD_NAME: Final = re.compile(r"(train|validation|test)-\d{5}-of-\d{5}\.tfrecord")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Shard:
    """A file of records.

    Raises:
        ValueError: A value is malformed.
    """

    name: str
    """File name, such as `train-00000-of-00015.tfrecord`."""
    records: int
    """Number of records in the file."""
    size_bytes: int
    sha256: str
    """Of the file's content, as hexadecimal digits."""

    def __post_init__(self) -> None:
        if not (_SHARD_NAME.fullmatch(self.name) and _SHA256.fullmatch(self.sha256)):
            raise ValueError(f"shard {self.name!r} is not a shard's name")
        if min(self.records, self.size_bytes) < 0:
            raise ValueError(f"shard {self.name} has a negative size")


@dataclass(frozen=True)
class DatasetManifest:
    """The validated manifest of a dataset.

    Raises:
        ValueError: A value is malformed or inconsistent; the message names it.
    """

    labels: tuple[str, ...]
    """In the order of their numbers; `unknown`, if present, comes last."""
    counts: Mapping[str, tuple[int, ...]]
    """Number of stills of each label in each of train, validation and test."""
    others: Mapping[str, int]
    """Number of stills of each label that was not chosen."""
    others_are_kept: bool
    """Whether the stills of other labels are in the dataset, as `unknown`."""
    split: str
    """`grouped` keeps near-duplicates together, `random` does not."""
    seed: int
    """Seed of the split and of the order in the shards."""
    groups: int
    """Number of groups of near-duplicates, single stills included."""
    test_with_train_twin: int
    """Number of test stills with a near-duplicate in train."""
    stored_side: int
    """Longest side of the stored pictures, in pixels."""
    fingerprint_sha256: str
    """Fingerprint of the labels and contents, independent of file names."""
    sources: tuple[str, ...]
    """The folders that the dataset was built from."""
    shards: Mapping[str, tuple[Shard, ...]]
    """The files of each part."""
    created_at: str
    """Time of creation, ISO 8601 with a time zone."""
    boxes: Mapping[str, tuple[int, ...]] | None = None
    """Number of boxes of each label in each of train, validation and test; None without boxes."""
    format: int = FORMAT_WITHOUT_BOXES
    """FORMAT, or FORMAT_WITHOUT_BOXES without boxes."""
    names: Names = field(default_factory=Names)
    """Names of the labels, as folders and files of boxes wrote them."""

    def __post_init__(self) -> None:
        if self.format != (FORMAT_WITHOUT_BOXES if self.boxes is None else FORMAT):
            raise ValueError(
                f"format {self.format!r} is not {FORMAT_WITHOUT_BOXES} without boxes, nor {FORMAT} "
                "with them; build it with this version"
            )
        if len(self.labels) < 2 or len(set(self.labels)) != len(self.labels):
            raise ValueError("labels are not 2 or more different ones")
        if not are_names(self.names, self.labels):
            raise ValueError("names are not names of its labels")
        if self.split not in SPLITS or not _SHA256.fullmatch(self.fingerprint_sha256):
            raise ValueError("split or fingerprint is malformed")
        if not 0 < self.stored_side <= _MAX_STORED_SIDE:
            raise ValueError(f"stored_side {self.stored_side!r} is not 1 to {_MAX_STORED_SIDE}")
        self._check_parts()

    def _check_parts(self) -> None:
        if set(self.counts) != set(PARTS) or set(self.shards) != set(PARTS):
            raise ValueError(f"counts and shards are not of {', '.join(PARTS)}")
        if not all(self.shards.values()):
            raise ValueError("a part has no shards")
        for part in PARTS:
            stills = sum(self.counts[part])
            in_shards = sum(shard.records for shard in self.shards[part])
            if len(self.counts[part]) != len(self.labels) or stills != in_shards:
                raise ValueError(f"{part}: counts and shards do not fit")
            if self.boxes is not None and len(self.boxes.get(part, ())) != len(self.labels):
                raise ValueError(f"{part}: boxes and labels do not fit")

    def shows_somebody(self, part: str) -> bool:
        """Tell whether any still of a part has a label other than `unknown`."""
        counts = zip(self.labels, self.counts[part], strict=True)
        return any(count for label, count in counts if label != UNKNOWN)

    def to_json(self) -> str:
        """Return the manifest as readable JSON."""
        values = asdict(self)
        if self.boxes is None:
            del values["boxes"]  # versions from before there were boxes would refuse it
        if not self.names:
            del values["names"]  # the same
        return json.dumps(values, indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "DatasetManifest":
        """Parse the JSON that `to_json` returned.

        Raises:
            ValueError: The text is something else, or inconsistent.
        """
        try:
            values: dict[str, Any] = json.loads(text)
            if {*values, "boxes", "names"} != {item.name for item in fields(cls)}:
                raise ValueError("has other fields")
            for name in ("labels", "sources"):
                values[name] = tuple(map(str, values[name]))
            for name in {"counts", "boxes"} & set(values):
                values[name] = {
                    part: tuple(map(int, counts)) for part, counts in values[name].items()
                }
            values["names"] = Names(values.get("names", {}))
            values["shards"] = {
                part: tuple(Shard(**shard) for shard in shards)
                for part, shards in values["shards"].items()
            }
            return cls(**values)
        except (KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            raise ValueError("is not a dataset's manifest") from error


@dataclass(frozen=True)
class Dataset:
    """A dataset on disk with a validated manifest."""

    folder: Path
    manifest: DatasetManifest

    def shard_paths(self, part: str) -> tuple[Path, ...]:
        """Return the files of one of train, validation and test."""
        return tuple(self.folder / SHARDS / shard.name for shard in self.manifest.shards[part])

    def check_shards(self) -> None:
        """Read every shard once and compare it with the manifest (about a second per GB).

        Raises:
            DatasetError: A shard is missing or damaged; the message names it.
        """
        for path, shard in self.files():
            try:
                with path.open("rb") as file:
                    found = hashlib.file_digest(file, "sha256").hexdigest()
            except OSError as error:
                raise damaged(path, error.strerror or "unreadable") from error
            if found != shard.sha256:
                raise damaged(path, "other content than was written")

    def files(self) -> Iterator[tuple[Path, Shard]]:
        """Yield every shard's path and its entry in the manifest."""
        for part in PARTS:
            yield from zip(self.shard_paths(part), self.manifest.shards[part], strict=True)


def open_dataset(folder: Path) -> Dataset:
    """Open a dataset; only the sizes of its shards are compared with the manifest.

    Raises:
        DatasetError: The folder is not a dataset, or a file of it is missing, truncated or
            malformed.
    """
    path = folder / MANIFEST
    try:
        dataset = Dataset(folder, DatasetManifest.from_json(_read_text(path)))
    except OSError as error:
        raise DatasetError(
            f"{folder}: not a dataset ({MANIFEST}: {error.strerror}); "
            "make one: castline dataset build SOURCE -o DIR"
        ) from error
    except ValueError as error:  # also raised for invalid JSON and UTF-8
        raise DatasetError(f"{path}: {error}; build the dataset again") from error
    for file, shard in dataset.files():
        size = file.stat().st_size if file.is_file() else None
        if size != shard.size_bytes:
            raise damaged(file, "gone" if size is None else f"{size} bytes of {shard.size_bytes}")
    return dataset


def damaged(shard: Path, how: str) -> DatasetError:
    """Return the error that names a damaged shard."""
    return DatasetError(f"{shard}: damaged shard ({how}); build the dataset again")


def _read_text(path: Path) -> str:
    if path.exists() and not path.is_file():  # opening a named pipe would block for ever
        raise ValueError("is not a regular file")
    with path.open("rb") as file:
        content = file.read(_MAX_MANIFEST_BYTES + 1)
    if len(content) > _MAX_MANIFEST_BYTES:
        raise ValueError("is too large")
    return content.decode()
