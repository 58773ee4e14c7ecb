"""Batches and rehearsed shots of scenes: their kinds, their chance, and who is said to be there."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from model.pictures.preprocess import WIDE
from model.recipe import STRONG
from model.rehearsal.scene_rehearsal import rehearse_scenes
from model.rehearsal.shots import SHOT_FRAMES
from model.scenes.batches import SceneBatches
from model.scenes.scenes import SceneMaker
from model.scenes.seen import Scene
from model.scenes.whereabouts import SIDE_FIGURES, Whereabouts
from tests.stills.placed_stills import LABELS, Placed, nobody, of_colour, placed_stills

LEFT, RIGHT = (0.1, 0.2, 0.35, 0.7), (0.6, 0.3, 0.9, 0.8)
STILLS = placed_stills(
    *(Placed([(label, LEFT)], in_full=False) for label in ("ann", "bob", "cid", "dot")),
    Placed([("ann", LEFT), ("bob", RIGHT)]),
    nobody(),
)
WHERE = Whereabouts.as_drawn(STILLS)
GROUP, STRANGER = 4, 5


def batch(seed: int) -> list[NDArray[np.generic]]:
    batches = SceneBatches(STILLS, WHERE, STRONG)
    pictures, targets = batches.batch(np.arange(12) % 6, np.random.default_rng(seed))
    return [pictures, *targets]


def test_batches_depend_on_the_source_of_chance_alone() -> None:
    for first, again in zip(batch(1), batch(1), strict=True):
        np.testing.assert_array_equal(first, again)
    assert not np.array_equal(batch(1)[0], batch(2)[0])
    pictures, places, edges, picture = batch(1)
    assert pictures.dtype == np.uint8
    assert pictures.shape == (12, 192, 256, 3)
    assert (places.shape, edges.shape, picture.shape) == ((12, 12, 16, 8), (12, 12, 16, 5), (12, 8))


def test_kinds_of_scenes_are_as_frequent_as_the_recipe_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[str] = []
    for name in ("mosaic", "panels", "whole_frame", "lead", "nobody"):

        def counting(self: SceneMaker, *arguments: object, name: str = name) -> Scene:
            made.append(name)
            picture = np.zeros((192, 256, 3), np.uint8)
            return Scene(picture, np.ones(4, np.float32))

        monkeypatch.setattr(SceneMaker, name, counting)
    recipe = replace(STRONG, mosaics=0.4, panels=0.3, whole_frames=0.2)
    batches, rng = SceneBatches(STILLS, WHERE, recipe), np.random.default_rng(0)
    shares = {}
    for lead in (0, GROUP, STRANGER):
        made.clear()
        batches.batch(np.full(600, lead), rng)
        shares[lead] = {name: made.count(name) / 600 for name in set(made)}
    expected = {"mosaic": 0.4, "panels": 0.3, "whole_frame": 0.2, "lead": 0.1}
    assert shares[0] == pytest.approx(expected, abs=0.07)
    # a picture in which everybody has a box is shown as one, and others in its place are not
    assert shares[GROUP] == pytest.approx({"mosaic": 0.4, "lead": 0.6}, abs=0.07)
    assert shares[STRANGER] == {"nobody": 1}


def test_without_strangers_or_boxes_there_are_scenes_too() -> None:
    stills = placed_stills(*(Placed([], in_full=False, also=(label,)) for label in ("ann", "bob")))
    where = Whereabouts.as_drawn(stills)
    recipe = replace(STRONG, mosaics=0.4, panels=0.3, whole_frames=0.3)
    pictures, targets = SceneBatches(stills, where, recipe).batch(
        np.arange(40) % 2, np.random.default_rng(0)
    )
    assert pictures.shape == (40, 192, 256, 3)
    # somebody is in each, and nobody knows where
    assert (targets.picture[:, :4].sum(axis=1) >= 1).all()
    assert not targets.edges.any()


def test_absence_of_whom_one_panel_has_a_box_and_another_none_does_not_count() -> None:
    stills = placed_stills(
        Placed([("ann", LEFT)], in_full=False), Placed([], in_full=False, also=("ann",))
    )
    maker = SceneMaker(stills, Whereabouts.as_drawn(stills), WIDE)
    for seed in range(10):
        scene = maker.panels(np.random.default_rng(seed), 0, [1])
        assert not scene.somewhere
        assert scene.absent.tolist() == [0, 0.5, 0.5, 0.5]


def test_rehearsed_shots_show_who_they_say_and_are_the_same_again() -> None:
    frames = list(rehearse_scenes(STILLS, WHERE, WIDE, 24, seed=3))
    again = list(rehearse_scenes(STILLS, WHERE, WIDE, 24, seed=3))
    assert len(frames) == 24 * SHOT_FRAMES
    for first, second in zip(frames, again, strict=True):
        np.testing.assert_array_equal(first.picture, second.picture)
        np.testing.assert_array_equal(first.truth, second.truth)
    shots = [frames[start : start + SHOT_FRAMES] for start in range(0, len(frames), SHOT_FRAMES)]
    for number, shot in enumerate(shots):
        truth, unheard = shot[0].truth, shot[0].unheard
        assert all((frame.truth == truth).all() for frame in shot)
        assert not (truth & unheard).any()
        if number % 6 in (0, 3):  # one character, or those of a whole frame
            assert truth.any() or unheard.any()
        if number % 6 == 5:  # a character beside a stranger whose own answers are not heard
            assert unheard.any()
        for label in np.flatnonzero(truth):
            name = LABELS[label]
            assert any(of_colour(frame.picture, name, 60).mean() > 0.002 for frame in shot)
        for label in np.flatnonzero(~truth & ~unheard):
            name = LABELS[label]
            # a fifth of somebody at an edge may be left, and the camera goes closer
            assert all(of_colour(frame.picture, name).mean() < 0.15 for frame in shot)


def test_who_is_seen_once_and_hidden_once_is_on_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two of one label in a group, the first covered by another."""
    from model.rehearsal import scene_rehearsal
    from model.scenes.seen import Seen

    def twice(_cast: object) -> tuple[Scene, None]:
        scene = Scene(np.zeros((192, 256, 3), np.uint8), np.ones(4, np.float32))
        scene.seen = [Seen(1, 10, 10, 60, 60, 1.0)]
        scene.hidden = [Seen(1, 90, 10, 140, 60, 1.0), Seen(2, 90, 10, 140, 60, 1.0)]
        return scene, None

    monkeypatch.setattr(scene_rehearsal, "_KINDS", (twice,))
    frame = next(rehearse_scenes(STILLS, WHERE, WIDE, 1, seed=0))
    assert frame.truth.tolist() == [False, True, False, False]
    assert frame.unheard.tolist() == [False, False, True, False]


