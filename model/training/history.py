"""How a training went, epoch by epoch: to look at while it runs, and afterwards."""

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
    """How training stands after an epoch."""

    number: int
    """From 1."""
    epochs: int
    """How many there will be."""
    learning_rate: float
    """At its last step."""
    loss: float
    """Mean cross-entropy of the epoch's varied stills, in nats."""
    accuracy: float
    """Share of the epoch's varied stills whose most likely label was right when shown."""
    validation_loss: float
    """Mean cross-entropy of the validation stills after it, as inference sees them, in nats."""
    validation_accuracy: float
    """Share of the validation stills whose most likely label is right."""
    seconds: float
    """How long the epoch took."""

    def __str__(self) -> str:
        """In a line, for people who wait."""
        return (
            f"epoch {self.number:3}/{self.epochs}  loss {self.loss:.3f}"
            f"  accuracy {self.accuracy:.3f}  validation loss {self.validation_loss:.3f}"
            f"  accuracy {self.validation_accuracy:.3f}  {self.seconds:.0f} s"
        )


def history_csv(history: Sequence[Epoch]) -> str:
    """Return a line per epoch under a line of names."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(field.name for field in fields(Epoch))
    lines.writerows(astuple(epoch) for epoch in history)
    return text.getvalue()


class HistoryFiles:
    """Keeps a training's history in a folder, for spreadsheets and for TensorBoard.

    Args:
        folder: made if need be.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._events: Any = None

    def begin_anew(self) -> None:
        """Remove the events of an earlier training, which TensorBoard would draw with the new."""
        shutil.rmtree(self._folder / TENSORBOARD_NAME, ignore_errors=True)

    def write(self, history: Sequence[Epoch]) -> None:
        """Write the history so far; TensorBoard gets its last epoch.

        Raises:
            TrainingError: the disk is full, or the folder cannot be written.
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
        # what tf.summary.scalar writes, which asks for TensorBoard itself to be installed
        kind = tensorflow.compat.v1.SummaryMetadata(data_class="DATA_CLASS_SCALAR")
        kind.plugin_data.plugin_name = "scalars"
        with self._events.as_default(step=epoch.number):
            for field in fields(Epoch)[2:]:  # number and epochs are the axis
                value = tensorflow.constant(getattr(epoch, field.name), tensorflow.float32)
                tensorflow.summary.write(field.name, value, metadata=kind)
        self._events.flush()
