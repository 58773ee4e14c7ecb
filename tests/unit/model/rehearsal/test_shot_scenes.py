"""Scenes of shots: who is named is in sight from the first picture to the last, and nobody else."""

from collections import Counter

import numpy as np
import pytest

from model.rehearsal.shot_pictures import Layout, seen_by
from model.rehearsal.shot_scenes import ShotScene, ShotScenes, draw_tint
from model.scenes.seen import Picture
from tests.stills.placed_stills import LABELS, Placed, nobody, of_colour, placed_stills

LAYOUT = Layout(320, 180)
HEAD = (0.3, 0.25, 0.7, 0.75)
SLIM = (120, 90)
CAST = (
    *(Placed([(label, HEAD)], size=SLIM) for label in LABELS[:4]),
    Placed([("unknown", HEAD)], size=SLIM),
    nobody(),
)
NAMES = LABELS[:4]


def maker(*stills: Placed, layout: Layout = LAYOUT) -> ShotScenes:
    return ShotScenes(placed_stills(*stills), layout)


def chance(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def pictures(shot: ShotScene) -> list[Picture]:
    return [seen_by(shot.picture, shot.camera, done) for done in (0.0, 0.3, 0.7, 1.0)]


def in_sight(picture: Picture) -> set[str]:
    """The labels of whose colour more than specks are there: 6 x 6 pixels."""
    return {label for label in NAMES if of_colour(picture, label, 20).sum() > 36}


@pytest.mark.parametrize("layout", [LAYOUT, Layout(320, 180, None), Layout(240, 320)])
@pytest.mark.parametrize("wanted", [("ann", "bob", "cid"), ("dot", "cid", "bob", "ann")])
def test_everybody_in_a_group_is_in_sight_all_the_time_and_nobody_else(
    wanted: tuple[str, ...], layout: Layout
) -> None:
    made = maker(*CAST, layout=layout)
    for seed in range(12):
        shot = made.group(wanted, chance(seed))
        assert shot
        assert shot.labels == tuple(sorted(wanted))
        for picture in pictures(shot):
            assert in_sight(picture) == set(wanted), seed


@pytest.mark.parametrize("wanted", [(), ("ann",), ("bob", "ann")])
def test_few_stand_beside_strangers_who_have_no_name(wanted: tuple[str, ...]) -> None:
    made = maker(*CAST)
    strange = 0
    for seed in range(15):
        shot = made.beside_strangers(wanted, chance(seed))
        assert shot
        assert set(shot.labels) == set(wanted)
        for picture in pictures(shot):
            assert in_sight(picture) == set(wanted)
        strange += bool(of_colour(shot.picture, "unknown", 60).any())
    assert strange > 10


def test_one_stands_beside_stills_of_strangers_if_nobody_drew_boxes() -> None:
    stills = Placed([("ann", HEAD)], in_full=False, size=(180, 160))
    made = maker(stills, Placed([("unknown", HEAD)], in_full=False, size=(180, 160)))
    for seed in range(10):
        shot = made.beside_strangers(("ann",), chance(seed))
        assert shot
        assert shot.labels == ("ann",)
        assert all(in_sight(picture) == {"ann"} for picture in pictures(shot))


def test_without_strangers_there_is_nobody_to_stand_beside() -> None:
    made = maker(*CAST[:4])
    assert made.beside_strangers(("ann",), chance(0)) is None
    assert made.beside_strangers((), chance(0)) is None


def test_some_groups_are_whole_frames_with_whoever_is_in_them() -> None:
    row = [
        (label, (left, 0.3, left + 0.15, 0.6))
        for label, left in zip(NAMES[1:], (0.2, 0.4, 0.6), strict=True)
    ]
    made = maker(*CAST, Placed(row, size=(180, 320)))
    shown = Counter[tuple[str, ...]]()
    for seed in range(24):
        shot = made.group(("ann", "bob", "cid"), chance(seed))
        assert shot
        shown[shot.labels] += 1
        for picture in pictures(shot):
            if "dot" not in shot.labels:
                # of figures cut out of the row an edge of the next one may be seen
                assert in_sight(picture) >= set(shot.labels)
                continue
            # all are of one size: four fifths of somebody or more, or a fifth or less
            sizes = {label: of_colour(picture, label).sum() for label in NAMES}
            assert {n for n in NAMES if sizes[n] > max(sizes.values()) / 2} == set(shot.labels)
    assert set(shown) == {("ann", "bob", "cid"), ("bob", "cid", "dot")}
    assert shown["bob", "cid", "dot"] < shown["ann", "bob", "cid"]


def test_labels_that_cannot_be_told_apart_in_their_stills_make_no_group() -> None:
    both = Placed([], in_full=False, also=("ann", "bob"))
    assert maker(both, Placed([("cid", HEAD)])).group(("ann", "bob", "cid"), chance(0)) is None


def test_the_same_chance_gives_the_same_scene() -> None:
    made = maker(*CAST)
    first, again, other = (made.group(NAMES[:3], chance(seed)) for seed in (1, 1, 2))
    assert first
    assert again
    assert other
    assert (first.picture == again.picture).all()
    assert np.array_equal(first.camera, again.camera)
    assert (first.picture != other.picture).any()


def test_light_is_the_same_over_a_shot_and_comes_at_night_in_sepia_and_in_colours() -> None:
    grey = np.full((4, 4, 3), 150, np.uint8)
    colours = set()
    for seed in range(30):
        tint = draw_tint(chance(seed))
        assert (tint(grey) == tint(grey)).all()
        red, green, blue = tint(grey)[0, 0].tolist()
        assert tint(grey).shape == grey.shape
        colours.add((np.sign(red - green), np.sign(green - blue)))
    assert {(1, 1), (-1, -1)} < colours  # sepia and night, and others
