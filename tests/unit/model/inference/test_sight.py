"""What networks of either kind are shown of frames, by networks that are made up."""

import numpy as np
import pytest
from numpy.typing import NDArray

from model.errors import ModelError
from model.inference.forward import ForwardPass
from model.inference.sight import PlaceSight, RegionSight, sight_of
from model.pictures.preprocess import TASK, WIDE
from model.pictures.regions import cut
from model.recipe import REGIONAL, STRONG
from model.version.region_views import RegionViews
from tests.stills.models import LABELS, manifest_by_lot

TWO = ("apple", "pear")


class Brightness(ForwardPass):
    """Answers how bright a picture is in the mean, and the opposite."""

    def __init__(self, batch_size: int = 4) -> None:
        super().__init__((2,), batch_size)
        self.shapes: set[tuple[int, ...]] = set()

    def _logits_of_batch(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.shapes.add(pictures.shape[1:])
        mean = pictures.reshape(len(pictures), -1).mean(axis=1)
        return np.stack([mean, -mean], axis=1).astype(np.float32)


class Brightest(ForwardPass):
    """Answers for places of 16 pixels: the first label is where it is bright, one stride around.

    The second one is in the first place, with the logit -2.
    """

    def __init__(self, batch_size: int = 4) -> None:
        super().__init__((12, 16, 2 + 4), batch_size)

    def _logits_of_batch(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        places = pictures[..., 0].reshape(-1, 12, 16, 16, 16).mean(axis=(2, 4))
        answers = np.zeros((len(pictures), 12, 16, 6), np.float32)
        answers[..., 0] = places / 50 - 3
        answers[..., 1] = -9
        answers[:, 0, 0, 1] = -2
        return answers


def frames(count: int = 5, height: int = 90, width: int = 160) -> list[NDArray[np.uint8]]:
    rng = np.random.default_rng(0)
    return list(rng.integers(0, 256, (count, height, width, 3), np.uint8))


@pytest.mark.parametrize("closer_view", [0.0, 0.5])
def test_regions_are_seen_each_as_its_rule_makes_it(closer_view: float) -> None:
    regions = ("full", "left", "right")
    sight = RegionSight(TWO, regions, TASK, RegionViews(closer_view))
    forward = Brightness()
    answers = sight.of_frames(forward, frames())
    assert answers.corners is None
    assert forward.shapes == {(64, 64, 3)}
    assert sight.views_per_frame == (4 if closer_view else 3)
    for number, frame in enumerate(frames()):
        means = [TASK.preprocess(cut(frame, region)).mean() for region in regions]
        found = answers.logits[number, :, 0]
        assert found[1:] == pytest.approx(means[1:], rel=1e-4)
        if not closer_view:
            assert found[0] == pytest.approx(means[0], rel=1e-4)
    np.testing.assert_array_equal(answers.logits[..., 1], -answers.logits[..., 0])


def test_regions_share_one_certainty_and_pictures_are_wholes() -> None:
    sight = RegionSight(TWO, ("full",), TASK, RegionViews())
    pictures = np.stack([np.full((64, 64, 3), grey, np.uint8) for grey in (1, 2)])
    logits = sight.of_pictures(Brightness(), pictures)
    np.testing.assert_allclose(logits, [[1, -1], [2, -2]])
    shares = np.exp(np.array([[0.5, -0.5], [1, -1]]))
    np.testing.assert_allclose(
        sight.confidences(logits, 2.0), shares / shares.sum(axis=1, keepdims=True)
    )


def test_whole_frames_are_seen_once_and_places_are_shares_of_them() -> None:
    """In a frame of 16:9 the third place across and the fifth down is bright: 32 to 48, 64 to 80
    of 256x192, of which the frame has the rows from 24 to 168."""
    frame = np.zeros((144, 256, 3), np.uint8)
    frame[64 - 24 : 80 - 24, 32:48] = 200
    sight = PlaceSight(TWO, WIDE)
    answers = sight.of_frames(Brightest(), [frame, np.zeros((96, 128, 3), np.uint8)])
    assert answers.logits.shape == (2, 1, 2)
    np.testing.assert_allclose(answers.logits[0, 0], [1, -2], atol=1e-5)
    assert answers.corners is not None
    np.testing.assert_allclose(
        answers.corners[0, 0],
        [(40 - 16) / 256, (72 - 16 - 24) / 144, (40 + 16) / 256, (72 + 16 - 24) / 144],
    )
    # the first place lies in the black above the frame: what is left of it is at the edge
    np.testing.assert_allclose(answers.corners[0, 1], [0, 0, 24 / 256, 0])
    assert ((answers.corners >= 0) & (answers.corners <= 1)).all()
    assert sight.views_per_frame == 1
    assert sight.regions == ("full",)
    assert set(sight.shapes) == {(192, 256)}


def test_answers_do_not_depend_on_what_comes_together() -> None:
    sight = PlaceSight(TWO, WIDE)
    pictures = [*frames(3), *frames(2, 100, 100)]
    together = sight.of_frames(Brightest(64), pictures)
    alone = [sight.of_frames(Brightest(1), [picture]) for picture in pictures]
    np.testing.assert_array_equal(together.logits, np.concatenate([one.logits for one in alone]))
    assert together.corners is not None
    for number, one in enumerate(alone):
        assert one.corners is not None
        np.testing.assert_array_equal(together.corners[number], one.corners[0])


def test_no_frames_have_no_answers() -> None:
    for sight, forward in (
        (PlaceSight(TWO, WIDE), Brightest()),
        (RegionSight(TWO, ("full",), TASK, RegionViews()), Brightness()),
    ):
        assert sight.of_frames(forward, []).logits.shape == (0, 1, 2)


def test_labels_of_places_are_there_or_not_each_on_its_own() -> None:
    found = PlaceSight(TWO, WIDE).confidences(np.array([[[2.0, 2.0]], [[0.0, -4.0]]]), 2.0)
    # 1 / (1 + e^-1), and 1 / (1 + e^2)
    np.testing.assert_allclose(found, [[[0.731059, 0.731059]], [[0.5, 0.119203]]], rtol=1e-5)


def test_pictures_are_looked_at_as_frames_are() -> None:
    sight = PlaceSight(TWO, WIDE)
    pictures = np.stack([sight.rule.preprocess(frame) for frame in frames()])
    np.testing.assert_array_equal(
        sight.of_pictures(Brightest(), pictures),
        sight.of_frames(Brightest(), frames()).logits[:, 0],
    )


def test_manifests_and_recipes_tell_how_their_network_sees() -> None:
    by_regions = sight_of(manifest_by_lot(regions=("full", "right"), closer_view=0.5), LABELS)
    assert isinstance(by_regions, RegionSight)
    assert (by_regions.regions, by_regions.rule) == (("full", "right"), TASK)
    assert (by_regions.labels, by_regions.views) == (LABELS, RegionViews(0.5))
    glancing = manifest_by_lot(
        network="residual",
        network_parameters=REGIONAL.network_parameters,
        preprocessing="fit112_crop96",
        glance_side=64,
        glance_clear=0.9,
    )
    assert set(sight_of(glancing, TWO).shapes) == {(96, 96), (64, 64)}
    taught = sight_of(REGIONAL, TWO)
    assert taught.regions == ("full", "left", "right")
    assert set(taught.shapes) == {(96, 96)}
    assert taught.views_per_frame == 4
    dense = sight_of(STRONG, TWO)
    assert isinstance(dense, PlaceSight)
    assert (dense.rule, dense.labels) == (WIDE, TWO)


@pytest.mark.parametrize(
    "sight", [PlaceSight(TWO, WIDE), RegionSight(TWO, ("full",), TASK, RegionViews())]
)
def test_frame_that_is_no_picture_is_refused(sight: PlaceSight | RegionSight) -> None:
    forward = Brightest() if isinstance(sight, PlaceSight) else Brightness()
    with pytest.raises(ModelError, match="cannot be classified"):
        sight.of_frames(forward, [np.zeros((4, 4), np.uint8)])
