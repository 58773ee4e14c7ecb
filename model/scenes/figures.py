"""Figures: cut out of stills by their bounding boxes and pasted where they overlap little."""

from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from model.dataset.stills import Stills
from model.labels import known_labels
from model.pictures.preprocess import WholeFrame
from model.scenes.hats import draw_hat
from model.scenes.pasting import Move, paste
from model.scenes.seen import Area, Scene
from model.scenes.whereabouts import Whereabouts

_LABEL_FLOOR: Final = 0.35
"""Labels with fewer figures than this share of the average are drawn as if they had that many."""

_LEAST_SIDE: Final = 6
"""Least side of a box in pixels; nobody could be recognised in a smaller one."""

_TRIES: Final = 8  # attempts to find a position for a figure

_FREE: Final = 0.15
"""Share of a box that other figures may cover without another attempt."""

_CROWDED: Final = 0.4
"""The same share in a crowd, where people stand behind each other."""

_TAKEN: Final = 0.5
"""Share of a box that is covered from which the figure is dropped."""


class Cut(NamedTuple):
    """A figure, as the index of a still and of one of its boxes."""

    still: int
    """Index of the still."""
    box: int
    """Index of the box among those of the still."""


@dataclass(frozen=True)
class Manner:
    """The style in which figures are pasted into a picture."""

    smallest: float = 0.2
    """Least height of a figure's box as a share of the frame's height."""
    tallest: float = 0.95
    """Greatest height of a figure's box as a share of the frame's height."""
    standing: bool = False
    """Whether all figures stand on the lower edge, which cuts off a tenth of them at most."""
    hats: float = 0.0
    """Share of figures that get a hat."""
    crowded: float = 0.0
    """Share of figures that others may cover up to nearly half."""
    cut: float = 0.0
    """Share of figures that an edge of the frame may cut in half."""

    def height(self, rng: np.random.Generator) -> float:
        """Draw a figure's height, with uniformly distributed logarithm."""
        return float(np.exp(rng.uniform(np.log(self.smallest), np.log(self.tallest))))


