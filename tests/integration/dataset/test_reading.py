"""Reading a dataset as a stream: every still once, in a repeatable order, in constant memory."""

import io
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from model.dataset.build import build_dataset
from model.dataset.folder import Dataset, open_dataset
from model.dataset.plan import BuildOptions
from model.dataset.reading import stream_batches, stream_pictures
from model.errors import DatasetError
from model.inference.tensorflow_runtime import load_tensorflow
from model.pictures.preprocess import TASK
from tests.servers.commands import castline_here, one_line
from tests.stills.still_folders import write_stills

pytestmark = pytest.mark.integration

COUNTS = {"apple": 30, "pear": 20}
TRAIN = {0: 21, 1: 14}  # of 30: 3 test, ceil(5.4) = 6 validate; of 20: 2 and 4


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("reading")
    source = write_stills(folder / "stills", COUNTS)
    return build_dataset([source], folder / "dataset", BuildOptions(shards=3))


def read(
    dataset: Dataset, seed: int | None
) -> tuple[NDArray[np.uint8], NDArray[np.int64], list[int]]:
    batches = list(stream_batches(dataset, "train", batch_size=8, shuffle_seed=seed))
    pictures, numbers = zip(*batches, strict=True)
    return np.concatenate(pictures), np.concatenate(numbers), [len(batch) for batch in numbers]


def test_a_pass_shows_every_still_once_in_full_batches_but_the_last(dataset: Dataset) -> None:
    drawn = {
        TASK.fit_to_canvas(np.asarray(Image.open(path))).tobytes()
        for path in (dataset.folder.parent / "stills").glob("*/*.png")
    }
    for seed in (None, 5):
        pictures, numbers, sizes = read(dataset, seed)
        assert pictures.shape == (35, 84, 84, 3)
        assert Counter(numbers.tolist()) == TRAIN
        assert sizes == [8, 8, 8, 8, 3]
        shown = {picture.tobytes() for picture in pictures}
        assert len(shown) == 35
        assert shown <= drawn


def test_seed_decides_the_order(dataset: Dataset) -> None:
    first, again, other, unshuffled = (read(dataset, seed)[0] for seed in (5, 5, 6, None))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert not np.array_equal(first, unshuffled)


def test_fit_decides_what_a_network_gets(dataset: Dataset) -> None:
    def corner(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return np.resize(picture, (5, 7, 3))

    [(pictures, _), *_] = stream_batches(dataset, "test", batch_size=4, fit=corner)
    assert pictures.shape == (4, 5, 7, 3)


def test_damaged_record_is_one_line_that_names_the_shard(dataset: Dataset, tmp_path: Path) -> None:
    folder = tmp_path / "damaged"
    shutil.copytree(dataset.folder, folder)
    shard = folder / "shards" / "train-00001-of-00003.tfrecord"
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 0xFF
    shard.write_bytes(content)
    opened = open_dataset(folder)  # its size is right
    with pytest.raises(DatasetError, match=r"train-00001-of-00003.tfrecord: damaged shard"):
        list(stream_batches(opened, "train", batch_size=8))
    with pytest.raises(DatasetError, match=r"train-00001-of-00003.tfrecord: damaged shard"):
        opened.check_shards()
    shown = castline_here(tmp_path, "dataset", "show", folder)
    assert shown.returncode == 1
    assert "train-00001-of-00003.tfrecord: damaged shard" in one_line(shown.stderr)


def with_first_record(dataset: Dataset, folder: Path, content: bytes | None) -> Dataset:
    """A copy with another first record of train's second shard, rightly written, or without it."""
    copy = shutil.copytree(dataset.folder, folder / "copy")
    shard = copy / "shards" / "train-00001-of-00003.tfrecord"
    tensorflow = load_tensorflow()
    records = list(tensorflow.data.TFRecordDataset(str(shard)).as_numpy_iterator())
    with tensorflow.io.TFRecordWriter(str(shard)) as writer:
        for record in ([content] if content is not None else []) + records[1:]:
            writer.write(record)
    return Dataset(copy, dataset.manifest)  # sizes and SHA-256s are anyone's to write


def example(dataset: Dataset, **changes: bytes | int) -> bytes:
    """The first record of train's second shard with other values."""
    tensorflow = load_tensorflow()
    shard = dataset.folder / "shards" / "train-00001-of-00003.tfrecord"
    record = next(iter(tensorflow.data.TFRecordDataset(str(shard)).as_numpy_iterator()))
    changed = tensorflow.train.Example.FromString(record)
    for name, value in changes.items():
        feature = changed.features.feature[name]
        values = (feature.int64_list if isinstance(value, int) else feature.bytes_list).value
        values[0] = value
    return bytes(changed.SerializeToString())


def picture(kind: str, side: int) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (side, 4)).save(content, kind)
    return content.getvalue()


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda dataset: example(dataset, label=2), "label number 2 of 2 labels"),
        (lambda dataset: example(dataset, label=-1), "label number -1 of 2 labels"),
        (lambda dataset: None, "11 records of 12"),
        (lambda dataset: b"\xff no Example", "a record is malformed"),
        (lambda dataset: b"", "a record is malformed"),
        (
            lambda dataset: example(dataset, image=picture("PNG", 40_000)),
            "a picture of 40000x4 pixels, of 320 at most",
        ),
        (lambda dataset: example(dataset, image=picture("GIF", 40)), "a picture is not a PNG"),
        (lambda dataset: example(dataset, image=cut(picture("PNG", 40))), "a picture is damaged"),
    ],
    ids=["high label", "low label", "gone", "no Example", "empty", "large", "GIF", "cut picture"],
)
def test_record_that_cannot_be_ours_is_one_line_that_names_the_shard_and_the_reason(
    dataset: Dataset, tmp_path: Path, make: Callable[[Dataset], bytes | None], reason: str
) -> None:
    spoilt = with_first_record(dataset, tmp_path, make(dataset))
    passes: list[Callable[[], object]] = [
        lambda: list(stream_batches(spoilt, "train", batch_size=8)),
        lambda: list(stream_pictures(spoilt, "train", TASK.fit)),
    ]
    for read_all in passes:
        with pytest.raises(DatasetError) as caught:
            read_all()
        assert f"train-00001-of-00003.tfrecord: damaged shard ({reason}" in str(caught.value)
        assert "\n" not in str(caught.value)


