"""Training batches of scenes for dense networks."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from model.dataset.stills import Stills
from model.labels import UNKNOWN
from model.pictures.preprocess import whole_frame_named
from model.recipe import Recipe
from model.scenes.augmentation import varied
from model.scenes.place_targets import Targets, batch_of
from model.scenes.scenes import SceneMaker
from model.scenes.seen import Scene
from model.scenes.whereabouts import Whereabouts

_FIGURES = {1: 0.15, 2: 0.27, 3: 0.25, 4: 0.2, 5: 0.13}  # figures in a mosaic: probability


class SceneBatches:
    """Makes batches of scenes, one scene for each lead still.

    Args:
        stills: Stills as they are stored.
        whereabouts: Their bounding boxes.
        recipe: Gives the kinds of scenes and the strength of each augmentation.
    """

    def __init__(self, stills: Stills, whereabouts: Whereabouts, recipe: Recipe) -> None:
        self._stills, self._recipe = stills, recipe
        self._scenes = SceneMaker(stills, whereabouts, whole_frame_named(recipe.preprocessing))

    def batch(
        self, chosen: NDArray[np.int64], rng: np.random.Generator
    ) -> tuple[NDArray[np.uint8], Targets]:
        """Return pictures (n, height, width, 3) and their targets, for n leads."""
        return batch_of([self._varied(self._scene(int(lead), rng), rng) for lead in chosen])

    def _varied(self, scene: Scene, rng: np.random.Generator) -> Scene:
        scene.picture = varied(scene.picture, self._recipe, rng)
        return scene

    def _scene(self, lead: int, rng: np.random.Generator) -> Scene:
        """Make a scene of a random kind out of the recipe's, if the stills allow that kind."""
        scenes, recipe = self._scenes, self._recipe
        label = self._stills.labels[self._stills.label_numbers[lead]]
        if label == UNKNOWN:
            return scenes.nobody(rng, lead)
        in_full = bool(self._stills.all_boxed[lead])
        kinds: list[tuple[float, bool, Callable[[], Scene]]] = [
            (recipe.mosaics, scenes.figures.are_in(lead), lambda: self._mosaic(lead, rng)),
            (recipe.panels, not in_full, lambda: scenes.panels(rng, lead)),
            (
                recipe.whole_frames,
                scenes.has_whole_frames and not in_full,
                lambda: scenes.whole_frame(rng),
            ),
        ]
        chance = rng.random()
        for share, is_possible, make in kinds:
            if chance < share and is_possible:
                return make()
            chance -= share if is_possible else 0.0
        return scenes.lead(lead, rng)

    def _mosaic(self, lead: int, rng: np.random.Generator) -> Scene:
        count = int(rng.choice(list(_FIGURES), p=list(_FIGURES.values())))
        return self._scenes.mosaic(rng, count, lead)