class Figures:
    """The figures of stills, by label.

    Args:
        stills: Stills as they are stored.
        whereabouts: Their bounding boxes.
        frame: The size of the scenes.
    """

    def __init__(self, stills: Stills, whereabouts: Whereabouts, frame: WholeFrame) -> None:
        self._stills, self._where, self._frame = stills, whereabouts, frame
        self._known = len(known_labels(stills.labels))
        self._by_label: list[list[Cut]] = [[] for _ in range(self._known)]
        self._strangers: list[Cut] = []
        for still in range(len(stills)):
            for number, box in enumerate(whereabouts.of(still)):
                known = box[0] < self._known
                cuts = self._by_label[int(box[0])] if known else self._strangers
                cuts.append(Cut(still, number))
        self._shares = shares(list(map(len, self._by_label)))

    @property
    def are_there(self) -> bool:
        """Whether there are figures of known characters."""
        return any(self._by_label)

    def are_in(self, still: int) -> bool:
        """Tell whether a still has a figure of a known character."""
        return bool((self._where.of(still)[:, 0] < self._known).any())

    @property
    def have_strangers(self) -> bool:
        """Whether there are figures of unknown characters."""
        return bool(self._strangers)

    def anybody(self, rng: np.random.Generator, lead: int | None = None) -> Cut:
        """Draw a figure of a known character: out of the lead still, if it is given and has any."""
        if lead is not None:
            of_lead = [
                Cut(lead, number)
                for number, box in enumerate(self._where.of(lead))
                if box[0] < self._known
            ]
            if of_lead:
                return of_lead[rng.integers(len(of_lead))]
        return self.of(int(rng.choice(self._known, p=self._shares)), rng)

    def has(self, label: int) -> bool:
        """Tell whether there is a figure of a label."""
        return bool(self._by_label[label])

    def of(self, label: int, rng: np.random.Generator) -> Cut:
        """Draw a figure of a label."""
        cuts = self._by_label[label]
        return cuts[rng.integers(len(cuts))]

    def stranger(self, rng: np.random.Generator) -> Cut:
        """Draw a figure of an unknown character."""
        return self._strangers[rng.integers(len(self._strangers))]

    def is_whole_still(self, cut: Cut) -> bool:
        """Tell whether a figure is a whole still, because its label has no box of its own."""
        box = self._where.of(cut.still)[cut.box]
        return not self._stills.all_boxed[cut.still] and box[1:5].tolist() == [0, 0, 1, 1]

    def paste(
        self, scene: Scene, cut: Cut, share: float, rng: np.random.Generator, manner: Manner
    ) -> None:
        """Paste a figure of this share of the frame's height where it overlaps little with others.

        Figures that it covers become hidden. If there is no room, nothing is pasted.
        """
        picture, boxes = self._stills.picture(cut.still), self._where.of(cut.still)
        rows, columns = picture.shape[:2]
        left, top, right, bottom = boxes[cut.box][1:5] * (columns, rows, columns, rows)
        box_width, box_height = float(right - left), float(bottom - top)
        if min(box_width, box_height) < _LEAST_SIDE:
            return
        # a box may end at the chin: include the surroundings and the body below
        around, below = rng.uniform(0, 0.4), rng.uniform(0, 0.9)
        area = (
            max(0.0, left - around * box_width),
            max(0.0, top - around * box_height),
            min(float(columns), right + around * box_width),
            min(float(rows), bottom + (around + below) * box_height),
        )
        stretch = float(np.exp(rng.uniform(-0.1, 0.1)))
        scale = min(
            share * self._frame.height / box_height,
            0.95 * self._frame.width / (area[2] - area[0]) / stretch,
        )
        mirrored = bool(rng.random() < 0.5)
        at_origin = Move(scale * stretch, scale / stretch, 0, 0, mirrored)
        spot = self._spot(scene, cut, area, at_origin, rng, manner)
        if spot is None:
            return
        move, shown = spot
        soft = rng.uniform(0.03, 0.2) if rng.random() < 0.5 else 0.0
        paste(scene.picture, picture, move, area=area, soft=soft)
        scene.cover(shown)
        if manner.hats and rng.random() < manner.hats:
            self._put_hat(scene, cut, move, picture.shape, rng)
        for box in boxes:
            scene.note(move.moved(box, picture.shape), shown)
        if boxes[cut.box][0] >= self._known:
            scene.strangers.append(move.moved(boxes[cut.box], picture.shape))
        scene.doubt(unplaced_labels(self._stills, self._where, cut.still))

    def _spot(
        self,
        scene: Scene,
        cut: Cut,
        area: Area,
        at_origin: Move,
        rng: np.random.Generator,
        manner: Manner,
    ) -> tuple[Move, Area] | None:
        """Find a position where an area of a still overlaps little; None if there is none.

        Returns:
            The still's position, and the area.
        """
        rows, columns = map(int, self._stills.sizes[cut.still])
        scale_x, scale_y = at_origin.scale_x, at_origin.scale_y
        width, tall = (area[2] - area[0]) * scale_x, (area[3] - area[1]) * scale_y
        inner = (columns - area[2]) if at_origin.mirrored else area[0]
        box = self._where.of(cut.still)[cut.box]
        tries = []
        free = _CROWDED if rng.random() < manner.crowded else _FREE
        for _ in range(_TRIES):
            x, y = self._place(width, tall, rng, manner)
            move = replace(at_origin, left=x - inner * scale_x, top=y - area[1] * scale_y)
            mine = move.moved(box, (rows, columns))
            covered = max(
                (
                    max(mine.share_in(*other.corners), other.share_in(*mine.corners))
                    for other in (*scene.seen, *scene.strangers)
                ),
                default=0.0,
            )
            tries.append((covered, move, (x, y, x + width, y + tall)))
            if covered < free:
                break
        covered, move, shown = min(tries, key=lambda one: one[0])
        return None if covered > _TAKEN else (move, shown)

    def _place(
        self, width: float, tall: float, rng: np.random.Generator, manner: Manner
    ) -> tuple[float, float]:
        """Draw the position of the left and upper edges of an area of this size."""
        beyond = 0.45 if rng.random() < manner.cut else 0.12
        x = rng.uniform(
            -beyond * width,
            max(1.0 - beyond * width, self._frame.width - (1 - beyond) * width),
        )
        if manner.standing:
            return x, self._frame.height - tall * rng.uniform(0.9, 1.0)
        above = 0.25 if rng.random() < manner.cut else 0.05
        below = 0.6 if rng.random() < manner.cut else 0.9
        return x, rng.uniform(-above * tall, max(0.0, self._frame.height - below * tall))

    def _put_hat(
        self,
        scene: Scene,
        cut: Cut,
        move: Move,
        shape: tuple[int, ...],
        rng: np.random.Generator,
    ) -> None:
        """Draw a hat on a figure with an annotated box; without one, draw none."""
        label = self._where.of(cut.still)[cut.box][0]
        drawn = self._stills.boxes(cut.still)
        if self._stills.all_boxed[cut.still]:
            heads = drawn[cut.box : cut.box + 1]
        else:
            heads = drawn[drawn[:, 0] == label][:1]
        for head in heads:
            seen = move.moved(np.append(head, np.float32(1)), shape)
            scene.cover(draw_hat(scene.picture, seen.corners, rng))


def unplaced_labels(stills: Stills, whereabouts: Whereabouts, still: int) -> set[int]:
    """Return the labels of a still that have no box in it."""
    boxed = {int(box[0]) for box in whereabouts.of(still)}
    known = len(known_labels(stills.labels))
    return {label for label in stills.label_sets[still] if label < known} - boxed


def shares(counts: list[int]) -> NDArray[np.float64]:
    """Return the probability of drawing each label, given its number of figures or stills."""
    numbers = np.array(counts, np.float64)
    wanted = np.maximum(numbers, _LABEL_FLOOR * numbers.mean()) * (numbers > 0)
    return np.asarray(wanted / max(wanted.sum(), 1.0), np.float64)
