"""The classifier in memory, and the batch size that is found for it once."""

from dataclasses import replace
from pathlib import Path

import pytest

from model.inference.classifier import BATCH_SIZE, Classifier
from model.inference.device import Device
from model.version.artifact import ModelVersion
from tests.stills.models import write_model_by_lot
from worker.settings import Settings
from worker.steps import classifiers
from worker.steps.classifiers import LoadedClassifiers

BEST = 4 * BATCH_SIZE


@pytest.fixture
def version(tmp_path: Path) -> ModelVersion:
    return write_model_by_lot(tmp_path / "models")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.from_environment(tmp_path, {})


@pytest.fixture
def probed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The devices that were probed, each of which does best with BEST; without TensorFlow."""
    made: list[str] = []

    def probe(_version: ModelVersion, device: str) -> int:
        made.append(device)
        return BEST

    monkeypatch.setattr(classifiers, "probe_batch_size", probe)
    monkeypatch.setattr(classifiers, "device_name", lambda device: f"the {device}")
    monkeypatch.setattr(Classifier, "load", lambda *_, batch_size, **__: batch_size)
    return made


def loaded_sizes(settings: Settings, version: ModelVersion, device: Device = Device.CPU) -> object:
    """The batch size with which a process that was just started loads a model version."""
    return LoadedClassifiers(settings, device, probes=True).load(version.sha256)


def test_a_batch_size_is_probed_once_for_each_device(
    settings: Settings, version: ModelVersion, probed: list[str]
) -> None:
    assert loaded_sizes(settings, version) == BEST
    assert loaded_sizes(settings, version) == BEST
    assert loaded_sizes(settings, version, Device.GPU) == BEST
    assert probed == ["cpu", "gpu"]


def test_a_batch_size_that_a_person_chose_is_taken_without_probing(
    settings: Settings, version: ModelVersion, probed: list[str]
) -> None:
    assert loaded_sizes(replace(settings, batch_size=7), version) == 7
    assert probed == []


def test_a_single_command_takes_the_usual_batch_without_probing(
    settings: Settings, version: ModelVersion, probed: list[str]
) -> None:
    loaded: object = LoadedClassifiers(settings, Device.CPU).load(version.sha256)
    assert loaded == BATCH_SIZE
    assert probed == []


@pytest.mark.parametrize("content", ["", "{", "[]", '{"the cpu": "many"}'])
def test_what_was_found_is_found_anew_where_its_file_is_damaged(
    content: str, settings: Settings, version: ModelVersion, probed: list[str]
) -> None:
    (settings.home / "batch_sizes.json").write_text(content)
    assert loaded_sizes(settings, version) == BEST
    assert loaded_sizes(settings, version) == BEST
    assert probed == ["cpu"]
