"""Scenes: what is said of who is where is what their pixels show, by the colours of labels."""

from collections.abc import Iterator

import numpy as np
import pytest

from model.dataset.stills import Stills
from model.pictures.preprocess import WIDE, WholeFrame
from model.scenes.figures import Manner
from model.scenes.scenes import SceneMaker
from model.scenes.seen import Scene, Seen
from model.scenes.whereabouts import LIKELY, SURE, Whereabouts
from tests.stills.placed_stills import LABELS, Placed, nobody, of_colour, placed_stills

LARGE = WholeFrame("large", 640, 360)
FRAMES = pytest.mark.parametrize("frame", [WIDE, LARGE], ids=["256x192", "640x360"])

LEFT, RIGHT = (0.1, 0.2, 0.35, 0.7), (0.6, 0.3, 0.9, 0.8)
CAST = (
    Placed([("ann", LEFT)]),
    Placed([("bob", RIGHT)]),
    Placed([("cid", LEFT)]),
    Placed([("dot", RIGHT), ("unknown", LEFT)]),
    nobody(),
)


def maker(frame: WholeFrame, *stills: Placed) -> SceneMaker:
    unpacked: Stills = placed_stills(*stills)
    return SceneMaker(unpacked, Whereabouts.as_drawn(unpacked), frame)


def chances(count: int) -> Iterator[np.random.Generator]:
    return map(np.random.default_rng, range(count))


def filled(scene: Scene, box: Seen) -> float:
    """The share of a box, as far as it lies in the picture, that has its label's colour."""
    left, top, right, bottom = (
        max(0, round(value)) for value in box.within(*scene.picture.shape[1::-1]).corners
    )
    part = scene.picture[top:bottom, left:right]
    return float(of_colour(part, LABELS[box.label_number]).mean())


def spread(scene: Scene, label: str) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of a label's colour."""
    rows, columns = np.nonzero(of_colour(scene.picture, label))
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


@FRAMES
def test_boxes_of_a_whole_frame_lie_on_its_colours_mirrored_or_not(frame: WholeFrame) -> None:
    made = maker(frame, Placed([("ann", LEFT), ("bob", RIGHT)]))
    orders = set()
    for rng in chances(40):
        scene = made.whole_frame(rng, 0)
        assert scene.picture.shape == (*frame.shape, 3)
        for box in scene.seen:
            assert spread(scene, LABELS[box.label_number]) == pytest.approx(
                box.within(frame.width, frame.height).corners,
                abs=2.6 * frame.height / 120,  # a still's pixel
            )
        if scene.present == {0, 1}:
            ann, bob = sorted(scene.seen)
            orders.add(ann.left < bob.left)
    assert orders == {True, False}


@FRAMES
def test_somebody_at_the_edge_is_seen_hidden_or_gone_by_what_is_left_in_the_frame(
    frame: WholeFrame,
) -> None:
    made = maker(frame, Placed([("ann", LEFT), ("bob", RIGHT)]))
    kinds = set()
    for rng in chances(150):
        scene = made.whole_frame(rng, 0)
        for number, label in enumerate(("ann", "bob")):
            said = [
                kind
                for kind, boxes in (("seen", scene.seen), ("hidden", scene.hidden))
                if number in {box.label_number for box in boxes}
            ]
            assert len(said) < 2
            kinds.add((said or ["gone"])[0])
            if not said and of_colour(scene.picture, label).any():
                # a fifth of somebody at an edge: no more than that of a height or a width
                left, top, right, bottom = spread(scene, label)
                other = spread(scene, "bob" if label == "ann" else "ann")
                assert min(right - left, bottom - top) < 0.5 * max(
                    other[2] - other[0], other[3] - other[1]
                )
    assert kinds == {"seen", "hidden", "gone"}


@FRAMES
@pytest.mark.parametrize("count", [1, 2, 4, 6])
def test_figures_of_a_mosaic_are_where_it_says_and_half_in_sight(
    frame: WholeFrame, count: int
) -> None:
    made = maker(frame, *CAST)
    several = 0
    for rng in chances(25):
        scene = made.mosaic(rng, count)
        assert scene.picture.shape == (*frame.shape, 3)
        for box in scene.seen:
            assert filled(scene, box) > 0.25  # some of it fades
        several += len(scene.seen) > 1
        # whose colour is nowhere is not present
        for number, label in enumerate(LABELS[:-1]):
            if not of_colour(scene.picture, label).any():
                assert number not in scene.present
        assert (scene.absent == SURE).all()
    assert (several > 0) == (count > 1)


