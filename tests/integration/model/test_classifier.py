"""The classifier of a model version: who is in a frame, in any batch, on any device."""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from model.errors import DeviceError, ModelError
from model.inference.classifier import FLOOR, Classifier, Prediction
from model.inference.device import Device
from model.networks import baseline
from model.networks.named import build_network, weights_of
from model.pictures.preprocess import TASK, resize
from model.version.artifact import ModelVersion, write_model_version
from model.version.weights import read_weights
from tests.stills.models import NAME, manifest_by_lot, write_model_by_lot
from tests.stills.trained_shapes import SMALL, TrainedShapes
from tests.video.drawn_shapes import SHAPES, draw
from tests.waiting import PATIENCE_SECONDS

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("compiles_here")]


@pytest.fixture(scope="module")
def version(trained: TrainedShapes) -> ModelVersion:
    return trained.version


@pytest.fixture(scope="module")
def classifier(version: ModelVersion) -> Classifier:
    return Classifier.load(version, device=Device.CPU, batch_size=12)


def frames(count: int, seed: int = 5000) -> list[NDArray[np.uint8]]:
    """Frames with a shape in each half."""
    rng = np.random.default_rng(seed)
    return [
        np.hstack([draw(str(shape), seed + 2 * n + i) for i, shape in enumerate(pair)])
        for n, pair in enumerate(rng.choice(SHAPES, (count, 2)))
    ]


def largest_difference(
    first: Sequence[tuple[Prediction, ...]], second: Sequence[tuple[Prediction, ...]]
) -> float:
    """Between the confidences of one label in one frame; 0 where it was not returned."""
    largest = 0.0
    for a, b in zip(first, second, strict=True):
        left, right = ({found.label: found.confidence for found in row} for row in (a, b))
        for label in left.keys() & right.keys():
            largest = max(largest, abs(left[label] - right[label]))
        for label in left.keys() ^ right.keys():  # both must be at the floor then
            largest = max(largest, abs((left | right)[label] - FLOOR))
    return largest


def test_shapes_the_network_never_saw_are_recognised_with_their_region(
    classifier: Classifier,
) -> None:
    pairs = [
        [draw(shape, 9000 + n + half) for half in (0, 1)] for n in range(10) for shape in SHAPES
    ]
    everyone = classifier.classify([np.hstack(pair) for pair in pairs])
    right = [found[0].label == SHAPES[n % 3] for n, found in enumerate(everyone)]
    assert sum(right) >= 24  # of 30; 10 by chance

    halves = classifier.classify(
        [np.hstack([draw("disc", 7000 + n), draw("wedge", 7100 + n)]) for n in range(10)]
    )
    regions = [{each.label: each.region for each in found} for found in halves]
    in_place = [(each.get("disc") == "left", each.get("wedge") == "right") for each in regions]
    assert np.sum(in_place) >= 12  # of 20; 7 by chance


@pytest.mark.parametrize(
    ("clear", "at_a_glance"),
    [(0.501, True), (1 - 1e-12, False)],  # always enough, and never
)
def test_version_that_glances_answers_at_a_glance_where_that_is_clear(
    clear: float, at_a_glance: bool, tmp_path: Path
) -> None:
    parameters = {"widths": [8], "blocks": [1], "dropout": 0.0}
    manifest = manifest_by_lot(network="residual", network_parameters=parameters)
    network = build_network("residual", parameters, manifest.labels, TASK.shape, seed=3)
    glancing = replace(manifest, glance_side=32, glance_clear=clear)
    once, glances = (
        Classifier.load(write_model_version(tmp_path / name, one, weights_of(network)))
        for name, one in (("once", manifest), ("glances", glancing))
    )
    pictures = np.stack([TASK.preprocess(frame) for frame in frames(6)])
    small = np.stack([resize(picture, 32, 32) for picture in pictures])
    found = glances.confidences_of_pictures(pictures)
    expected = once.confidences_of_pictures(small if at_a_glance else pictures)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert not np.allclose(found, once.confidences_of_pictures(pictures if at_a_glance else small))
    whole_frames = frames(6)
    seen = np.stack([TASK.preprocess(frame) for frame in whole_frames])
    np.testing.assert_allclose(
        glances.confidences(whole_frames)[:, 0],
        glances.confidences_of_pictures(seen),
        atol=1e-6,
    )


