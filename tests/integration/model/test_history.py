"""A training's history as other programs read it."""

import csv
import errno
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from model.errors import TrainingError
from model.inference.tensorflow_runtime import load_tensorflow
from model.training.history import CSV_NAME, TENSORBOARD_NAME, Epoch, HistoryFiles

pytestmark = pytest.mark.integration

FIRST = Epoch(1, 3, 0.002, 1.5, 0.25, 1.0 / 3.0, 0.5, 12.25)
HISTORY = (FIRST, replace(FIRST, number=2, loss=0.1 + 0.2), replace(FIRST, number=3, loss=0.125))

SCALARS = (
    *("learning_rate", "loss", "accuracy"),
    *("validation_loss", "validation_accuracy", "seconds"),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Written by two processes: the first was killed after the second epoch."""
    folder = tmp_path_factory.mktemp("history") / "run"
    killed, resumed = HistoryFiles(folder), HistoryFiles(folder)
    killed.write(HISTORY[:1])
    killed.write(HISTORY[:2])
    resumed.write(HISTORY)
    return folder


def test_csv_has_every_epoch_and_loses_no_digit(folder: Path) -> None:
    with (folder / CSV_NAME).open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["number", "epochs", *SCALARS]
    assert [int(row["number"]) for row in rows] == [1, 2, 3]
    assert [float(row["loss"]) for row in rows] == [1.5, 0.1 + 0.2, 0.125]
    assert float(rows[0]["validation_loss"]) == 1 / 3


def test_tensorboard_has_every_epoch_as_scalars_under_its_number(folder: Path) -> None:
    tensorflow = load_tensorflow()
    found: dict[tuple[int, str], float] = {}
    for path in sorted((folder / TENSORBOARD_NAME).iterdir()):
        for record in tensorflow.data.TFRecordDataset(str(path)).as_numpy_iterator():
            event = tensorflow.compat.v1.Event.FromString(record)
            for value in event.summary.value:
                assert value.metadata.plugin_data.plugin_name == "scalars"
                found[event.step, value.tag] = float(tensorflow.make_ndarray(value.tensor))
    assert set(found) == {(number, name) for number in (1, 2, 3) for name in SCALARS}
    assert [found[number, "loss"] for number in (1, 2, 3)] == pytest.approx([1.5, 0.3, 0.125])
    assert found[1, "seconds"] == 12.25


def test_beginning_anew_leaves_no_events_of_an_earlier_training(tmp_path: Path) -> None:
    HistoryFiles(tmp_path).write(HISTORY)
    assert (tmp_path / TENSORBOARD_NAME).is_dir()
    for _twice in range(2):
        HistoryFiles(tmp_path).begin_anew()
    assert not (tmp_path / TENSORBOARD_NAME).exists()


@pytest.mark.parametrize("kind", ["tensorflow", "system"])
def test_full_disk_is_one_line_that_names_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    tensorflow = load_tensorflow()

    def full(*_arguments: Any, **_options: Any) -> None:
        if kind == "tensorflow":
            raise tensorflow.errors.ResourceExhaustedError(None, None, "No space left on device\n")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tensorflow.summary, "write", full)
    with pytest.raises(TrainingError, match="No space left on device") as caught:
        HistoryFiles(tmp_path).write(HISTORY)
    assert str(caught.value).startswith(f"{tmp_path}: cannot be written")
    assert "\n" not in str(caught.value)
