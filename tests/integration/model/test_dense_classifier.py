"""Classifiers of dense networks: who is where in a frame, in any batch, on either device."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from model.inference.classifier import FLOOR, Classifier, Prediction
from model.inference.device import Device
from model.inference.gpu_forward import GpuForwardPass
from model.networks.named import network_of
from model.pictures.preprocess import WIDE
from model.version.artifact import ModelVersion
from tests.stills.tiny_dense import write_dense_by_lot
from tests.video.drawn_shapes import SHAPES, draw

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("compiles_here")]


@pytest.fixture(scope="module")
def version(tmp_path_factory: pytest.TempPathFactory) -> ModelVersion:
    return write_dense_by_lot(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def network(version: ModelVersion) -> Any:
    return network_of(version)


def frames(count: int = 7) -> list[NDArray[np.uint8]]:
    """Frames of 16:9, one of 4:3 and one that is taller than wide."""
    sizes = [(160, 90), (320, 180), (80, 60), (50, 70)]
    drawn = [
        draw(SHAPES[number % 3], number, *sizes[number % len(sizes)]) for number in range(count)
    ]
    assert {picture.shape for picture in drawn} == {(h, w, 3) for w, h in sizes}
    return drawn


def expected_of(network: Any, frame: NDArray[np.uint8]) -> dict[str, tuple[float, list[float]]]:
    """Confidence and corners by label, each worked out on its own from Keras' answers."""
    picture = WIDE.preprocess(frame)
    answers = np.asarray(network(picture[None]))[0].astype(np.float64)
    height, width = frame.shape[:2]
    scale = min(256 / width, 192 / height)
    left, top = (256 - width * scale) / 2, (192 - height * scale) / 2
    found = {}
    for number, label in enumerate(SHAPES):
        logits = answers[:, :, number]
        row, column = np.unravel_index(logits.argmax(), logits.shape)
        edges = 16 * np.exp(answers[row, column, len(SHAPES) :])
        x, y = 16 * column + 8, 16 * row + 8
        corners = [
            (x - edges[0] - left) / (width * scale),
            (y - edges[1] - top) / (height * scale),
            (x + edges[2] - left) / (width * scale),
            (y + edges[3] - top) / (height * scale),
        ]
        confidence = 1 / (1 + np.exp(-logits.max()))
        found[label] = confidence, [min(max(each, 0.0), 1.0) for each in corners]
    return found


def assert_as_expected(classified: Sequence[tuple[Prediction, ...]], network: Any) -> None:
    seen = 0
    for frame, predictions in zip(frames(), classified, strict=True):
        expected = expected_of(network, frame)
        confidences = [each.confidence for each in predictions]
        assert confidences == sorted(confidences, reverse=True)
        assert {each.label for each in predictions} == {
            label for label, (confidence, _) in expected.items() if confidence >= FLOOR
        }
        for each in predictions:
            confidence, (left, top, right, bottom) = expected[each.label]
            assert each.region == "full"
            assert each.confidence == pytest.approx(confidence, abs=1e-3)
            assert each.place is not None
            assert each.place.x == pytest.approx((left + right) / 2, abs=0.02)
            assert each.place.y == pytest.approx((top + bottom) / 2, abs=0.02)
            assert each.place.width == pytest.approx(max(right - left, 0.001), abs=0.02)
            assert each.place.height == pytest.approx(max(bottom - top, 0.001), abs=0.02)
            seen += 1
    assert seen > len(frames())


def test_labels_are_where_the_network_says_inside_of_the_picture(
    version: ModelVersion, network: Any
) -> None:
    classifier = Classifier.load(version, device=Device.CPU, batch_size=4)
    classified = classifier.classify(frames())
    assert_as_expected(classified, network)
    for each in (one for predictions in classified for one in predictions):
        assert each.place is not None
        assert 0 <= each.place.x <= 1
        assert 0 <= each.place.y <= 1
    assert classifier.labels == SHAPES
    assert classifier.views_per_frame == 1
    assert classifier.frames_per_batch == 4
    assert classifier.batch_fill(6) == 0.75
    assert classifier.classify([]) == []


def test_batches_of_any_size_give_the_very_same_predictions(version: ModelVersion) -> None:
    one, three, all_of_them = (
        Classifier.load(version, device=Device.CPU, batch_size=size).classify(frames())
        for size in (1, 3, 64)
    )
    assert one == three == all_of_them


def test_gpus_see_the_same_and_compile_once(version: ModelVersion, network: Any) -> None:
    forward = GpuForwardPass(network, [WIDE.shape], 4, "/CPU:0")
    assert_as_expected(Classifier(version, forward).classify(frames()), network)
    for count in (1, 2, 3):
        Classifier(version, forward).classify(frames(7)[:count])
    assert forward.compiled_signatures == 1


def test_pictures_and_frames_have_the_confidences_of_predictions(version: ModelVersion) -> None:
    classifier = Classifier.load(version, device=Device.CPU)
    by_frame = classifier.confidences(frames())
    assert by_frame.shape == (7, 1, 3)
    pictures = np.stack([WIDE.preprocess(frame) for frame in frames()])
    np.testing.assert_array_equal(classifier.confidences_of_pictures(pictures), by_frame[:, 0])
    for row, predictions in zip(by_frame[:, 0], classifier.classify(frames()), strict=True):
        for each in predictions:
            assert each.confidence == row[SHAPES.index(each.label)]


def test_in_8_bits_it_sees_nearly_the_same(tmp_path: Path, version: ModelVersion) -> None:
    rounded = Classifier.load(write_dense_by_lot(tmp_path, int8=True), device=Device.CPU)
    exact = Classifier.load(version, device=Device.CPU)
    difference = np.abs(rounded.confidences(frames()) - exact.confidences(frames()))
    assert 0 < difference.max() < 0.1
