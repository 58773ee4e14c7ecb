"""The checkpoint file: what is saved is loaded, and nothing else is taken for it."""

import errno
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors import SafetensorError

from model.errors import TrainingError
from model.training.checkpoint import Checkpoint, State, give_values
from model.training.history import Epoch

EPOCH = Epoch(1, 4, 0.002, 1.1, 0.4, 1.0 / 3.0, 0.5, 12.25)

VARIABLES: dict[str, NDArray[Any]] = {
    "0000 stem/kernel": np.random.default_rng(0).normal(size=(3, 3, 3, 8)).astype(np.float32),
    "0001 seed_generator_state": np.array([7, 2**32 - 1], np.uint32),
    "0002 iteration": np.array(12345, np.int64),
}


def state(*epochs: Epoch) -> State:
    return State(epochs, VARIABLES)


def test_what_is_saved_is_loaded_bit_for_bit(tmp_path: Path) -> None:
    history = (EPOCH, replace(EPOCH, number=2, loss=0.1 + 0.2))
    Checkpoint(tmp_path / "new" / "folder", "a").save(state(*history))
    found = Checkpoint(tmp_path / "new" / "folder", "a").load()
    assert found is not None
    assert found.history == history
    assert list(found.variables) == list(VARIABLES)
    for name, values in VARIABLES.items():
        assert found.variables[name].dtype == values.dtype
        np.testing.assert_array_equal(found.variables[name], values)


def test_without_a_checkpoint_there_is_none_and_removing_it_twice_is_harmless(
    tmp_path: Path,
) -> None:
    checkpoint = Checkpoint(tmp_path, "a")
    assert checkpoint.load() is None
    checkpoint.save(state(EPOCH))
    checkpoint.remove()
    checkpoint.remove()
    assert checkpoint.load() is None


def test_the_last_one_is_loaded_and_no_other_file_stays(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path, "a")
    checkpoint.save(state(EPOCH))
    checkpoint.save(state(EPOCH, EPOCH))
    found = checkpoint.load()
    assert found is not None
    assert len(found.history) == 2
    assert len(list(tmp_path.iterdir())) == 1


