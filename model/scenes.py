"""Scenes: pictures as episodes show them, put together of labelled ones, with who is where.

A still that fills the frame or stands small on a background; figures cut out by their boxes and
pasted into one picture (Ghiasi et al., Simple Copy-Paste is a Strong Data Augmentation Method for
Instance Segmentation, 2021; the mosaics of Bochkovskiy et al., YOLOv4, 2020); stills side by side;
whole frames seen from closer or farther; and nobody at all.
"""

from dataclasses import dataclass, field
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from model.labels import UNKNOWN, known_labels
from model.preprocess import WholeFrame
from model.stills import Stills
from model.whereabouts import SURE, Whereabouts

Picture = NDArray[np.uint8]
"""(height, width, 3) RGB."""

_SEEN: Final = 0.65
"""Share of a box that must be left for somebody to count as there; below, neither there nor not."""

_GONE: Final = 0.2
"""Share of a box below which nobody is there."""

_LABEL_FLOOR: Final = 0.35
"""Labels with fewer figures than this share of the average are drawn as if they had as many."""


class Seen(NamedTuple):
    """A box in a scene."""

    label_number: int
    left: float
    """In pixels of the scene; may lie outside of it."""
    top: float
    right: float
    bottom: float
    trust: float
    """How surely somebody is right there, 0 to 1."""

    def within(self, width: float, height: float) -> "Seen":
        """Return the part of it that lies in a picture."""
        return self._replace(
            left=max(self.left, 0.0),
            top=max(self.top, 0.0),
            right=min(self.right, width),
            bottom=min(self.bottom, height),
        )

    def share_in(self, left: float, top: float, right: float, bottom: float) -> float:
        """Return the share of it that lies in a rectangle."""
        width = min(self.right, right) - max(self.left, left)
        height = min(self.bottom, bottom) - max(self.top, top)
        area = (self.right - self.left) * (self.bottom - self.top)
        return max(0.0, width) * max(0.0, height) / max(area, 1e-6)


@dataclass
class Scene:
    """A picture and what is known of who is in it."""

    picture: Picture
    absent: NDArray[np.float32]
    """(labels,) how sure it is that each is nowhere else in it, 0 to SURE."""
    seen: list[Seen] = field(default_factory=list)
    hidden: list[Seen] = field(default_factory=list)
    """Partly out of sight: neither there nor not."""
    somewhere: set[int] = field(default_factory=set)
    """Labels that are in it, nobody knows where."""

    @property
    def present(self) -> set[int]:
        """The labels that are in it."""
        return {box.label_number for box in self.seen} | self.somewhere


class _Cut(NamedTuple):
    """A figure: a still and one of its boxes."""

    still: int
    box: int


@dataclass(frozen=True)
class _Move:
    """Where a picture comes to lie: shrunk or grown, mirrored or not, then shifted."""

    scale_x: float
    scale_y: float
    left: float
    top: float
    mirrored: bool

    def moved(self, box: NDArray[np.float32], shape: tuple[int, ...]) -> Seen:
        """Return a box of a picture (label number, corners as shares, trust) in the scene."""
        height, width = shape[:2]
        label, left, top, right, bottom, trust = (float(value) for value in box)
        if self.mirrored:
            left, right = 1 - right, 1 - left
        return Seen(
            int(label),
            left * width * self.scale_x + self.left,
            top * height * self.scale_y + self.top,
            right * width * self.scale_x + self.left,
            bottom * height * self.scale_y + self.top,
            trust,
        )


