"""Dense networks learn, and learn the same again, however they are interrupted."""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model.inference.places import most_likely_places
from model.networks.named import weights_of
from model.pictures.preprocess import WIDE
from model.recipe_changes import with_epochs
from model.training.checkpoint import Checkpoint
from model.training.history import Epoch
from model.training.loop import Trained, outputs_of, train
from model.training.place_lesson import PlaceLesson
from tests.stills.placed_stills import LABELS, Placed, placed_stills
from tests.stills.tiny_dense import (
    IDENTITY,
    TINY_DENSE,
    boxed_shapes,
    train_tiny_dense,
    write_dense_by_lot,
)
from tests.video.drawn_shapes import SHAPES

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the checkpoint of the unbroken training lay after each epoch: in `1`, `2`..."""
    return tmp_path_factory.mktemp("checkpoints")


@pytest.fixture(scope="module")
def unbroken(folder: Path) -> Trained:
    running = folder / "running"

    def keep(history: tuple[Epoch, ...]) -> None:
        shutil.copytree(running, folder / str(len(history)))

    return train_tiny_dense(running, on_epoch=keep)


def without_seconds(history: Sequence[Epoch]) -> list[Epoch]:
    return [replace(epoch, seconds=0.0) for epoch in history]


def assert_same(found: Trained, expected: Trained) -> None:
    """Bit for bit."""
    assert without_seconds(found.history) == without_seconds(expected.history)
    theirs = weights_of(expected.network)
    for name, values in weights_of(found.network).items():
        np.testing.assert_array_equal(values, theirs[name], name)


def test_dense_network_has_an_output_for_each_label_but_unknown(unbroken: Trained) -> None:
    assert outputs_of(TINY_DENSE, (*SHAPES, "unknown")) == SHAPES
    assert unbroken.network.output_shape == (None, 12, 16, len(SHAPES) + 4)
    assert [epoch.number for epoch in unbroken.history] == [1, 2, 3]


@pytest.mark.parametrize("done_epochs", [1, 2])
def test_resumed_after_a_correction_it_ends_the_same(
    done_epochs: int, unbroken: Trained, folder: Path, tmp_path: Path
) -> None:
    copy = shutil.copytree(folder / str(done_epochs), tmp_path / "copy")
    numbers: list[int] = []
    resumed = train_tiny_dense(
        copy, resume=True, on_epoch=lambda history: numbers.append(len(history))
    )
    assert numbers == list(range(done_epochs + 1, 4))  # nothing is trained twice
    assert_same(resumed, unbroken)


def test_checkpoint_holds_what_was_corrected(unbroken: Trained, folder: Path) -> None:
    left = Checkpoint(folder / "1", IDENTITY).load()
    assert left is not None
    absent = left.variables["whereabouts absent"]
    assert absent.shape == (len(boxed_shapes(7)), len(SHAPES))
    # before, other labels of stills without boxes were only likely to be absent
    drawn = boxed_shapes(7).all_boxed
    assert set(np.unique(absent[~drawn])) <= {0.0, 0.5, 1.0}
    assert (absent[~drawn] != 0.5).any()


def test_processes_make_the_scenes_that_a_thread_makes(unbroken: Trained) -> None:
    assert_same(train_tiny_dense(processes=2), unbroken)


def test_same_seed_gives_the_same_weights_and_another_seed_others(unbroken: Trained) -> None:
    once = replace(TINY_DENSE, epochs=1, average_epochs=1, corrected_after=())
    first, again, other = (
        weights_of(train_tiny_dense(recipe=replace(once, seed=seed)).network) for seed in (0, 0, 1)
    )
    for name, values in first.items():
        np.testing.assert_array_equal(values, again[name])
    kernels = [name for name in first if name.endswith("kernel")]
    assert not any(np.array_equal(first[name], other[name]) for name in kernels)


def test_corrections_see_with_averaged_weights_and_change_what_comes_after(
    unbroken: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of three epochs two are followed by a correction; validation has the weights that it has."""
    seen: list[np.ndarray] = []
    validate, correct = PlaceLesson.validate, PlaceLesson.correct

    def keep(lesson: PlaceLesson) -> None:
        seen.append(np.concatenate([each.ravel() for each in weights_of(lesson.network).values()]))

    def watched_validate(lesson: PlaceLesson) -> tuple[float, float]:
        keep(lesson)
        return validate(lesson)

    def watched_correct(lesson: PlaceLesson, *known: object) -> object:
        keep(lesson)
        return correct(lesson, *known)  # type: ignore[arg-type]

    monkeypatch.setattr(PlaceLesson, "validate", watched_validate)
    monkeypatch.setattr(PlaceLesson, "correct", watched_correct)
    assert_same(train_tiny_dense(), unbroken)
    assert len(seen) == 3 + 2
    np.testing.assert_array_equal(seen[0], seen[1])
    np.testing.assert_array_equal(seen[2], seen[3])

    monkeypatch.undo()
    never = train_tiny_dense(recipe=replace(TINY_DENSE, corrected_after=()))
    assert without_seconds(never.history)[0] == without_seconds(unbroken.history)[0]
    assert never.history[1].loss != unbroken.history[1].loss