def test_kill_while_saving_leaves_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = Checkpoint(tmp_path, "a")
    checkpoint.save(state(EPOCH))

    def killed(_descriptor: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("model.training.checkpoint.os.fsync", killed)
        with pytest.raises(KeyboardInterrupt):
            checkpoint.save(state(EPOCH, EPOCH))
    found = checkpoint.load()
    assert found is not None
    assert len(found.history) == 1
    checkpoint.save(state(EPOCH, EPOCH))  # over what the kill has left
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("kind", ["safetensors", "system"])
def test_full_disk_is_one_line_that_names_the_folder_and_leaves_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    checkpoint = Checkpoint(tmp_path, "a")
    checkpoint.save(state(EPOCH))

    def full(*_arguments: Any, **_options: Any) -> None:
        if kind == "safetensors":
            raise SafetensorError("I/O error: No space left on device (os error 28)")
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("safetensors.numpy.save_file", full)
        with pytest.raises(TrainingError, match="No space left on device") as caught:
            checkpoint.save(state(EPOCH, EPOCH))
    assert str(caught.value).startswith(f"{tmp_path}: cannot be written")
    assert "--resume" in str(caught.value)
    found = checkpoint.load()
    assert found is not None
    assert len(found.history) == 1


def saved(folder: Path) -> Path:
    Checkpoint(folder, "a").save(state(EPOCH))
    [path] = folder.iterdir()
    return path


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:40],
        lambda content: content[:-100],
        lambda content: b"not a checkpoint at all, but long enough to be read as one",
        lambda content: b"\xff" * 8 + content[8:],
        lambda content: content.replace(b"history", b"mystery"),
        lambda content: content.replace(b"loss", b"lust"),
    ],
    ids=["empty", "cut in the head", "cut", "text", "huge head", "no history", "other epochs"],
)
def test_damaged_checkpoint_is_one_line_that_says_what_to_do(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    path = saved(tmp_path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(TrainingError, match="damaged checkpoint; train again") as caught:
        Checkpoint(tmp_path, "a").load()
    assert str(path) in str(caught.value)
    assert "--resume" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_checkpoint_of_another_training_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path)
    with pytest.raises(
        TrainingError, match="another dataset, recipe, seed, start or teachers"
    ) as caught:
        Checkpoint(tmp_path, "b").load()
    assert str(path) in str(caught.value)
    assert "--resume" in str(caught.value)


def test_file_holds_nothing_but_numbers_and_plain_text(tmp_path: Path) -> None:
    """By the safetensors format alone: eight bytes of length, JSON, numbers."""
    content = saved(tmp_path).read_bytes()
    length = int.from_bytes(content[:8], "little")
    head = json.loads(content[8 : 8 + length])
    assert json.loads(head.pop("__metadata__")["history"])[0]["validation_loss"] == 1 / 3
    assert {name: entry["dtype"] for name, entry in head.items()} == {
        "0000 stem/kernel": "F32",
        "0001 seed_generator_state": "U32",
        "0002 iteration": "I64",
    }


def test_beginning_anew_is_refused_where_this_training_could_go_on(tmp_path: Path) -> None:
    Checkpoint(tmp_path, "a").refuse_to_lose()
    Checkpoint(tmp_path, "a").save(state(EPOCH, EPOCH))
    with pytest.raises(TrainingError) as caught:
        Checkpoint(tmp_path, "a").refuse_to_lose()
    assert str(caught.value) == (
        f"{tmp_path} has a checkpoint of this training after epoch 2; "
        "continue with --resume, or remove the folder to start over"
    )


def test_beginning_anew_is_allowed_over_a_damaged_checkpoint_and_over_anothers(
    tmp_path: Path,
) -> None:
    path = saved(tmp_path)
    Checkpoint(tmp_path, "b").refuse_to_lose()
    path.write_bytes(b"")
    Checkpoint(tmp_path, "a").refuse_to_lose()


@dataclass
class FakeVariable:
    """As much of a Keras variable as takes a value."""

    path: str
    shape: tuple[int, ...]
    value: NDArray[Any] | None = None

    def assign(self, value: NDArray[Any]) -> None:
        assert value.shape == self.shape
        self.value = value


def test_variables_are_found_by_their_place_whatever_this_process_calls_them() -> None:
    kernel = FakeVariable("stem/kernel", (3, 3, 3, 8))
    state_of_chance = FakeVariable("seed_generator_7/seed_generator_state", (2,))
    iteration = FakeVariable("adam_w_7/iteration", ())
    give_values([kernel, state_of_chance, iteration], VARIABLES)
    for variable, values in zip(
        (kernel, state_of_chance, iteration), VARIABLES.values(), strict=True
    ):
        np.testing.assert_array_equal(variable.value, values)
    give_values([FakeVariable("a", ()), iteration], {"0000 a": np.ones(1), "0001 b": np.ones(1)})
    assert iteration.value == 1


@pytest.mark.parametrize("shape", [(3, 3, 3, 9), (3,)])
def test_checkpoint_that_does_not_fit_the_network_is_one_line(shape: tuple[int, ...]) -> None:
    with pytest.raises(TrainingError, match="does not fit this version") as caught:
        give_values([FakeVariable("stem/kernel", shape)], VARIABLES)
    assert "train again without --resume" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_checkpoint_that_lacks_a_variable_is_one_line() -> None:
    with pytest.raises(TrainingError, match=r"'0003'.*train again without --resume"):
        give_values(
            [FakeVariable("more", VARIABLES[name].shape) for name in VARIABLES]
            + [FakeVariable("more", ())],
            VARIABLES,
        )
