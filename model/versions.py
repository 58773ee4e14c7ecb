"""From a dataset to a model version, in one call."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.adding.examples import examples_of
from model.adding.features import DenseFeatures
from model.dataset.folder import Dataset
from model.dataset.stills import Stills
from model.errors import ArtifactError
from model.evaluation.calibrating import Calibration, calibrate
from model.evaluation.evaluation import Recogniser
from model.evaluation.scene_calibrating import calibrate_scenes, rehearse_network
from model.inference.classifier import BATCH_SIZE
from model.inference.compiling import compile_network, compile_version, keep_compiled
from model.inference.cpu_forward import CpuForwardPass
from model.inference.forward import ForwardPass
from model.inference.sight import PlaceSight, Sight, sight_of
from model.networks.named import add_to_logits, assign_weights, network_of, weights_of
from model.pictures.preprocess import preprocessing_named
from model.pictures.regions import REGIONS, WHOLE
from model.progress import Progress
from model.recipe import Recipe
from model.report.testing import Words, ask, metrics_of, report_of
from model.training.checkpoint import Checkpoint
from model.training.checks import (
    check_nothing_is_to_learn,
    check_parts,
    check_start,
    check_teachers,
)
from model.training.folder import alone_at_work
from model.training.history import Epoch, HistoryFiles
from model.training.loop import outputs_of, train
from model.version.artifact import ModelVersion, write_model_version
from model.version.manifest import Manifest
from model.version.weights import rounded

LEAST_AGREEMENT = 0.995
"""Of the validation stills as many must get the same label in 8 bits as in 32. The bundled network
gives 99.94 % the same; what changes was a toss-up between two labels before."""


def train_model_version(
    dataset: Dataset,
    output_folder: Path,
    name: str,
    version: str,
    recipe: Recipe,
    *,
    work_folder: Path,
    teachers: Sequence[ModelVersion] = (),
    start: ModelVersion | None = None,
    processes: int = 0,
    resume: bool = False,
    words: Words | None = None,
    on_progress: Progress | None = None,
    on_epoch: Callable[[tuple[Epoch, ...]], None] | None = None,
) -> ModelVersion:
    """Train, calibrate, choose thresholds, test, and write a model version with its report.

    Its network is compiled for CPUs, so that an installation without TensorFlow computes it.

    Args:
        dataset: its train set is learnt, its validation set decides temperature and thresholds,
            its test set decides nothing.
        output_folder: becomes the model version; must not exist.
        name: of the version's family.
        version: within it.
        recipe: how to train.
        work_folder: holds the checkpoint until the version is written, and `history.csv` and
            TensorBoard's events for good.
        teachers: model versions of the same labels, preprocessing and loss, whose answers are
            learnt too, as far as the recipe says (`taught`).
        start: with whose weights training begins, in place of random ones: of the recipe's network
            and preprocessing, as `model.recipe_changes.with_network_of` makes it, or of a residual
            network that gives a dense one its trunk. Of its labels, those of the dataset keep what
            they know.
        processes: that make batches; see `model.training.loop.train`.
        resume: go on from the checkpoint in the work folder, if there is one.
        words: for the manifest and the model card.
        on_progress: called while it works.
        on_epoch: called after each epoch with all epochs so far.

    Raises:
        DatasetError: a shard is damaged, or a part shows nobody known.
        TrainingError: nothing would be learnt, a teacher cannot teach this, the start is of another
            network, memory ran out, the checkpoint is damaged or of another training, another
            training is at work in the work folder, or one without `resume` would throw away what
            this very training has reached there.
        ArtifactError: the output folder exists, name or version are not allowed, or the weights of
            a teacher or of the start are damaged.
    """
    tell = on_progress or (lambda _step, _done, _total: None)
    words = words or Words()
    if output_folder.exists():  # before an hour of training, not after
        raise ArtifactError(
            f"{output_folder}: exists, and a model version never changes; name another"
        )
    if not recipe.epochs:
        check_nothing_is_to_learn(dataset, recipe, teachers, start)
    draft = _draft(dataset, recipe, start, name, version, words)
    check_parts(dataset)
    check_teachers(teachers, dataset, recipe)
    if start is not None:
        check_start(start, recipe)
    with alone_at_work(work_folder):
        checkpoint = Checkpoint(work_folder, _identity(dataset, recipe, teachers, start))
        if not resume:
            checkpoint.refuse_to_lose()
        files = HistoryFiles(work_folder)
        if not (resume and checkpoint.exists):
            files.begin_anew()
        stills, validation = _unpack(dataset, recipe, tell)

        def after_epoch(history: tuple[Epoch, ...]) -> None:
            files.write(history)
            if on_epoch is not None:
                on_epoch(history)

        trained = train(
            stills,
            validation,
            recipe,
            after_epoch,
            checkpoint,
            teachers=[network_of(teacher) for teacher in teachers],
            start=start,
            on_step=lambda done, steps: tell("Training", done, steps),
            resume=resume,
            processes=processes,
        )
        # what is tested is what is written
        assign_weights(trained.network, rounded(weights_of(trained.network)))
        sight = sight_of(recipe, draft.labels)
        forward, agreement = forward_pass(trained.network, sight, validation)
        calibration, forward = _calibrated(
            trained.network, forward, agreement, sight, validation, recipe, tell
        )
        recogniser = _recogniser(forward, sight, calibration.temperature)
        tested = ask(recogniser, dataset, tell)
        manifest = replace(
            draft,
            temperature=calibration.temperature,
            onset=calibration.thresholds.onset,
            offset=calibration.thresholds.offset,
            label_thresholds=calibration.label_thresholds,
            int8=agreement >= LEAST_AGREEMENT,
            metrics=metrics_of(tested, calibration, agreement, dataset),
            created_at=_now(),
        )
        report = report_of(
            manifest, recipe, teachers, start, dataset, trained.history, tested, words
        )
        made = write_model_version(
            output_folder,
            manifest,
            weights_of(trained.network),
            report,
            _examples(trained.network, manifest, stills, recipe, tell),
        )
        checkpoint.remove()
    keep_compiled(made, compile_version(made))
    return made


def _draft(
    dataset: Dataset,
    recipe: Recipe,
    start: ModelVersion | None,
    name: str,
    version: str,
    words: Words,
) -> Manifest:
    """Return the manifest as far as it is known before training: what is wrong in it shows now."""
    kept = start if not recipe.epochs else None
    return Manifest(
        name=name,
        version=version,
        network=recipe.network,
        network_parameters=recipe.network_parameters,
        labels=outputs_of(recipe, dataset.manifest.labels),
        names=dataset.manifest.names,
        preprocessing=recipe.preprocessing,
        regions=(WHOLE,) if recipe.is_dense else REGIONS,
        closer_view=recipe.closer_view,
        temperature=1.0,
        onset=1.0,
        offset=1.0,
        training_data_sha256=dataset.manifest.fingerprint_sha256,
        metrics={},
        licence=words.licence,
        created_at=_now(),
        loss=kept.manifest.loss if kept else recipe.loss,
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _unpack(dataset: Dataset, recipe: Recipe, tell: Progress) -> tuple[Stills, Stills]:
    """Return the stills to learn from and those to validate with."""
    parts = []
    for number, part in enumerate(("train", "validation")):
        tell("Unpacking stills", number, 2)
        rule = None if recipe.is_dense else preprocessing_named(recipe.preprocessing)
        parts.append(Stills.unpack(dataset, part, rule))
    tell("Unpacking stills", 2, 2)
    return parts[0], parts[1]


def _recogniser(forward: ForwardPass, sight: Sight, temperature: float) -> Recogniser:
    def confidences(pictures: NDArray[np.uint8]) -> NDArray[np.float64]:
        return sight.confidences(sight.of_pictures(forward, pictures), temperature)

    return Recogniser(sight.labels, sight.rule, confidences)


def _calibrated(
    network: Any,
    forward: ForwardPass,
    agreement: float,
    sight: Sight,
    validation: Stills,
    recipe: Recipe,
    tell: Progress,
) -> tuple[Calibration, ForwardPass]:
    """Return a network's calibration, and its forward pass with it.

    What is to be added to a dense network's logits, its biases take over. The same shift of all
    logits changes no answer in 8 bits that is not changed in 32.
    """
    if not isinstance(sight, PlaceSight):
        return calibrate(forward, recipe.looks, validation, recipe.seed, tell), forward
    rehearsed = rehearse_network(forward, sight.rule, validation, recipe.seed, tell)
    calibration, shift = calibrate_scenes(rehearsed, sight.labels)
    add_to_logits(network, shift)
    return calibration, _compiled(network, int8=agreement >= LEAST_AGREEMENT)


def _examples(
    network: Any, manifest: Manifest, stills: Stills, recipe: Recipe, tell: Progress
) -> bytes:
    """Return what a dense version keeps of its stills, for labels that are added later."""
    if not recipe.is_dense:
        return b""
    seen = DenseFeatures(network, int8=manifest.int8)
    return examples_of(seen, stills, recipe, tell).to_bytes()


def _compiled(network: Any, *, int8: bool) -> ForwardPass:
    return CpuForwardPass(compile_network(network, int8=int8), BATCH_SIZE)


def forward_pass(network: Any, sight: Sight, validation: Stills) -> tuple[ForwardPass, float]:
    """Return a trained network's forward pass as its classifier will have it, on a CPU.

    Returns:
        The forward pass, in 8 bits if these change next to no answers, and how many they leave: the
        share of the validation stills that get the same label as in 32 bits. A still whose label is
        none of the network's does not count: which of many unlikely ones is likeliest is chance.
    """
    exact, rounded = (_compiled(network, int8=int8) for int8 in (False, True))
    has_output = np.array([label in sight.labels for label in validation.labels])
    same = [
        (
            sight.of_pictures(exact, pictures).argmax(axis=1)
            == sight.of_pictures(rounded, pictures).argmax(axis=1)
        )[has_output[label_numbers]]
        for pictures, label_numbers in validation.batches(BATCH_SIZE, sight.rule)
    ]
    agreement = float(np.concatenate(same).mean())
    return (rounded if agreement >= LEAST_AGREEMENT else exact), agreement


def _identity(
    dataset: Dataset,
    recipe: Recipe,
    teachers: Sequence[ModelVersion],
    start: ModelVersion | None,
) -> str:
    """Say what is trained and how, so that a checkpoint is never continued as another's."""
    content = {
        "dataset": dataset.manifest.fingerprint_sha256,
        "labels": dataset.manifest.labels,
        # which still is in which part: the fingerprint and the seed do not tell
        "shards": {
            part: [shard.sha256 for shard in shards]
            for part, shards in dataset.manifest.shards.items()
        },
        "recipe": asdict(recipe),
        "teachers": [teacher.sha256 for teacher in teachers],
        "start": start.sha256 if start else None,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=dict).encode()).hexdigest()
