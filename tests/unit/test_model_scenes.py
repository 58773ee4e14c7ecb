"""Scenes made of coloured rectangles: whoever is said to be somewhere is seen there."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from model.preprocess import WIDE
from model.recipe import STRONG, Recipe
from model.scene_batches import SceneBatches
from model.scene_rehearsal import SHOT_FRAMES, rehearse_scenes
from model.scenes import Scene, SceneMaker, Seen
from model.whereabouts import Whereabouts
from tests.boxed_stills import Drawn, Figure, colour_share, pure_share, stills_of

ANT, BEE, COW, STRANGER = range(4)
SEEDS = range(60)

ALONE = [Drawn([Figure(label, 50, 20, 110, 100)]) for label in (ANT, BEE, COW)]
UNBOXED = [Drawn([Figure(label, 50, 20, 110, 100)], boxed=False) for label in (ANT, BEE)]
TOGETHER = Drawn(
    [Figure(ANT, 10, 20, 50, 70), Figure(BEE, 60, 30, 100, 110), Figure(COW, 110, 0, 160, 60)],
    all_boxed=True,
)
NOBODY = Drawn([Figure(STRANGER, 0, 0, 160, 120)], boxed=False)

STILLS = stills_of([*ALONE, *UNBOXED, TOGETHER, NOBODY])
WHERE = Whereabouts.as_drawn(STILLS)
MAKER = SceneMaker(STILLS, WHERE, WIDE)
GROUP, STRANGERS = 5, 6

Make = Callable[[np.random.Generator], Scene]
MAKES: dict[str, Make] = {
    "still": lambda rng: MAKER.still(int(rng.integers(3)), rng),
    "whole frame": MAKER.whole_frame,
    "panels": lambda rng: MAKER.panels(rng, int(rng.integers(3))),
    "mosaic": lambda rng: MAKER.mosaic(rng, int(rng.integers(1, 6))),
}


def inside(scene: Scene, box: Seen) -> NDArray[np.uint8]:
    """The part of a scene that a box holds, less a pixel at each edge."""
    visible = box.within(WIDE.width, WIDE.height)
    left, top = int(np.ceil(visible.left)) + 1, int(np.ceil(visible.top)) + 1
    right, bottom = int(visible.right) - 1, int(visible.bottom) - 1
    return scene.picture[top:bottom, left:right]


@pytest.mark.parametrize("name", list(MAKES))
def test_whoever_is_seen_is_where_the_box_says(name: str) -> None:
    seen = 0
    for seed in SEEDS:
        scene = MAKES[name](np.random.default_rng(seed))
        assert scene.picture.shape == (192, 256, 3)
        for box in scene.seen:
            part = inside(scene, box)
            if min(part.shape[:2]) < 4:
                continue
            # of a mosaic's figures others may cover a third, and edges may fade
            assert colour_share(part, box.label_number) > (0.5 if name == "mosaic" else 0.97)
            seen += 1
    assert seen > len(SEEDS) / 2


GONE = 0.2 * (50 * 60) / (160 * 120) * 2.2**2
"""Of a whole frame, what a fifth of its largest box has when it is seen from closest: who is no
farther in the picture is nobody."""


@pytest.mark.parametrize(
    ("name", "left"), [("still", 0.01), ("whole frame", GONE), ("panels", 0.05), ("mosaic", 0.03)]
)
def test_nobody_is_seen_whom_no_box_tells(name: str, left: float) -> None:
    """Of each label's colour next to nothing is left when all boxes are painted over."""
    for seed in SEEDS:
        scene = MAKES[name](np.random.default_rng(seed))
        for box in (*scene.seen, *scene.hidden):
            visible = box.within(WIDE.width, WIDE.height)
            corners = np.array([visible.left, visible.top, visible.right, visible.bottom])
            first, top, last, bottom = (
                (corners + np.array([-2, -2, 3, 3])).round().astype(int).clip(0)
            )
            scene.picture[top:bottom, first:last] = 0
        for label in (ANT, BEE, COW):
            # in panels there are stills without boxes
            if label not in scene.somewhere and scene.absent[label]:
                assert pure_share(scene.picture, label) < left, (seed, label)


def test_still_without_boxes_has_its_label_somewhere() -> None:
    scene = MAKER.still(3, np.random.default_rng(0))
    assert (scene.somewhere, scene.seen, scene.present) == ({ANT}, [], {ANT})
    np.testing.assert_array_equal(scene.absent, [0.5, 0.5, 0.5])


def test_picture_in_which_everybody_has_a_box_is_shown_as_one() -> None:
    for seed in SEEDS:
        scene = MAKER.lead(GROUP, np.random.default_rng(seed))
        assert not scene.somewhere
        np.testing.assert_array_equal(scene.absent, [1, 1, 1])
        assert scene.present <= {ANT, BEE, COW}


