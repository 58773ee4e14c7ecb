"""One part of a dataset with random access, in little memory.

Shards are read sequentially. Training reads stills in random order and composes several of them, so
a part is unpacked once: decoded, fitted to the canvas, and written to an anonymous file, which the
system deletes with the process, killed or not. Boxes are shares of a picture, so that fitting does
not change them.
"""

import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing.reduction import DupFd
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from model.dataset.annotation import NO_BOXES, Annotation
from model.dataset.folder import Dataset
from model.dataset.reading import stream_stills
from model.errors import DatasetError
from model.pictures.preprocess import Preprocessing, WholeFrame

_CHANNELS: Final = 3


@dataclass(frozen=True)
class Stills:
    """Unpacked labelled stills; all arrays have one entry per still."""

    labels: tuple[str, ...]
    """Names of the labels, by number."""
    label_numbers: NDArray[np.int64]
    """(n,) number of the main label of each still."""
    label_sets: tuple[tuple[int, ...], ...]
    """The numbers of all labels in each still, ascending."""
    all_boxed: NDArray[np.bool_]
    """(n,) whether everybody with one of these labels in it has a box."""
    sizes: NDArray[np.int64]
    """(n, 2) height and width in pixels."""
    fitted_by: Preprocessing | None
    """The preprocessing to whose canvas they are fitted; None if they are as stored."""
    _boxes: NDArray[np.float32]  # (boxes, 5) of all stills, one after another
    _box_ends: NDArray[np.int64]  # (n,) index after the last box of each still
    _offsets: NDArray[np.int64]  # (n,) offset of each still in the file, in bytes
    _file: Any  # open for reading; deleted when it is closed

    @classmethod
    def unpack(
        cls, dataset: Dataset, part: str, preprocessing: Preprocessing | None = None
    ) -> Self:
        """Unpack one of train, validation and test.

        Args:
            dataset: The dataset to read.
            part: The part to unpack.
            preprocessing: The rule to whose canvas pictures are fitted; without it they stay as
                stored.

        Raises:
            DatasetError: A shard is damaged, or the disk is full; the message names it.
        """
        fit = preprocessing.fit if preprocessing else _as_it_is
        pictures = stream_stills(dataset, part, fit)
        return cls.from_pictures(dataset.manifest.labels, pictures, preprocessing)

    @classmethod
    def from_pictures(
        cls,
        labels: tuple[str, ...],
        pictures: Iterable[tuple[NDArray[np.uint8], int | Annotation]],
        preprocessing: Preprocessing | None = None,
    ) -> Self:
        """Unpack pictures with their labels and boxes; a number alone is that of the only label.

        Raises:
            DatasetError: There is no room for the file.
        """
        with _said_where():
            file = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the last reference to it
        all_shown, sizes, offsets = [], [], []
        for picture, shown in pictures:
            fitted = preprocessing.fit(picture) if preprocessing else picture
            offsets.append(file.tell())
            sizes.append(fitted.shape[:2])
            all_shown.append(shown if isinstance(shown, Annotation) else Annotation.alone(shown))
            with _said_where():
                file.write(np.ascontiguousarray(fitted).data)
        with _said_where():
            file.flush()
        return cls(
            labels,
            np.array([shown.label_number for shown in all_shown], np.int64),
            tuple(shown.label_set for shown in all_shown),
            np.array([shown.all_boxed for shown in all_shown], np.bool_),
            np.array(sizes, np.int64).reshape(-1, 2),
            preprocessing,
            np.concatenate([NO_BOXES, *(shown.boxes for shown in all_shown)]),
            np.cumsum([len(shown.boxes) for shown in all_shown], dtype=np.int64),
            np.array(offsets, np.int64),
            file,
        )

    def __len__(self) -> int:
        return len(self.label_numbers)

    def __getstate__(self) -> dict[str, Any]:
        """Let a child process read the same file."""
        return {**vars(self), "_file": DupFd(self._file.fileno())}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _file=os.fdopen(state["_file"].detach(), "rb"))

    @property
    def preprocessing(self) -> Preprocessing:
        """The preprocessing to whose canvas they are fitted."""
        assert self.fitted_by is not None, "stills that are as they were stored fit no canvas"
        return self.fitted_by

    def boxes(self, index: int) -> NDArray[np.float32]:
        """Return a still's boxes (n, 5): label number, left, top, right, bottom, as shares."""
        start = self._box_ends[index - 1] if index else 0
        return self._boxes[start : self._box_ends[index]]

    def chosen(self, indices: NDArray[np.int64]) -> Self:
        """Return a selection of the stills, in this order, which shares the file."""
        boxes = [self.boxes(int(index)) for index in indices]
        return replace(
            self,
            label_numbers=self.label_numbers[indices],
            label_sets=tuple(self.label_sets[index] for index in indices),
            all_boxed=self.all_boxed[indices],
            sizes=self.sizes[indices],
            _boxes=np.concatenate([NO_BOXES, *boxes]),
            _box_ends=np.cumsum([len(each) for each in boxes], dtype=np.int64),
            _offsets=self._offsets[indices],
        )

    def picture(self, index: int) -> NDArray[np.uint8]:
        """Return a still (height, width, 3), RGB, as large as on the canvas, or as stored."""
        height, width = map(int, self.sizes[index])
        length = height * width * _CHANNELS
        content = os.pread(self._file.fileno(), length, int(self._offsets[index]))
        return np.frombuffer(content, np.uint8).reshape(height, width, _CHANNELS)

    def batches(
        self, batch_size: int, rule: Preprocessing | WholeFrame | None = None
    ) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.int64]]]:
        """Yield all stills in order, preprocessed as by `inputs`, with their label numbers."""
        for start in range(0, len(self), batch_size):
            indices = np.arange(start, min(start + batch_size, len(self)), dtype=np.int64)
            yield self.inputs(indices, rule), self.label_numbers[indices]

    def inputs(
        self,
        indices: Sequence[int] | NDArray[np.int64],
        rule: Preprocessing | WholeFrame | None = None,
    ) -> NDArray[np.uint8]:
        """Return stills preprocessed as for inference, (n, height, width, 3).

        Args:
            indices: Indices of the stills.
            rule: The network's preprocessing; None for the rule to whose canvas they are fitted.
        """
        rule = rule or self.preprocessing
        seen = np.empty((len(indices), *rule.shape, _CHANNELS), np.uint8)
        for row, index in enumerate(indices):
            seen[row] = rule.preprocess(self.picture(int(index)))
        return seen


def _as_it_is(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return picture


@contextmanager
def _said_where() -> Iterator[None]:
    """Turn the errors of an anonymous file into a message that says where it lies."""
    try:
        yield
    except OSError as error:
        folder = tempfile.tempdir or "the temporary folder"  # None while none can be written
        raise DatasetError(
            f"{folder}: cannot hold the unpacked stills ({error.strerror}); make room, or set "
            "TMPDIR to a folder that has it"
        ) from error
