"""The history of a training, epoch by epoch, for spreadsheets and TensorBoard."""

import csv
import io
import shutil
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any, Final

from model.inference.tensorflow_runtime import load_tensorflow
from model.training.folder import cannot_be_written

CSV_NAME: Final = "history.csv"
TENSORBOARD_NAME: Final = "tensorboard"


@dataclass(frozen=True)
class Epoch:
    """The metrics of a training after one epoch."""

    number: int
    """Number of the epoch, from 1."""
    epochs: int
    """Number of epochs that the recipe plans."""
    learning_rate: float
    """Learning rate at the last step of the epoch."""
    loss: float
    """Mean cross-entropy of the augmented training stills, in nats."""
    accuracy: float
    """Share of the augmented training stills whose most likely label was correct."""
    validation_loss: float
    """Mean cross-entropy of the validation stills after the epoch, preprocessed as for inference,
    in nats."""
    validation_accuracy: float
    """Share of the validation stills whose most likely label is correct."""
    seconds: float
    """Duration of the epoch."""

    def __str__(self) -> str:
        """Return the metrics in one line for the terminal."""
        return (
            f"epoch {self.number:3}/{self.epochs}  loss {self.loss:.3f}"
            f"  accuracy {self.accuracy:.3f}  validation loss {self.validation_loss:.3f}"
            f"  accuracy {self.validation_accuracy:.3f}  {self.seconds:.0f} s"
        )


def history_csv(history: Sequence[Epoch]) -> str:
    """Return the history as CSV: a header and one line per epoch."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(field.name for field in fields(Epoch))
    lines.writerows(astuple(epoch) for epoch in history)
    return text.getvalue()


class HistoryFiles:
    """Writes a training's history into a folder, for spreadsheets and for TensorBoard.

    Args:
        folder: The folder; it is created if it does not exist.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._events: Any = None

    def begin_anew(self) -> None:
        """Remove an earlier training's events, which TensorBoard would draw with the new ones."""
        shutil.rmtree(self._folder / TENSORBOARD_NAME, ignore_errors=True)

    def write(self, history: Sequence[Epoch]) -> None:
        """Write the history so far as CSV, and its last epoch as TensorBoard events.

        Raises:
            TrainingError: The disk is full, or the folder cannot be written.
        """
        tensorflow = load_tensorflow()
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            (self._folder / CSV_NAME).write_text(history_csv(history))
            self._write_events(tensorflow, history[-1])
        except (OSError, tensorflow.errors.OpError) as error:
            raise cannot_be_written(self._folder, error) from error

    def _write_events(self, tensorflow: Any, epoch: Epoch) -> None:
        if self._events is None:
            self._events = tensorflow.summary.create_file_writer(
                str(self._folder / TENSORBOARD_NAME)
            )
        # the records of tf.summary.scalar, which itself requires TensorBoard to be installed
        kind = tensorflow.compat.v1.SummaryMetadata(data_class="DATA_CLASS_SCALAR")
        kind.plugin_data.plugin_name = "scalars"
        with self._events.as_default(step=epoch.number):
            for field in fields(Epoch)[2:]:  # number and epochs are the axis
                value = tensorflow.constant(getattr(epoch, field.name), tensorflow.float32)
                tensorflow.summary.write(field.name, value, metadata=kind)
        self._events.flush()