def test_who_is_named_without_a_box_is_not_counted_as_absent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from model.rehearsal import scene_rehearsal
    from model.scenes.seen import Seen

    def doubtful(_cast: object) -> tuple[Scene, None]:
        scene = Scene(np.zeros((192, 256, 3), np.uint8), np.ones(4, np.float32))
        scene.seen = [Seen(1, 10, 10, 60, 60, 1.0)]
        scene.doubt({0, 1})
        return scene, None

    monkeypatch.setattr(scene_rehearsal, "_KINDS", (doubtful,))
    for frame in rehearse_scenes(STILLS, WHERE, WIDE, 20, seed=0):
        assert frame.truth.tolist() == [False, True, False, False]
        assert frame.unheard.tolist() == [True, False, False, False]


def test_of_whom_the_network_alone_sees_the_usual_share_counts_as_absent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from model.rehearsal import scene_rehearsal

    def seen_only(_cast: object) -> tuple[Scene, None]:
        return Scene(np.zeros((192, 256, 3), np.uint8), np.array([0, 1, 1, 1], np.float32)), None

    monkeypatch.setattr(scene_rehearsal, "_KINDS", (seen_only,))
    frames = list(rehearse_scenes(STILLS, WHERE, WIDE, 300, seed=0))
    assert not any(frame.truth.any() or frame.unheard[1:].any() for frame in frames)
    counted = np.mean([not frame.unheard[0] for frame in frames])
    assert abs(counted - SIDE_FIGURES) < 0.08