def test_pictures_of_nobody_and_mosaics_are_certain_that_others_are_absent() -> None:
    nobody = MAKER.nobody(np.random.default_rng(0))
    assert not nobody.present
    assert (nobody.picture == 90).all()
    np.testing.assert_array_equal(nobody.absent, [1, 1, 1])
    np.testing.assert_array_equal(MAKER.mosaic(np.random.default_rng(0), 3).absent, [1, 1, 1])


def test_mosaic_begins_with_its_lead_and_panels_show_it() -> None:
    for seed in SEEDS:
        assert BEE in MAKER.mosaic(np.random.default_rng(seed), 1, lead=1).present
        panels = MAKER.panels(np.random.default_rng(seed), 3)
        hidden = {box.label_number for box in panels.hidden}
        assert ANT in panels.present | hidden


def test_without_strangers_or_boxes_there_are_scenes_too() -> None:
    stills = stills_of(UNBOXED)
    maker = SceneMaker(stills, Whereabouts.as_drawn(stills), WIDE)
    assert not any([maker.has_cuts, maker.has_nobody, maker.has_whole_frames])
    recipe = replace(STRONG, mosaics=0.4, panels=0.3, whole_frames=0.3)
    batches = SceneBatches(stills, Whereabouts.as_drawn(stills), recipe)
    pictures, targets = batches.batch(np.arange(40) % 2, np.random.default_rng(0))
    assert pictures.shape == (40, 192, 256, 3)
    # somebody is in each, and nobody knows where
    assert (targets.picture[:, :3].sum(axis=1) >= 1).all()
    assert not targets.edges.any()


def batch(seed: int, recipe: Recipe = STRONG) -> list[NDArray[np.generic]]:
    chosen = np.arange(14) % 7
    pictures, targets = SceneBatches(STILLS, WHERE, recipe).batch(
        chosen, np.random.default_rng(seed)
    )
    return [pictures, *targets]


def test_batches_depend_on_the_source_of_chance_alone() -> None:
    for first, again in zip(batch(1), batch(1), strict=True):
        np.testing.assert_array_equal(first, again)
    assert not np.array_equal(batch(1)[0], batch(2)[0])
    pictures, places, edges, picture = batch(1)
    assert (pictures.dtype, pictures.shape) == (np.uint8, (14, 192, 256, 3))
    assert (places.shape, edges.shape, picture.shape) == ((14, 12, 16, 6), (14, 12, 16, 5), (14, 6))


def test_kinds_of_scenes_are_as_frequent_as_the_recipe_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[str] = []
    for name in ("mosaic", "panels", "whole_frame", "lead", "nobody"):

        def counting(self: SceneMaker, *arguments: object, name: str = name) -> Scene:
            made.append(name)
            picture = np.zeros((192, 256, 3), np.uint8)
            return Scene(picture, np.ones(3, np.float32))

        monkeypatch.setattr(SceneMaker, name, counting)
    recipe = replace(STRONG, mosaics=0.4, panels=0.3, whole_frames=0.2)
    batches, rng = SceneBatches(STILLS, WHERE, recipe), np.random.default_rng(0)
    shares = {}
    for lead in (0, GROUP, STRANGERS):
        made.clear()
        batches.batch(np.full(600, lead), rng)
        shares[lead] = {name: made.count(name) / 600 for name in set(made)}
    expected = {"mosaic": 0.4, "panels": 0.3, "whole_frame": 0.2, "lead": 0.1}
    assert shares[0] == pytest.approx(expected, abs=0.07)
    assert shares[GROUP] == pytest.approx({"mosaic": 0.4, "lead": 0.6}, abs=0.07)
    assert shares[STRANGERS] == {"nobody": 1}


def test_rehearsed_shots_show_who_they_say_and_are_the_same_again() -> None:
    frames = list(rehearse_scenes(STILLS, WHERE, WIDE, 24, seed=3))
    again = list(rehearse_scenes(STILLS, WHERE, WIDE, 24, seed=3))
    assert len(frames) == 24 * SHOT_FRAMES
    for first, second in zip(frames, again, strict=True):
        np.testing.assert_array_equal(first.picture, second.picture)
        np.testing.assert_array_equal(first.truth, second.truth)
    shots = [frames[start : start + SHOT_FRAMES] for start in range(0, len(frames), SHOT_FRAMES)]
    for number, shot in enumerate(shots):
        truth = shot[0].truth
        assert all((frame.truth == truth).all() for frame in shot)
        assert not (truth & shot[0].unheard).any()
        if number % 6 in (0, 3):
            # one character, or those of a whole frame, of whom the camera may lose sight
            assert truth.any() or shot[0].unheard.any()
        if number % 6 == 5:  # a character beside a stranger whose own answers are not heard
            assert shot[0].unheard.any()
        for label in np.flatnonzero(truth):
            assert max(colour_share(frame.picture, int(label)) for frame in shot) > 0.002
        for label in np.flatnonzero(~truth & ~shot[0].unheard):
            if number % 6 != 5:  # in panels there are stills without boxes
                assert max(pure_share(frame.picture, int(label)) for frame in shot) < 1.4 * GONE
