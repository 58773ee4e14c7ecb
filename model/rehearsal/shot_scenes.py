"""Compose realistic shots: groups, unknown beside known characters, hats, and tinted light.

Scenes are redrawn until no figure in them is ambiguous: every labelled character stays visible for
the whole shot, wherever the camera moves, and of others hardly anything is visible.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from model.dataset.stills import Stills
from model.pictures.preprocess import WholeFrame
from model.rehearsal.shot_pictures import HELD, Camera, Layout, draw_camera, view_of
from model.scenes.changes import by_night, dye, in_sepia
from model.scenes.figures import Manner
from model.scenes.scenes import SceneMaker
from model.scenes.seen import Picture, Scene
from model.scenes.whereabouts import Whereabouts

GROUP: Final = 3
"""Known characters from which a shot counts as a group."""

SIDE_FIGURES: Final = 1 / 3
"""The share of the other shots with unknown characters, cut out of their stills."""

TINTED: Final = 1 / 6
"""The share of shots at night, in sepia or in coloured light."""

_HATS: Final = 0.2  # of figures; with fewer, a short episode might have none
_WHOLE_FRAMES: Final = 1 / 4  # of groups, if there are any: they are real, but few
_IN_SIGHT: Final = 0.65
"""Least visible share of each box: more than half of every figure is visible."""

_SMALLEST: Final = 1 / 7  # of the height; 27 pixels of 192, about the size of heads in groups
_TALLEST: Final = 0.62  # as in the mosaics used for training
_TALLEST_OF_FEW: Final = 0.8

_TRIES: Final = 80
_EXACT_TRIES: Final = 30
"""Attempts to get exactly the wanted labels; afterwards any group is accepted."""

_SHRINKING: Final = 0.97  # factor of the tallest figure with each attempt: smaller ones find room
_VIEWS: Final = 9  # positions of a moving camera that are checked


@dataclass(frozen=True)
class ShotScene:
    """A picture over which a camera moves, and the labels that are visible all the time."""

    picture: Picture
    camera: Camera
    """The movement of the camera over the picture."""
    labels: tuple[str, ...]
    """Names of the known labels, in the order of their numbers."""


class ShotScenes:
    """Composes scenes for shots; each depends only on the wanted labels and the random generator.

    Args:
        stills: Stills as they are stored.
        layout: The size of the pictures, which have no bars.
    """

    def __init__(self, stills: Stills, layout: Layout) -> None:
        height, width = layout.picture_size
        self._stills = stills
        self._scenes = SceneMaker(
            stills, Whereabouts.certain(stills), WholeFrame("shot", width, height)
        )
        self._figures = self._scenes.figures
        known = len(self._scenes.labels)
        self._groups = [
            still
            for still in np.flatnonzero(stills.all_boxed).tolist()
            if sum(label < known for label in stills.label_sets[still]) >= GROUP
        ]
        names = self._scenes.labels
        self._alone = {
            name: [
                still
                for still, label_set in enumerate(stills.label_sets)
                if label_set == (number,) and not stills.all_boxed[still]
            ]
            for number, name in enumerate(names)
        }
        self._nobody = np.flatnonzero((stills.label_numbers >= known) & ~stills.all_boxed)

    def group(self, wanted: Sequence[str], rng: np.random.Generator) -> ShotScene | None:
        """Return a group of three or more, preferably of wanted labels; None if there is no room.

        Sometimes it is a whole frame instead, with its own labels.
        """
        if self._groups and rng.random() < _WHOLE_FRAMES:
            for _ in range(_TRIES):
                still = self._groups[rng.integers(len(self._groups))]
                scene = self._scenes.whole_frame(rng, still, on_itself=True)
                if shot := self._settled(scene, rng, _is_group):
                    return shot
        exactly = set(wanted)
        standing = bool(rng.random() < 0.5)
        with_strangers = self._figures.have_strangers and rng.random() < 0.5
        strangers = int(rng.integers(1, 3)) if with_strangers else 0
        for number in range(_TRIES):
            scene = self._gathering(wanted, strangers, _TALLEST * _SHRINKING**number, standing, rng)
            is_right = _is_group if number >= _EXACT_TRIES else exactly.__eq__
            if shot := self._settled(scene, rng, is_right):
                return shot
        return None

    def beside_strangers(self, wanted: Sequence[str], rng: np.random.Generator) -> ShotScene | None:
        """Return a scene of the wanted labels, possibly none, with unknown characters.

        Unknown characters stand before or behind the others or, in stills of their own, beside
        them.

        Returns:
            The scene, or None if there are no unknown characters or there is no room.
        """
        exactly = set(wanted)
        ways: list[Callable[[float], Scene]] = []
        if self._figures.have_strangers and all(map(self._has_figure, wanted)):
            ways.append(lambda tallest: self._with_figures(wanted, tallest, rng))
        if len(wanted) == 1 and len(self._nobody) and self._alone[wanted[0]]:
            ways.append(lambda _: self._with_stills(wanted[0], rng))
        if not ways:
            return None
        way = ways[rng.integers(len(ways))]
        for number in range(_TRIES):
            scene = way(_TALLEST_OF_FEW * _SHRINKING**number)
            if shot := self._settled(scene, rng, exactly.__eq__):
                return shot
        return None

    def _with_figures(
        self, wanted: Sequence[str], tallest: float, rng: np.random.Generator
    ) -> Scene:
        strangers = int(rng.integers(1, 4))
        return self._gathering(wanted, strangers, tallest, bool(rng.random() < 0.5), rng)

    def _with_stills(self, name: str, rng: np.random.Generator) -> Scene:
        lead = int(rng.choice(self._alone[name]))
        beside = rng.choice(self._nobody, int(rng.integers(1, 3)))
        return self._scenes.panels(rng, lead, beside.tolist())

    def _gathering(
        self,
        wanted: Sequence[str],
        strangers: int,
        tallest: float,
        standing: bool,
        rng: np.random.Generator,
    ) -> Scene:
        labels = [self._scenes.labels.index(name) for name in wanted if self._has_figure(name)]
        manner = Manner(min(_SMALLEST, tallest / 2), tallest, standing, _HATS)
        return self._scenes.gathering(rng, rng.permutation(labels).tolist(), strangers, manner)

    def _has_figure(self, name: str) -> bool:
        return self._figures.has(self._scenes.labels.index(name))

    def _settled(
        self, scene: Scene, rng: np.random.Generator, is_right: Callable[[set[str]], bool]
    ) -> ShotScene | None:
        """Return a scene with a camera if it has the right labels and no ambiguous figure."""
        names = {self._scenes.labels[label] for label in scene.present}
        doubtful = scene.doubtful - scene.present
        if scene.hidden or scene.somewhere or doubtful or not is_right(names):
            return None
        for camera in (draw_camera(rng), HELD):
            if _are_in_sight(scene, camera):
                labels = tuple(self._scenes.labels[label] for label in sorted(scene.present))
                return ShotScene(scene.picture, camera, labels)
        return None


def draw_tint(rng: np.random.Generator) -> Callable[[Picture], Picture]:
    """Return a function that shows all pictures of a shot at night, in sepia or in tinted light."""
    way = rng.choice(("night", "sepia", "light"))
    if way == "night":
        darkness = rng.uniform(0.2, 0.6)
        return lambda picture: by_night(picture, darkness)
    if way == "sepia":
        return in_sepia
    seed = int(rng.integers(2**32))
    return lambda picture: dye(picture, np.random.default_rng(seed))


def _is_group(names: set[str]) -> bool:
    return len(names) >= GROUP


def _are_in_sight(scene: Scene, camera: Camera) -> bool:
    """Tell whether all figures are visible from a camera's first picture to its last."""
    height, width = scene.picture.shape[:2]
    return all(
        scene.share_in_sight(box, view_of(camera, done, width, height)) >= _IN_SIGHT
        for done in np.linspace(0, 1, _VIEWS).tolist()
        for box in scene.seen
    )