def test_predictions_are_sorted_above_the_floor_and_name_each_label_once(
    classifier: Classifier,
) -> None:
    for predictions in classifier.classify(frames(20)):
        confidences = [found.confidence for found in predictions]
        assert confidences == sorted(confidences, reverse=True)
        assert min(confidences) >= FLOOR
        labels = [found.label for found in predictions]
        assert len(set(labels)) == len(labels)


def test_frame_alone_and_among_others_gets_the_same_confidences(classifier: Classifier) -> None:
    many = frames(15)
    together = classifier.classify(many)
    alone = [classifier.classify([frame])[0] for frame in many]
    shuffled = classifier.classify(many[::-1])[::-1]
    assert largest_difference(together, alone) < 1e-3
    assert largest_difference(together, shuffled) < 1e-3


def test_batch_sizes_agree(version: ModelVersion, classifier: Classifier) -> None:
    other = Classifier.load(version, device=Device.CPU, batch_size=32)
    many = frames(15)
    assert largest_difference(classifier.classify(many), other.classify(many)) < 1e-3


def test_any_number_of_frames_of_any_size_is_classified(classifier: Classifier) -> None:
    assert classifier.classify([]) == []
    for count in (1, 2, 4, 5, 9):
        assert len(classifier.classify(frames(count))) == count
    narrow, flat = np.zeros((1, 300, 3), np.uint8), np.zeros((300, 1, 3), np.uint8)
    assert len(classifier.classify([narrow, flat])) == 2


def test_confidences_are_softmax_of_logits_over_temperature(
    version: ModelVersion, classifier: Classifier
) -> None:
    """Worked out anew by plain loops over the weights that are on disk."""
    frame = draw("disc", 8000)
    x = TASK.preprocess(frame).astype(np.float64) / 127.5 - 1
    weights = _weights_on_disk(version)
    for number in range(1, len(SMALL["filters"]) + 1):
        kernel, bias = weights[f"conv_{number}/kernel"], weights[f"conv_{number}/bias"]
        height, width = x.shape[0] - 2, x.shape[1] - 2
        total = np.broadcast_to(bias, (height, width, len(bias))).astype(np.float64)
        for row in range(3):
            for column in range(3):
                total = total + x[row : row + height, column : column + width] @ kernel[row, column]
        even = total[: height // 2 * 2, : width // 2 * 2]
        pooled = even.reshape(height // 2, 2, width // 2, 2, -1).max(axis=(1, 3))
        x = np.maximum(pooled, 0)
    dense = np.maximum(x.ravel() @ weights["dense/kernel"] + weights["dense/bias"], 0)
    logits = dense @ weights["logits/kernel"] + weights["logits/bias"]
    powers = np.exp(logits / version.manifest.temperature)
    expected = dict(zip(SHAPES, powers / powers.sum(), strict=True))
    for found in classifier.classify([frame])[0]:
        if found.region == "full":
            assert found.confidence == pytest.approx(expected[found.label], abs=1e-3)


def _weights_on_disk(version: ModelVersion) -> dict[str, NDArray[np.float32]]:
    from safetensors.numpy import load_file

    return dict(load_file(version.weights_path))


def test_unknown_is_never_predicted(version: ModelVersion, tmp_path: Path) -> None:
    manifest = replace(version.manifest, labels=("unknown", *SHAPES[1:]), label_thresholds={})
    renamed = write_model_version(tmp_path / "m", manifest, _weights_on_disk(version))
    classifier = Classifier.load(renamed, device=Device.CPU, batch_size=12)
    assert classifier.labels == SHAPES[1:]
    found = [draw("disc", 9000 + number) for number in range(5)]
    labels = {each.label for predictions in classifier.classify(found) for each in predictions}
    assert "unknown" not in labels


@pytest.mark.parametrize(
    "parameters",
    [
        baseline.PARAMETERS,  # real, but not of these weights
        {"filters": [8, 16, 10**6], "dense": 16},
        {"filters": [8] * 50, "dense": 16},
        {"filters": [8, "16", 16], "dense": 16},
        {"filters": [8, 16, True], "dense": 16},
        {"filters": "888", "dense": 16},
        {"dense": 16},
        {**SMALL, "more": 1},
    ],
)
def test_manifest_of_another_network_than_the_weights_is_refused(
    version: ModelVersion, tmp_path: Path, parameters: dict[str, Any]
) -> None:
    manifest = replace(version.manifest, network_parameters=parameters)
    spoilt = write_model_version(tmp_path / "m", manifest, _weights_on_disk(version))
    with pytest.raises(ModelError) as caught:
        Classifier.load(spoilt, device=Device.CPU)
    assert "\n" not in str(caught.value)


def test_unknown_network_device_and_batch_size_are_refused(
    version: ModelVersion, tmp_path: Path
) -> None:
    manifest = replace(version.manifest, network="lambda")
    spoilt = write_model_version(tmp_path / "m", manifest, _weights_on_disk(version))
    with pytest.raises(ModelError, match="baseline"):
        Classifier.load(spoilt, device=Device.CPU)
    with pytest.raises(ModelError, match="batch_size"):
        Classifier.load(version, batch_size=0)


def test_gpu_that_is_not_there_is_a_clear_error(version: ModelVersion) -> None:
    from model.inference.tensorflow_runtime import load_tensorflow

    if load_tensorflow().config.list_physical_devices("GPU"):
        pytest.skip("there is a GPU here")
    with pytest.raises(DeviceError, match="no GPU here"):
        Classifier.load(version, device=Device.GPU)


def in_fresh_interpreter(code: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), **variables}
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=environment,
        timeout=PATIENCE_SECONDS,
    )


