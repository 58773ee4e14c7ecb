"""Save the state of a training after each epoch, so that a killed training can be resumed.

One safetensors file holds every variable, the history so far, and the identity of the training.
Only numbers are read back.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from model.errors import TrainingError
from model.training.folder import cannot_be_written
from model.training.history import Epoch

_NAME: Final = "checkpoint.safetensors"


@dataclass(frozen=True)
class State:
    """The state of a training after an epoch."""

    history: tuple[Epoch, ...]
    """The epochs so far."""
    variables: Mapping[str, NDArray[Any]]
    """All variables on which the next step depends, by name."""


class Checkpoint:
    """The checkpoint of one training in a folder of its own.

    Args:
        folder: The folder of the checkpoint; it is created if it does not exist.
        identity: Identifies the data and the settings of the training; a checkpoint with another
            identity is refused.
    """

    def __init__(self, folder: Path, identity: str) -> None:
        self._folder = folder
        self._path = folder / _NAME
        self._identity = identity

    def save(self, state: State) -> None:
        """Replace the checkpoint by this state atomically.

        Raises:
            TrainingError: The disk is full, or the folder cannot be written; the previous
                checkpoint stays.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import save_file

        history = json.dumps([asdict(epoch) for epoch in state.history])
        unfinished = self._path.with_suffix(".unfinished")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            save_file(
                dict(state.variables),
                unfinished,
                metadata={"history": history, "identity": self._identity},
            )
            with unfinished.open("rb+") as file:
                os.fsync(file.fileno())
            unfinished.replace(self._path)
        except (OSError, SafetensorError) as error:
            raise cannot_be_written(self._folder, error) from error

    def load(self) -> State | None:
        """Return the state that was saved last, if any.

        Raises:
            TrainingError: The checkpoint is damaged, or belongs to another training.
        """
        if not self.exists:
            return None
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(self._path, "numpy") as file:
                metadata = file.metadata()
                variables = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
                history = tuple(Epoch(**epoch) for epoch in json.loads(metadata["history"]))
                identity = metadata["identity"]
        except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
            raise TrainingError(
                f"{self._path}: damaged checkpoint; train again without --resume"
            ) from error
        if identity != self._identity:
            raise TrainingError(
                f"{self._path}: checkpoint of another dataset, recipe, seed, start or teachers; "
                "give the same ones again, or train without --resume"
            )
        return State(history, variables)

    @property
    def exists(self) -> bool:
        """Whether a state was saved, by this training or by another."""
        return has_checkpoint(self._folder)

    def refuse_to_lose(self) -> None:
        """Refuse to start over while a checkpoint of this training exists.

        A checkpoint of another training may be overwritten.

        Raises:
            TrainingError: A state of this training was saved.
        """
        try:
            left = self.load()
        except TrainingError:  # its message said: train again without --resume
            return
        if left is not None:
            raise TrainingError(
                f"{self._folder} has a checkpoint of this training after epoch"
                f" {len(left.history)}; continue with --resume, or remove the folder to start over"
            )

    def remove(self) -> None:
        """Delete the checkpoint; deleting it twice is harmless."""
        self._path.unlink(missing_ok=True)


def has_checkpoint(folder: Path) -> bool:
    """Return whether a training saved its state in this folder."""
    return (folder / _NAME).exists()


def values_of(variables: Sequence[Any]) -> dict[str, NDArray[Any]]:
    """Return the values of Keras variables, keyed by position and, for readability, path."""
    import keras

    return {
        f"{number:04} {variable.path}": np.asarray(
            keras.ops.convert_to_numpy(variable.value), order="C"
        )
        for number, variable in enumerate(variables)
    }


def give_values(variables: Sequence[Any], values: Mapping[str, NDArray[Any]]) -> None:
    """Assign to Keras variables the values that `values_of` returned.

    Raises:
        TrainingError: A value is missing or has another size.
    """
    # by position alone: Keras numbers some names by the layers that the process built before
    by_place = {name.partition(" ")[0]: value for name, value in values.items()}
    try:
        for number, variable in enumerate(variables):
            # a scalar may have been saved as a list of one
            variable.assign(by_place[f"{number:04}"].reshape(variable.shape))
    except (KeyError, ValueError) as error:
        raise TrainingError(
            f"the checkpoint does not fit this version of Castline ({error}); "
            "train again without --resume"
        ) from error
