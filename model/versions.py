"""From a folder of labelled stills to a model version, in one call."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np

from model.artifact import ModelVersion, write_model_version
from model.calibration import Thresholds, choose_thresholds, fit_temperature, micro_f1, softmax
from model.card import model_card
from model.errors import ArtifactError
from model.forward import ForwardPass
from model.manifest import Manifest
from model.networks import weights_of
from model.preprocess import NAME as PREPROCESSING
from model.recipe import Recipe
from model.regions import REGIONS
from model.rehearsal import rehearse
from model.scores import score
from model.split import Split, split_by_groups
from model.stills import Stills, read_stills
from model.training import Epoch, forward_pass, network_inputs, train

_MAX_REHEARSAL_FRAMES: Final = 3000  # one pair in 10,000 moves the F1's fourth digit
_REHEARSAL_FRAMES_PER_STILL: Final = 6  # of fewer stills, more would only repeat themselves
_MAX_FALSE_RATE: Final = 0.01  # of an absent label at the offset: one cut in a hundred carried over


@dataclass(frozen=True)
class _Calibration:
    temperature: float
    thresholds: Thresholds
    frames: int
    micro_f1: float


def train_model_version(
    stills_folder: Path,
    output_folder: Path,
    name: str,
    version: str,
    recipe: Recipe,
    on_epoch: Callable[[Epoch], None] | None = None,
    *,
    licence: str = "The terms of the stills that it was trained on.",
    about_stills: str = "A folder of labelled stills.",
    command: str = "castline",
) -> ModelVersion:
    """Read stills, split, train, calibrate, choose thresholds, test, and write a model version.

    Args:
        stills_folder: holds `LABEL/PICTURE` files.
        output_folder: becomes the model version; must not exist.
        name: of the version's family.
        version: within it.
        recipe: how to train.
        on_epoch: called after each epoch.
        licence: under which terms the weights may be used.
        about_stills: where the stills come from, for the model card.
        command: that led here, for the model card.

    Raises:
        StillsError: the folder cannot be trained from.
        ArtifactError: the output folder exists, or name or version are not allowed.
    """
    if output_folder.exists():  # before minutes of training, not after
        raise ArtifactError(f"{output_folder}: exists, and a model version never changes")
    read = read_stills(stills_folder)
    split = split_by_groups(read.stills.label_numbers, read.stills.groups, recipe.seed)
    stills, validation, test = (
        read.stills.subset(chosen) for chosen in (split.train, split.validation, split.test)
    )
    network = train(stills, validation, recipe, on_epoch)
    forward = forward_pass(network)
    calibration = _calibrate(forward, validation, recipe.seed)
    answers = forward.logits(network_inputs(test)).argmax(axis=1)
    tested = score(answers, test.label_numbers, test.labels)
    manifest = Manifest(
        name=name,
        version=version,
        network=recipe.network,
        network_parameters=recipe.network_parameters,
        labels=stills.labels,
        preprocessing=PREPROCESSING,
        regions=REGIONS,
        temperature=calibration.temperature,
        onset=calibration.thresholds.onset,
        offset=calibration.thresholds.offset,
        training_data_sha256=read.sha256,
        metrics={
            "accuracy": tested.accuracy,
            "macro_f1": tested.macro_f1,
            "train_accuracy": _accuracy(forward, stills),
            "rehearsal_frames": calibration.frames,
            "rehearsal_micro_f1": calibration.micro_f1,
            **_counts(split),
        },
        licence=licence,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    report = {
        "recipe": asdict(recipe),
        "test": asdict(tested),
        "left_out": {str(item.path): item.reason for item in read.left_out},
    }
    card = model_card(manifest, recipe, tested, about_stills, command)
    pages = {"model_card.md": card.encode(), "report.json": _json(report)}
    return write_model_version(output_folder, manifest, weights_of(network), pages)


def _calibrate(forward: ForwardPass, validation: Stills, seed: int) -> _Calibration:
    """Fit the temperature on validation stills, and choose thresholds on frames made of them."""
    logits = forward.logits(network_inputs(validation))
    temperature = fit_temperature(logits, validation.label_numbers)
    count = min(_MAX_REHEARSAL_FRAMES, _REHEARSAL_FRAMES_PER_STILL * len(validation))
    frames = rehearse(validation, count, seed)
    pictures = frames.pictures.reshape(-1, *frames.pictures.shape[2:])
    by_region = softmax(forward.logits(pictures) / temperature)
    confidences = by_region.reshape(count, len(REGIONS), -1).max(axis=1)
    thresholds = choose_thresholds(confidences, frames.truth, _MAX_FALSE_RATE)
    reached = micro_f1(confidences >= thresholds.onset, frames.truth)
    return _Calibration(temperature, thresholds, count, reached)


def _accuracy(forward: ForwardPass, stills: Stills) -> float:
    answers = forward.logits(network_inputs(stills)).argmax(axis=1)
    return float(np.mean(answers == stills.label_numbers))


def _counts(split: Split) -> dict[str, float]:
    return {
        "stills_train": len(split.train),
        "stills_validation": len(split.validation),
        "stills_test": len(split.test),
    }


def _json(content: object) -> bytes:
    return json.dumps(content, indent=1, sort_keys=True, default=dict).encode() + b"\n"
