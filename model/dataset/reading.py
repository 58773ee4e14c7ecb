"""Stream a dataset in batches, with memory that does not grow with the dataset.

for pictures, label_numbers in stream_batches(dataset, "train", batch_size=40, shuffle_seed=0):
    network.train_on_batch(TASK.crop_middle(pictures), label_numbers)
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from model.dataset.annotation import Annotation
from model.dataset.folder import Dataset, Shard, damaged
from model.dataset.shards import READING, SIDES, check_png, read_shard
from model.errors import DatasetError, StillsError
from model.inference.tensorflow_runtime import load_tensorflow
from model.pictures.files import read_picture
from model.pictures.preprocess import TASK

Fit = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
"""Maps a picture (height, width, 3) of any size to one of a fixed shape."""

BUFFERED_RECORDS: Final = 2048
"""Size of the shuffle buffer. Shards are written in random order and read in parallel, so this
only has to vary the order: 2048 x 40 kB are 80 MB of stills of 176 px, 300 MB of whole frames of
320 px."""

_SHARDS_SIDE_BY_SIDE: Final = 5  # a third of the usual 15, each with a read buffer of 256 kB
_FITTING_AT_ONCE: Final = 4  # threads; decoding releases the GIL, and fitting mostly does
_BATCHES_AHEAD: Final = 2  # one is prepared while one waits


def pipeline(
    dataset: Dataset,
    part: str,
    *,
    batch_size: int,
    fit: Fit = TASK.fit_to_canvas,
    shuffle_seed: int | None = None,
    buffered_records: int = BUFFERED_RECORDS,
) -> Any:
    """Return a tf.data.Dataset of one pass over a part.

    Args:
        dataset: The dataset to read.
        part: train, validation or test.
        batch_size: Pictures per batch; the last one may be shorter.
        fit: Fits a picture to the shape of the network's input.
        shuffle_seed: Seed of the order; each pass over one pipeline has another order, and a new
            pipeline repeats the first. None for the order in which the stills were written.
        buffered_records: Size of the shuffle buffer.

    Returns:
        A dataset of pictures (batch, *shape of the output of `fit`), uint8, and label numbers
        (batch,), int64.
    """
    tensorflow = load_tensorflow(READING)
    shape = fit(np.zeros((1, 1, 3), np.uint8)).shape
    records = _records(tensorflow, dataset, part, shuffle_seed, buffered_records)
    return (
        _fitted(tensorflow, records, fit, dataset.manifest.stored_side)
        .map(lambda picture, label: (tensorflow.ensure_shape(picture, shape), label))
        .batch(batch_size)
        .prefetch(_BATCHES_AHEAD)
    )


def stream_batches(
    dataset: Dataset,
    part: str,
    *,
    batch_size: int,
    fit: Fit = TASK.fit_to_canvas,
    shuffle_seed: int | None = None,
    buffered_records: int = BUFFERED_RECORDS,
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.int64]]]:
    """Yield the batches of one pass over `pipeline` as arrays; give each pass its own seed.

    Raises:
        DatasetError: A shard is damaged; the message names it.
    """
    batches = pipeline(
        dataset,
        part,
        batch_size=batch_size,
        fit=fit,
        shuffle_seed=shuffle_seed,
        buffered_records=buffered_records,
    )
    yield from _arrays(dataset, part, batches)


def stream_pictures(
    dataset: Dataset, part: str, fit: Fit
) -> Iterator[tuple[NDArray[np.uint8], int]]:
    """Yield each still, fitted to any shape, and its label number, in the order written.

    Raises:
        DatasetError: A shard is damaged; the message names it.
    """
    for picture, shown in stream_stills(dataset, part, fit):
        yield picture, shown.label_number


def stream_stills(
    dataset: Dataset, part: str, fit: Fit
) -> Iterator[tuple[NDArray[np.uint8], Annotation]]:
    """Yield each still, fitted to any shape, and its labels and boxes, in the order written.

    Raises:
        DatasetError: A shard is damaged; the message names it.
    """
    tensorflow = load_tensorflow(READING)
    records = _records(tensorflow, dataset, part, None, BUFFERED_RECORDS)
    fitted = _fitted(tensorflow, records, fit, dataset.manifest.stored_side, with_places=True)
    stills = fitted.prefetch(_FITTING_AT_ONCE)
    for picture, label_number, label_set, boxes, all_boxed in _arrays(dataset, part, stills):
        number = int(label_number)
        labels = tuple(label_set.tolist()) or (number,)
        yield picture, Annotation(number, labels, np.ascontiguousarray(boxes.T), bool(all_boxed))


def _fitted(
    tensorflow: Any, records: Any, fit: Fit, longest_side: int, with_places: bool = False
) -> Any:
    """Map records to fitted pictures and label numbers, and to all labels and boxes on request."""

    def one(kind: Any, **default: Any) -> Any:
        return tensorflow.io.FixedLenFeature([], kind, **default)

    def some(kind: Any) -> Any:
        return tensorflow.io.FixedLenSequenceFeature([], kind, allow_missing=True)

    features = {"image": one(tensorflow.string), "label": one(tensorflow.int64)}
    sides = [f"box_{side}" for side in SIDES]
    if with_places:
        features |= {"labels": some(tensorflow.int64), "box_label": some(tensorflow.int64)}
        features |= {side: some(tensorflow.float32) for side in sides}
        features["all_boxed"] = one(tensorflow.int64, default_value=0)

    def checked(content: bytes) -> bytes:
        check_png(content, longest_side)  # before a kilobyte becomes a gigabyte
        return content

    def decode(record: Any) -> tuple[Any, ...]:
        read = tensorflow.io.parse_single_example(record, features)
        png = tensorflow.numpy_function(checked, [read["image"]], tensorflow.string)
        picture = tensorflow.io.decode_png(png, channels=3)
        fitted = tensorflow.numpy_function(fit, [picture], tensorflow.uint8), read["label"]
        if not with_places:
            return fitted
        numbers = tensorflow.cast(read["box_label"], tensorflow.float32)
        boxes = tensorflow.stack([numbers, *(read[side] for side in sides)])
        return *fitted, read["labels"], boxes, read["all_boxed"]

    # deterministic, so that the same seed gives the same batches with any number of threads
    return records.map(decode, num_parallel_calls=_FITTING_AT_ONCE, deterministic=True)


def _arrays(dataset: Dataset, part: str, elements: Any) -> Iterator[Any]:
    """Yield the elements of a tf.data.Dataset as arrays.

    Raises:
        DatasetError: A shard is damaged; the message names it.
    """
    tensorflow = load_tensorflow()
    try:
        yield from _checked(dataset, part, elements)
    except (tensorflow.errors.OpError, ValueError) as error:
        raise _explained(dataset, part, error) from error


def _checked(dataset: Dataset, part: str, elements: Any) -> Iterator[Any]:
    """Yield elements as arrays; check label numbers and the number of stills by the manifest.

    Raises:
        tensorflow.errors.OpError: A file is missing or damaged, or a picture is invalid.
        ValueError: A label number does not exist, or there are more or fewer stills.
    """
    seen, expected = 0, sum(dataset.manifest.counts[part])
    for element in elements.as_numpy_iterator():
        _, label_numbers, *places = element
        # also the further labels, and those of the boxes
        numbers = np.hstack([label_numbers, *(places[:1]), *(boxes[0] for boxes in places[1:2])])
        if numbers.min() < 0 or numbers.max() >= len(dataset.manifest.labels):
            raise ValueError("a label number does not exist")
        seen += np.size(label_numbers)
        yield element
    if seen != expected:
        raise ValueError(f"{seen} stills of {expected}")


def _records(
    tensorflow: Any, dataset: Dataset, part: str, seed: int | None, buffered_records: int
) -> Any:
    data = tensorflow.data
    paths = [str(path) for path in dataset.shard_paths(part)]
    if seed is None:
        # in turn, as they were distributed
        files = data.Dataset.from_tensor_slices(paths)
        return files.interleave(data.TFRecordDataset, cycle_length=len(paths))
    files = data.Dataset.from_tensor_slices(paths).shuffle(len(paths), seed)
    together = files.interleave(data.TFRecordDataset, cycle_length=_SHARDS_SIDE_BY_SIDE)
    return together.shuffle(buffered_records, seed)


def _explained(dataset: Dataset, part: str, error: Exception) -> DatasetError:
    """Find the shard that made a pass fail, and return its error."""
    for path, shard in zip(dataset.shard_paths(part), dataset.manifest.shards[part], strict=True):
        try:
            _check_shard(dataset, path, shard)
        except ValueError as fault:
            return damaged(path, str(fault))
    first_line = str(error).splitlines()[0]
    return DatasetError(f"{dataset.folder}: {part} cannot be read: {first_line}; build it again")


def _check_shard(dataset: Dataset, path: Path, shard: Shard) -> None:
    """Read a whole shard.

    Raises:
        ValueError: Describes the fault.
    """
    tensorflow = load_tensorflow()
    seen, labels = 0, len(dataset.manifest.labels)
    try:
        for record in read_shard(path):
            seen += 1
            for number in record.labels:  # includes the main label and those of the boxes
                if not 0 <= number < labels:
                    raise ValueError(f"label number {number} of {labels} labels")
            check_png(record.png, dataset.manifest.stored_side)
            read_picture(record.png)
    except tensorflow.errors.DataLossError as error:
        raise ValueError("a record is cut off or its checksum is wrong") from error
    except StillsError as error:
        raise ValueError("a picture is damaged") from error
    except tensorflow.errors.OpError as error:
        raise ValueError(str(error).splitlines()[0]) from error
    if seen != shard.records:
        raise ValueError(f"{seen} records of {shard.records}")