MEMORY = """
import sys
from pathlib import Path

import numpy as np

from model.dataset.folder import SHARDS, Dataset, DatasetManifest
from model.dataset.reading import stream_batches
from model.pictures.files import to_png
from model.dataset.shards import Record, write_shards


def write(folder, stills):
    (folder / SHARDS).mkdir(parents=True)
    sizes = {"train": stills, "validation": 2, "test": 2}
    shards = {
        part: write_shards(folder / SHARDS, part, 3, records(part, size))
        for part, size in sizes.items()
    }
    counts = {part: (sum(s.records for s in found), 0) for part, found in shards.items()}
    return Dataset(folder, DatasetManifest(
        labels=("apple", "pear"), counts=counts, others={}, others_are_kept=False, split="random",
        seed=0, groups=1, test_with_train_twin=0, stored_side=176, fingerprint_sha256="0" * 64,
        sources=(), shards=shards, created_at="2026-01-01T00:00:00+00:00"))


def records(part, stills):
    noise = np.random.default_rng(0).integers(0, 256, (132, 176, 3), np.uint8)
    png = to_png(noise)  # 70 kB, as no compression helps
    for number in range(stills):
        yield Record(png, 0, "apple", str(number), number, part, "0" * 64)


def peak_after_reading(dataset):
    seen = 0
    for pictures, _ in stream_batches(
        dataset,
        "train",
        batch_size=40,
        fit=lambda picture: np.resize(picture, (132, 176, 3)),
        shuffle_seed=1,
        buffered_records=64,
    ):
        seen += len(pictures)
    status = Path("/proc/self/status").read_text()
    return seen, int(status.split("VmHWM:")[1].split()[0])


folder = Path(sys.argv[1])
for name, stills in (("once", 200), ("tenfold", 2000)):
    print(*peak_after_reading(write(folder / name, stills)))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
def test_ten_times_the_stills_take_the_same_memory(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, str(tmp_path)], capture_output=True, text=True, check=True
    )
    (once, peak_kb), (tenfold, peak_of_tenfold_kb) = (
        map(int, line.split()) for line in done.stdout.splitlines()
    )
    assert (once, tenfold) == (200, 2000)
    held_kb = 2000 * 70  # what holding the set would add: a fifth of the peak
    assert held_kb > 0.1 * peak_kb
    assert peak_of_tenfold_kb < 1.1 * peak_kb