class SceneMaker:
    """Makes scenes of stills; each depends on its lead and the source of chance alone.

    Args:
        stills: as they are stored.
        whereabouts: who is where in them.
        frame: the size of the scenes.
    """

    def __init__(self, stills: Stills, whereabouts: Whereabouts, frame: WholeFrame) -> None:
        self._stills, self._where, self._frame = stills, whereabouts, frame
        self.labels = known_labels(stills.labels)
        known = len(self.labels)
        names = np.array(stills.labels)[stills.label_numbers]
        self._nobody = np.flatnonzero(names == UNKNOWN)
        self._whole = np.flatnonzero(stills.all_boxed & (names != UNKNOWN))
        self._by_label = [
            np.flatnonzero((stills.label_numbers == label) & ~stills.all_boxed)
            for label in range(known)
        ]
        self._cuts: list[list[_Cut]] = [[] for _ in range(known)]
        for still in range(len(stills)):
            for number, box in enumerate(whereabouts.of(still)):
                if box[0] < known:
                    self._cuts[int(box[0])].append(_Cut(still, number))
        self._still_shares = _shares(list(map(len, self._by_label)))
        self._cut_shares = _shares(list(map(len, self._cuts)))

    @property
    def has_whole_frames(self) -> bool:
        """Whether there are pictures in which everybody has a box."""
        return len(self._whole) > 0

    @property
    def has_nobody(self) -> bool:
        """Whether there are pictures of nobody known."""
        return len(self._nobody) > 0

    @property
    def has_cuts(self) -> bool:
        """Whether there are figures to cut out."""
        return any(self._cuts)

    def has_cut(self, still: int) -> bool:
        """Whether a still has a figure to cut out."""
        return bool((self._where.of(still)[:, 0] < len(self.labels)).any())

    def lead(self, still: int, rng: np.random.Generator) -> Scene:
        """Show a picture of somebody on its own: in full where everybody in it has a box."""
        if self._stills.all_boxed[still]:
            return self.whole_frame(rng, still)
        return self.still(still, rng)

    def still(self, lead: int, rng: np.random.Generator) -> Scene:
        """Show a still: to its edges, small on a background, or from closer."""
        picture, boxes = self._stills.picture(lead), self._where.of(lead)
        height, width = picture.shape[:2]
        fits = min(self._frame.width / width, self._frame.height / height)
        covers = max(self._frame.width / width, self._frame.height / height)
        way, background = rng.random(), self._black()
        closer = way >= 0.7 and (len(boxes) > 0 or covers < 1.3 * fits)
        if closer:
            scale = covers * float(np.exp(rng.uniform(0, 0.45 if len(boxes) else 0.1)))
        elif way < 0.35:
            scale = fits
            if rng.random() < 0.4:
                background = self._background(rng)
        else:
            scale = fits * float(np.exp(rng.uniform(np.log(0.35), 0)))
            background = self._background(rng)
        stretch = float(np.exp(rng.uniform(-0.12, 0.12)))
        middle = _middle_of_main(boxes, int(self._stills.label_numbers[lead]))
        move = self._aimed(
            picture.shape, scale * stretch, scale / stretch, middle, rng.random() < 0.5, rng
        )
        _paste(background, picture, move)
        scene = Scene(background, self._absent(lead))
        self._add_boxes(scene, lead, move, picture.shape, (0, 0, *self._size))
        scene.somewhere = self._unplaced(lead)
        return scene

    def mosaic(self, rng: np.random.Generator, count: int, lead: int | None = None) -> Scene:
        """Paste figures, cut out by their boxes, on a background."""
        canvas = self._background(rng)
        scene = Scene(canvas, np.full(len(self.labels), SURE, np.float32))
        crowded = count > 2
        alike = rng.random() < 0.5
        tallest = 0.62 if crowded else 0.95
        base = float(np.exp(rng.uniform(np.log(0.2), np.log(tallest))))
        for number in range(count):
            cut = self._cut(rng, lead if number == 0 else None)
            share = (
                base * float(np.exp(rng.uniform(-0.15, 0.15)))
                if alike
                else float(np.exp(rng.uniform(np.log(0.2), np.log(tallest))))
            )
            self._paste_cut(scene, cut, share * self._frame.height, rng)
        return scene

    def panels(self, rng: np.random.Generator, lead: int) -> Scene:
        """Show two or three stills side by side, each in a part of full height."""
        count = 2 if rng.random() < 0.65 else 3
        edges = np.linspace(0, self._frame.width, count + 1)
        edges[1:-1] += rng.uniform(-0.2, 0.2, count - 1) * self._frame.width / count
        shown = [lead, *(self._drawn_still(rng) for _ in range(count - 1))]
        scene = Scene(self._black(), np.full(len(self.labels), SURE, np.float32))
        for place, still in enumerate(rng.permutation(shown).tolist()):
            self._fill_panel(scene, still, round(edges[place]), round(edges[place + 1]), rng)
        scene.somewhere -= {box.label_number for box in (*scene.seen, *scene.hidden)}
        return scene

    def whole_frame(self, rng: np.random.Generator, lead: int | None = None) -> Scene:
        """Show a picture in which everybody has a box, from closer or farther."""
        still = int(rng.choice(self._whole)) if lead is None else lead
        picture, boxes = self._stills.picture(still), self._where.of(still)
        height, width = picture.shape[:2]
        scale = min(self._frame.width / width, self._frame.height / height)
        scale *= float(np.exp(rng.uniform(np.log(0.6), np.log(2.2))))
        stretch = float(np.exp(rng.uniform(-0.15, 0.15)))
        box = boxes[rng.integers(len(boxes))]
        middle = float(box[1] + box[3]) / 2, float(box[2] + box[4]) / 2
        move = self._aimed(
            picture.shape, scale * stretch, scale / stretch, middle, rng.random() < 0.5, rng
        )
        canvas = self._background(rng) if rng.random() < 0.4 else self._black()
        _paste(canvas, picture, move)
        scene = Scene(canvas, self._absent(still))
        self._add_boxes(scene, still, move, picture.shape, (0, 0, *self._size))
        return scene

    def nobody(self, rng: np.random.Generator, lead: int | None = None) -> Scene:
        """Show a picture of nobody known."""
        still = int(rng.choice(self._nobody)) if lead is None else lead
        closer = float(np.exp(rng.uniform(0, 0.7)))
        picture = self._covering(self._stills.picture(still), closer, rng)
        return Scene(picture, np.full(len(self.labels), SURE, np.float32))

    @property
    def _size(self) -> tuple[int, int]:
        return self._frame.width, self._frame.height

    def _black(self) -> Picture:
        return np.zeros((self._frame.height, self._frame.width, 3), np.uint8)

    def _background(self, rng: np.random.Generator) -> Picture:
        if rng.random() < 0.12 or not len(self._nobody):
            return np.full_like(self._black(), rng.integers(0, 256, 3))
        return self.nobody(rng).picture

    def _covering(self, picture: Picture, closer: float, rng: np.random.Generator) -> Picture:
        """Return a part of a picture, drawn at random, that fills the frame."""
        height, width = picture.shape[:2]
        scale = max(self._frame.width / width, self._frame.height / height) * closer
        seen_width, seen_height = self._frame.width / scale, self._frame.height / scale
        left = int(rng.uniform(0, max(0.0, width - seen_width)))
        top = int(rng.uniform(0, max(0.0, height - seen_height)))
        part = picture[
            top : top + max(1, round(seen_height)), left : left + max(1, round(seen_width))
        ]
        if rng.random() < 0.5:
            part = part[:, ::-1]
        way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(part, self._size, interpolation=way), np.uint8)

    def _absent(self, still: int) -> NDArray[np.float32]:
        return np.array(self._where.absent[still], np.float32)

    def _unplaced(self, still: int) -> set[int]:
        """The labels that a still has, and no box of."""
        boxed = {int(box[0]) for box in self._where.of(still)}
        return {
            label for label in self._stills.label_sets[still] if label < len(self.labels)
        } - boxed

    def _drawn_still(self, rng: np.random.Generator) -> int:
        if rng.random() < 0.15 and len(self._nobody):
            return int(rng.choice(self._nobody))
        if not self._still_shares.any():
            return int(rng.choice(self._whole))
        label = rng.choice(len(self.labels), p=self._still_shares)
        return int(rng.choice(self._by_label[label]))

    def _cut(self, rng: np.random.Generator, lead: int | None) -> _Cut:
        if lead is not None:
            of_lead = [
                _Cut(lead, number)
                for number, box in enumerate(self._where.of(lead))
                if box[0] < len(self.labels)
            ]
            if of_lead:
                return of_lead[rng.integers(len(of_lead))]
        cuts = self._cuts[rng.choice(len(self.labels), p=self._cut_shares)]
        return cuts[rng.integers(len(cuts))]

    def _aimed(
        self,
        shape: tuple[int, ...],
        scale_x: float,
        scale_y: float,
        middle: tuple[float, float] | None,
        mirrored: bool,
        rng: np.random.Generator,
    ) -> _Move:
        """Place a picture at random, but so that a point of it (as shares) stays in sight."""
        across, down = middle or (0.5, 0.4)
        if mirrored:
            across = 1 - across
        offsets = []
        for length, full, at in (
            (shape[1] * scale_x, self._frame.width, across),
            (shape[0] * scale_y, self._frame.height, down),
        ):
            if length <= full:
                offsets.append(rng.uniform(0, full - length))
            else:
                aim = full * rng.uniform(0.25, 0.75) - at * length
                offsets.append(float(np.clip(aim, full - length, 0)))
        return _Move(scale_x, scale_y, offsets[0], offsets[1], mirrored)

    def _add_boxes(
        self,
        scene: Scene,
        still: int,
        move: _Move,
        shape: tuple[int, ...],
        area: tuple[float, float, float, float],
    ) -> None:
        """Note a still's boxes as far as they lie in an area of the scene."""
        for box in self._where.of(still):
            if box[0] >= len(self.labels):
                continue
            seen = move.moved(box, shape)
            share = seen.share_in(*area)
            if share > _SEEN:
                scene.seen.append(
                    seen._replace(left=max(seen.left, area[0]), right=min(seen.right, area[2]))
                )
            elif share > _GONE:
                scene.hidden.append(seen)

    def _paste_cut(self, scene: Scene, cut: _Cut, height: float, rng: np.random.Generator) -> None:
        """Paste a figure so tall where few others stand; whom it covers is hidden."""
        picture, boxes = self._stills.picture(cut.still), self._where.of(cut.still)
        rows, columns = picture.shape[:2]
        left, top, right, bottom = boxes[cut.box][1:5] * (columns, rows, columns, rows)
        box_width, box_height = float(right - left), float(bottom - top)
        if min(box_width, box_height) < 6:  # nobody would be recognised
            return
        # a box may end at the chin: what is around and below belongs to the figure
        around, below = rng.uniform(0, 0.4), rng.uniform(0, 0.9)
        area = (
            max(0.0, left - around * box_width),
            max(0.0, top - around * box_height),
            min(float(columns), right + around * box_width),
            min(float(rows), bottom + (around + below) * box_height),
        )
        stretch = float(np.exp(rng.uniform(-0.1, 0.1)))
        scale = min(height / box_height, 0.95 * self._frame.width / (area[2] - area[0]) / stretch)
        scale_x, scale_y = scale * stretch, scale / stretch
        mirrored = bool(rng.random() < 0.5)
        width, tall = (area[2] - area[0]) * scale_x, (area[3] - area[1]) * scale_y
        inner = (columns - area[2]) if mirrored else area[0]
        tries = []
        for _ in range(8):
            x = rng.uniform(
                -0.12 * width, max(1.0 - 0.12 * width, self._frame.width - 0.88 * width)
            )
            y = rng.uniform(-0.05 * tall, max(0.0, self._frame.height - 0.9 * tall))
            move = _Move(scale_x, scale_y, x - inner * scale_x, y - area[1] * scale_y, mirrored)
            mine = move.moved(boxes[cut.box], picture.shape)
            covered = max(
                (
                    max(mine.share_in(*other[1:5]), other.share_in(*mine[1:5]))
                    for other in scene.seen
                ),
                default=0.0,
            )
            tries.append((covered, x, y, move, mine))
            if covered < 0.15:
                break
        covered, x, y, move, mine = min(tries, key=lambda one: one[0])
        if covered > 0.5:
            return
        soft = rng.uniform(0.03, 0.2) if rng.random() < 0.5 else 0.0
        _paste(scene.picture, picture, move, area=area, soft=soft)
        shown = (x, y, x + width, y + tall)
        covered_now = [box for box in scene.seen if box.share_in(*shown) > 1 - _SEEN]
        scene.hidden += covered_now
        scene.seen = [box for box in scene.seen if box not in covered_now]
        self._add_boxes(scene, cut.still, move, picture.shape, shown)
        if self._unplaced(cut.still):
            scene.absent[list(self._unplaced(cut.still))] = 0.0

    def _fill_panel(
        self, scene: Scene, still: int, left: int, right: int, rng: np.random.Generator
    ) -> None:
        picture, boxes = self._stills.picture(still), self._where.of(still)
        rows, columns = picture.shape[:2]
        width, height = right - left, self._frame.height
        scale = max(width / columns, height / rows) * float(np.exp(rng.uniform(0, 0.2)))
        mirrored = bool(rng.random() < 0.5)
        main = _middle_of_main(boxes, int(self._stills.label_numbers[still])) or (0.5, 0.45)
        across = 1 - main[0] if mirrored else main[0]
        aim_x = width * rng.uniform(0.35, 0.65) - across * columns * scale
        aim_y = height * rng.uniform(0.3, 0.6) - main[1] * rows * scale
        move = _Move(
            scale,
            scale,
            left + float(np.clip(aim_x, width - columns * scale, 0)),
            float(np.clip(aim_y, height - rows * scale, 0)),
            mirrored,
        )
        panel = np.zeros((height, width, 3), np.uint8)
        inside = _Move(scale, scale, move.left - left, move.top, mirrored)
        _paste(panel, picture, inside)
        scene.picture[:, left:right] = panel
        self._add_boxes(scene, still, move, picture.shape, (left, 0, right, height))
        scene.somewhere |= self._unplaced(still)
        if still not in self._nobody:
            scene.absent = np.minimum(scene.absent, self._absent(still))


