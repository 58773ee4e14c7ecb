"""From a dataset to a model version, in one call."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.adding.examples import examples_of
from model.adding.features import DenseFeatures
from model.dataset.stills import Stills
from model.errors import ArtifactError
from model.evaluation.calibration import Calibration, calibrate
from model.evaluation.recogniser import Recogniser
from model.evaluation.scene_calibration import calibrate_scenes, rehearse_network
from model.inference.classifier import BATCH_SIZE
from model.inference.compiling import compile_network, compile_version, keep_compiled
from model.inference.cpu_forward import CpuForwardPass
from model.inference.forward import ForwardPass
from model.inference.sight import PlaceSight, Sight, sight_of
from model.networks.named import add_to_logits, assign_weights, network_of, weights_of
from model.pictures.preprocess import preprocessing_named
from model.progress import Progress
from model.recipe import Recipe
from model.report.testing import Tested, ask, metrics_of, report_of
from model.training.checkpoint import Checkpoint
from model.training.checks import check_parts
from model.training.folder import alone_at_work
from model.training.history import Epoch, HistoryFiles
from model.training.loop import train
from model.training.plan import TrainingPlan
from model.version.artifact import ModelVersion, write_model_version
from model.version.manifest import Manifest
from model.version.weights import rounded

LEAST_AGREEMENT = 0.995
"""Of the validation stills as many must get the same label in 8 bits as in 32. The bundled network
gives 99.94 % the same; what changes was a toss-up between two labels before."""


def train_model_version(
    plan: TrainingPlan,
    output_folder: Path,
    *,
    work_folder: Path,
    processes: int = 0,
    resume: bool = False,
    on_progress: Progress | None = None,
    on_epoch: Callable[[tuple[Epoch, ...]], None] | None = None,
) -> ModelVersion:
    """Train, calibrate, choose thresholds, test, and write a model version with its report.

    Its network is compiled for CPUs, so that an installation without TensorFlow computes it.

    Args:
        plan: What to train.
        output_folder: Becomes the model version; must not exist.
        work_folder: Holds the checkpoint until the version is written, and `history.csv` and
            TensorBoard's events for good.
        processes: Processes that make batches; see `model.training.loop.train`.
        resume: Go on from the checkpoint in the work folder, if there is one.
        on_progress: Called while it works.
        on_epoch: Called after each epoch with all epochs so far.

    Raises:
        DatasetError: A shard is damaged, or a part shows nobody known.
        TrainingError: Memory ran out, the checkpoint is damaged or of another training, another
            training is at work in the work folder, or one without `resume` would throw away what
            this very training has reached there.
        ArtifactError: The output folder exists, or a teacher's weights are damaged.
    """
    tell = on_progress or (lambda _step, _done, _total: None)
    if output_folder.exists():  # before an hour of training, not after
        raise ArtifactError(
            f"{output_folder}: exists, and a model version never changes; name another"
        )
    check_parts(plan.dataset)
    with alone_at_work(work_folder):
        checkpoint = Checkpoint(work_folder, plan.identity)
        write_history = _begin(checkpoint, work_folder, resume=resume)
        stills, validation = _unpack(plan, tell)

        def after_epoch(history: tuple[Epoch, ...]) -> None:
            write_history(history)
            if on_epoch is not None:
                on_epoch(history)

        trained = train(
            stills,
            validation,
            plan.recipe,
            after_epoch,
            checkpoint,
            teachers=[network_of(teacher) for teacher in plan.teachers],
            start=plan.start,
            on_step=lambda done, steps: tell("Training", done, steps),
            resume=resume,
            processes=processes,
        )
        # what is tested is what is written
        assign_weights(trained.network, rounded(weights_of(trained.network)))
        manifest, tested = _measure(plan, trained.network, validation, tell)
        made = write_model_version(
            output_folder,
            manifest,
            weights_of(trained.network),
            report_of(plan, manifest, trained.history, tested),
            _examples(trained.network, manifest, stills, plan.recipe, tell),
        )
        checkpoint.remove()
    keep_compiled(made, compile_version(made))
    return made


def _begin(
    checkpoint: Checkpoint, work_folder: Path, *, resume: bool
) -> Callable[[tuple[Epoch, ...]], None]:
    """Prepare the work folder, and return what writes the history there."""
    if not resume:
        checkpoint.refuse_to_lose()
    files = HistoryFiles(work_folder)
    if not (resume and checkpoint.exists):
        files.begin_anew()
    return files.write


def _unpack(plan: TrainingPlan, tell: Progress) -> tuple[Stills, Stills]:
    """Return the stills to learn from and those to validate with."""
    rule = None if plan.recipe.is_dense else preprocessing_named(plan.recipe.preprocessing)
    parts = []
    for number, part in enumerate(("train", "validation")):
        tell("Unpacking stills", number, 2)
        parts.append(Stills.unpack(plan.dataset, part, rule))
    tell("Unpacking stills", 2, 2)
    return parts[0], parts[1]


def _measure(
    plan: TrainingPlan, network: Any, validation: Stills, tell: Progress
) -> tuple[Manifest, Tested]:
    """Calibrate a trained network and test it; return the whole manifest, and what it reached."""
    sight = sight_of(plan.recipe, plan.draft.labels)
    forward, agreement = forward_pass(network, sight, validation)
    calibration, forward = _calibrated(
        network, forward, agreement, sight, validation, plan.recipe, tell
    )
    recogniser = _recogniser(forward, sight, calibration.temperature)
    tested = ask(recogniser, plan.dataset, tell)
    manifest = replace(
        plan.draft,
        temperature=calibration.temperature,
        onset=calibration.thresholds.onset,
        offset=calibration.thresholds.offset,
        label_thresholds=calibration.label_thresholds,
        int8=agreement >= LEAST_AGREEMENT,
        metrics=metrics_of(tested, calibration, agreement, plan.dataset),
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    return manifest, tested


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
        return calibrate(forward, recipe.views, validation, recipe.seed, tell), forward
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