@pytest.mark.parametrize(("labels", "corrections"), [(SHAPES, 1), (("disc", "else"), 0)])
def test_a_start_that_knows_all_labels_corrects_before_the_first_epoch(
    labels: tuple[str, ...],
    corrections: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    start = write_dense_by_lot(tmp_path, labels=labels)
    stages: list[str] = []

    def watched(lesson: PlaceLesson, *known: object) -> object:
        stages.append("correct")
        return correct(lesson, *known)  # type: ignore[arg-type]

    correct = PlaceLesson.correct
    monkeypatch.setattr(PlaceLesson, "correct", watched)
    recipe = replace(with_epochs(TINY_DENSE, 1), corrected_after=(0,))
    train_tiny_dense(
        tmp_path / "work", recipe=recipe, start=start, on_epoch=lambda _: stages.append("epoch")
    )
    assert stages == ["correct"] * corrections + ["epoch"]

    more = replace(with_epochs(TINY_DENSE, 2), corrected_after=(0,))
    stages.clear()
    train_tiny_dense(recipe=more, on_epoch=lambda _: stages.append("epoch"))
    assert stages == ["epoch"] * 2  # without a start


def rectangles(count: int, seed: int) -> list[Placed]:
    """So many of each colour anywhere, every second with a box that was drawn in haste."""
    rng = np.random.default_rng(seed)
    placed = []
    for number in range(count):
        for label in LABELS[:4]:
            width, height = rng.uniform((0.25, 0.33), (0.5, 0.67))
            left, top = rng.uniform(0, 1 - width), rng.uniform(0, 1 - height)
            corners = (left, top, left + width, top + height)
            placed.append(Placed([(label, corners)], in_full=number % 2 == 0))
    return placed


def test_dense_network_learns_who_is_there_and_where() -> None:
    shown, others = placed_stills(*rectangles(10, 0)), rectangles(6, 1)
    validation = placed_stills(*others)
    recipe = replace(
        TINY_DENSE,
        epochs=30,
        batch_size=6,
        learning_rate=1e-2,
        corrected_after=(2,),
        bfloat16=False,
    )
    trained = train(shown, validation, recipe)
    assert trained.history[-1].loss < trained.history[0].loss / 3
    assert trained.history[-1].validation_accuracy >= 0.8  # a quarter by chance, of 24 stills
    pictures = validation.inputs(range(len(others)), WIDE)
    boxes = most_likely_places(np.asarray(trained.network(pictures))).boxes
    inside = 0
    for each, by_label in zip(others, boxes, strict=True):
        [(label, (left, top, right, bottom))] = each.boxes
        box = by_label[LABELS.index(label)] / (256, 192, 256, 192)
        across, down = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        inside += left < across < right and top < down < bottom
    assert inside >= 20  # of 24; a rectangle has a fifth of its picture