def _shares(counts: list[int]) -> NDArray[np.float64]:
    """Return how often each label is drawn."""
    numbers = np.array(counts, np.float64)
    wanted = np.maximum(numbers, _LABEL_FLOOR * numbers.mean()) * (numbers > 0)
    return np.asarray(wanted / max(wanted.sum(), 1.0), np.float64)


def _middle_of_main(boxes: NDArray[np.float32], label: int) -> tuple[float, float] | None:
    for box in boxes:
        if int(box[0]) == label:
            return float(box[1] + box[3]) / 2, float(box[2] + box[4]) / 2
    return None


def _paste(
    canvas: Picture,
    picture: Picture,
    move: _Move,
    *,
    area: tuple[float, float, float, float] | None = None,
    soft: float = 0.0,
) -> None:
    """Paint a picture, or an area of it in its pixels, into a canvas; its edges may fade."""
    rows, columns = picture.shape[:2]
    left, top, right, bottom = area or (0.0, 0.0, float(columns), float(rows))
    if move.mirrored:
        picture = picture[:, ::-1]
        left, right = columns - right, columns - left
    from_x, to_x = (
        int(np.clip(round(x * move.scale_x + move.left), 0, canvas.shape[1])) for x in (left, right)
    )
    from_y, to_y = (
        int(np.clip(round(y * move.scale_y + move.top), 0, canvas.shape[0])) for y in (top, bottom)
    )
    if to_x - from_x < 2 or to_y - from_y < 2:
        return
    scale_x, scale_y = move.scale_x, move.scale_y
    if min(scale_x, scale_y) < 0.6:  # averaged first: four neighbours are too few
        size = max(1, round(columns * scale_x)), max(1, round(rows * scale_y))
        picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
        scale_x = scale_y = 1.0
    matrix = np.array([[scale_x, 0, move.left - from_x], [0, scale_y, move.top - from_y]])
    part = cv2.warpAffine(
        np.ascontiguousarray(picture),
        matrix,
        (to_x - from_x, to_y - from_y),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    view = canvas[from_y:to_y, from_x:to_x]
    if soft:
        part = _faded(np.asarray(part, np.uint8), view, soft)
    view[:] = part


def _faded(part: Picture, before: Picture, soft: float) -> Picture:
    height, width = part.shape[:2]
    edge = max(1.0, soft * min(height, width))
    to_sides = [
        np.minimum(np.arange(length) + 0.5, length - np.arange(length) - 0.5) / edge
        for length in (width, height)
    ]
    opacity = np.clip(np.minimum(to_sides[0][None], to_sides[1][:, None]), 0, 1)[..., None]
    return np.asarray(part * opacity + before * (1 - opacity), np.uint8)
