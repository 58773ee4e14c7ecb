"""One part of a dataset as training reads it: any still at any time, in little memory.

Shards are made to be read in their order. Training draws in an order of its own and pastes two
stills into one frame, so a part is unpacked once: decoded, fitted to the canvas, and written to a
file without a name, which the system deletes with the process, killed or not.
"""

import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.reduction import DupFd
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from model.dataset import Dataset
from model.dataset_reading import stream_pictures
from model.errors import DatasetError
from model.preprocess import Preprocessing

_CHANNELS: Final = 3


@dataclass(frozen=True)
class Stills:
    """Labelled stills, unpacked; all arrays have one entry per still."""

    labels: tuple[str, ...]
    """A still's label is an index into them."""
    label_numbers: NDArray[np.int64]
    """(n,)"""
    sizes: NDArray[np.int64]
    """(n, 2) height and width in pixels."""
    preprocessing: Preprocessing
    """To whose canvas they are fitted."""
    _offsets: NDArray[np.int64]  # (n,) where each begins in the file, in bytes
    _file: Any  # open for reading; gone when it is closed

    @classmethod
    def unpack(cls, dataset: Dataset, part: str, preprocessing: Preprocessing) -> Self:
        """Unpack one of train, validation and test.

        Raises:
            DatasetError: a shard is damaged, or there is no room; the line names it.
        """
        pictures = stream_pictures(dataset, part, preprocessing.fit)
        return cls.from_pictures(dataset.manifest.labels, pictures, preprocessing)

    @classmethod
    def from_pictures(
        cls,
        labels: tuple[str, ...],
        pictures: Iterable[tuple[NDArray[np.uint8], int]],
        preprocessing: Preprocessing,
    ) -> Self:
        """Unpack pictures with their labels' numbers.

        Raises:
            DatasetError: there is no room for the file.
        """
        with _said_where():
            file = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the last reference to it
        numbers, sizes, offsets = [], [], []
        for picture, label_number in pictures:
            fitted = preprocessing.fit(picture)
            offsets.append(file.tell())
            sizes.append(fitted.shape[:2])
            numbers.append(label_number)
            with _said_where():
                file.write(np.ascontiguousarray(fitted).data)
        with _said_where():
            file.flush()
        return cls(
            labels,
            np.array(numbers, np.int64),
            np.array(sizes, np.int64).reshape(-1, 2),
            preprocessing,
            np.array(offsets, np.int64),
            file,
        )

    def __len__(self) -> int:
        return len(self.label_numbers)

    def __getstate__(self) -> dict[str, Any]:
        """Let a process that is being started read the same file."""
        return {**vars(self), "_file": DupFd(self._file.fileno())}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _file=os.fdopen(state["_file"].detach(), "rb"))

    def picture(self, index: int) -> NDArray[np.uint8]:
        """Return a still (height, width, 3), RGB, as large as it is on the canvas."""
        height, width = map(int, self.sizes[index])
        length = height * width * _CHANNELS
        content = os.pread(self._file.fileno(), length, int(self._offsets[index]))
        return np.frombuffer(content, np.uint8).reshape(height, width, _CHANNELS)

    def batches(self, batch_size: int) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.int64]]]:
        """Yield all stills in their order, as `inputs` shows them, with their label numbers."""
        for start in range(0, len(self), batch_size):
            indices = np.arange(start, min(start + batch_size, len(self)), dtype=np.int64)
            yield self.inputs(indices), self.label_numbers[indices]

    def inputs(self, indices: Sequence[int] | NDArray[np.int64]) -> NDArray[np.uint8]:
        """Return stills as a network sees them at inference, (n, side, side, 3)."""
        side = self.preprocessing.side
        seen = np.empty((len(indices), side, side, _CHANNELS), np.uint8)
        for row, index in enumerate(indices):
            seen[row] = self.preprocessing.preprocess(self.picture(int(index)))
        return seen


@contextmanager
def _said_where() -> Iterator[None]:
    """Turn the errors of a file without a name into one line that says where it lies."""
    try:
        yield
    except OSError as error:
        folder = tempfile.tempdir or "the temporary folder"  # None while none can be written
        raise DatasetError(
            f"{folder}: cannot hold the unpacked stills ({error.strerror}); make room, or set "
            "TMPDIR to a folder that has it"
        ) from error