def test_importing_the_package_imports_nothing_heavy() -> None:
    root = Path(__file__).parents[3]
    files = [path.relative_to(root).with_suffix("") for path in (root / "model").rglob("[a-z]*.py")]
    modules = sorted(".".join(file.parts) for file in files)
    assert "model.version.artifact" in modules
    imports = "; ".join(f"import {module}" for module in modules)
    heavy = ("tensorflow", "keras", "sklearn", "matplotlib")
    done = in_fresh_interpreter(f"{imports}; import sys; print(set({heavy}) & set(sys.modules))")
    assert done.stdout.strip() == "set()", done.stderr


def test_classifier_starts_quietly_and_stays_small(tmp_path: Path) -> None:
    """The bundled model, and one to compile: nothing on stderr, no TensorFlow, under 200 MB."""
    write_model_by_lot(tmp_path / "models")
    start = (
        "import sys, numpy as np\n"
        "from pathlib import Path\n"
        "from model.version.artifact import find_model\n"
        "from model.inference.classifier import Classifier\n"
        f"version = find_model({{reference!r}}, [Path({str(tmp_path / 'models')!r})])\n"
        "classifier = Classifier.load(version, device='cpu')\n"
        "for _ in range(2):\n"
        "    classifier.classify([np.zeros((144, 256, 3), np.uint8)] * 64)\n"
        "assert 'sklearn' not in sys.modules and 'matplotlib' not in sys.modules\n"
        "print('tensorflow' in sys.modules)\n"
        # of this process alone: ru_maxrss starts from the one that started it
        "status = open('/proc/self/status').read()\n"
        "print(int(status.split('VmHWM:')[1].split()[0]) * 1024)\n"
        "import sklearn.metrics\n"  # still to be had by whoever wants it later
    )
    for reference in (None, NAME, NAME):  # which is compiled, and then found compiled
        done = in_fresh_interpreter(
            start.format(reference=reference), XDG_CACHE_HOME=str(tmp_path / "cache")
        )
        assert done.stderr == ""
        assert done.returncode == 0
        tensorflow_is_loaded, peak_bytes = done.stdout.split()
        assert tensorflow_is_loaded == "False"
        assert int(peak_bytes) < 200e6


def test_weights_that_were_read_are_those_that_were_trained(version: ModelVersion) -> None:
    on_disk = _weights_on_disk(version)
    read = read_weights(version, {name: array.shape for name, array in on_disk.items()})
    for name, array in on_disk.items():
        np.testing.assert_array_equal(read[name], array)