def test_a_figure_that_is_covered_by_another_is_hidden() -> None:
    # heads are small in what is cut out below them, so that others' shoulders cover them
    low = (0.3, 0.0, 0.6, 0.3)
    made = maker(WIDE, *(Placed([(label, low)]) for label in LABELS[:4]), nobody())
    covered = 0
    for rng in chances(60):
        scene = made.mosaic(rng, 6)
        labels = [box.label_number for box in (*scene.seen, *scene.hidden)]
        for box in scene.hidden:
            if labels.count(box.label_number) == 1 and box.share_in(0, 0, *WIDE.shape[::-1]) > 0.99:
                covered += 1
                assert filled(scene, box) < 0.6  # half is covered, or more
    assert covered


def test_a_lead_is_in_its_mosaic_and_in_its_panels() -> None:
    made = maker(WIDE, *CAST)
    for rng in chances(20):
        assert 1 in made.mosaic(rng, 1, lead=1).present
        scene = made.panels(rng, 1)
        assert 1 in scene.present | {box.label_number for box in scene.hidden}


def test_panels_are_of_the_stills_that_were_asked_for() -> None:
    made = maker(WIDE, *CAST)
    for rng in chances(20):
        scene = made.panels(rng, 0, [2, 4])
        shown = {label for label in LABELS[:-1] if of_colour(scene.picture, label).any()}
        assert shown <= {"ann", "cid"}
        assert {LABELS[number] for number in scene.present} <= shown


def test_a_label_without_a_box_is_somewhere_and_of_others_the_absence_is_only_likely() -> None:
    made = maker(WIDE, Placed([], in_full=False, also=("ann",)), nobody())
    for rng in chances(10):
        scene = made.still(0, rng)
        assert scene.present == scene.somewhere == {0}
        assert not scene.seen
        assert (scene.absent == np.float32(LIKELY)).all()


def test_whoever_a_figures_still_has_besides_is_not_said_to_be_absent() -> None:
    made = maker(WIDE, Placed([("ann", LEFT)], in_full=False, also=("cid",)), nobody())
    for rng in chances(10):
        scene = made.mosaic(rng, 1)
        assert scene.absent.tolist() == [1, 1, 0, 1]
        assert scene.doubtful == {2}


def test_nobody_is_in_a_picture_of_nobody_and_that_is_sure() -> None:
    made = maker(LARGE, *CAST)
    scene = made.nobody(np.random.default_rng(0))
    assert scene.present == set()
    assert (scene.absent == SURE).all()
    assert scene.picture.shape == (360, 640, 3)


@FRAMES
def test_a_gathering_has_those_wanted_and_strangers_who_are_nobody(frame: WholeFrame) -> None:
    made = maker(frame, *CAST)
    strange = 0
    for rng in chances(25):
        scene = made.gathering(rng, [0, 2], 2, Manner(0.2, 0.5))
        assert scene.present <= {0, 2}
        assert len(scene.strangers) <= 2
        strange += bool(of_colour(scene.picture, "unknown").any())
        for box in scene.seen:
            assert filled(scene, box) > 0.25  # some of it fades
    assert strange > 15


def test_figures_that_stand_reach_the_lower_edge() -> None:
    # the colour ends where the still does: nothing lies below
    tall = Placed([("ann", (0.2, 0.4, 0.8, 1.0))])
    made = maker(LARGE, tall, nobody())
    for rng in chances(15):
        scene = made.gathering(rng, [0], 0, Manner(0.3, 0.5, standing=True))
        assert scene.seen[0].bottom >= 360 - 1e-6


def test_hats_hide_the_top_of_a_figure_and_leave_the_rest() -> None:
    made = maker(LARGE, Placed([("ann", LEFT)]), nobody())
    for rng in chances(15):
        bare, with_hat = (
            made.gathering(np.random.default_rng(seed), [0], 0, Manner(0.4, 0.5, hats=hats))
            for seed in [int(rng.integers(1000))]
            for hats in (0.0, 1.0)
        )
        [before], [after] = bare.seen, with_hat.seen
        assert after.corners == before.corners
        assert 0.6 < filled(with_hat, after) < filled(bare, before)


def test_the_same_chance_makes_the_same_scene() -> None:
    made = maker(WIDE, *CAST)
    first, again, other = (made.mosaic(np.random.default_rng(seed), 4) for seed in (1, 1, 2))
    assert (first.picture == again.picture).all()
    assert first.seen == again.seen
    assert (first.picture != other.picture).any()
