"""Scenes: pictures composed of labelled stills like frames of an episode, with bounding boxes.

A scene is a still that fills the frame or stands small on a background; figures cut out by their
boxes and pasted into one picture (Ghiasi et al., Simple Copy-Paste is a Strong Data Augmentation
Method for Instance Segmentation, 2021; the mosaics of Bochkovskiy et al., YOLOv4, 2020); stills
side by side; a whole frame, zoomed in or out; or a picture without known characters.
"""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from model.dataset.stills import Stills
from model.labels import UNKNOWN, known_labels
from model.pictures.preprocess import WholeFrame
from model.scenes.changes import UNRECOGNISABLE, soften
from model.scenes.figures import Figures, Manner, shares, unplaced_labels
from model.scenes.pasting import Move, paste
from model.scenes.seen import Area, Picture, Scene
from model.scenes.whereabouts import SURE, Whereabouts

_FIGURE_IN_STILL: Final = 0.6
"""Median height of a figure's box as a share of its still, in
`../shared/data/simpsons_boxes.csv`."""


class SceneMaker:
    """Makes scenes of stills; each depends only on its lead still and the random generator.

    Args:
        stills: Stills as they are stored.
        whereabouts: Their bounding boxes.
        frame: The size of the scenes.
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
        self._still_shares = shares(list(map(len, self._by_label)))
        self.figures = Figures(stills, whereabouts, frame)

    @property
    def has_whole_frames(self) -> bool:
        """Whether there are pictures in which everybody has a box."""
        return len(self._whole) > 0

    @property
    def has_nobody(self) -> bool:
        """Whether there are pictures without known characters."""
        return len(self._nobody) > 0

    def lead(self, still: int, rng: np.random.Generator) -> Scene:
        """Show a still alone: as a whole frame if everybody in it has a box."""
        if self._stills.all_boxed[still]:
            return self.whole_frame(rng, still)
        return self.still(still, rng)

    def still(self, lead: int, rng: np.random.Generator) -> Scene:
        """Show a still: to its edges, small on a background, or zoomed in."""
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
        paste(background, picture, move)
        scene = Scene(background, self._absent(lead))
        self._note_boxes(scene, lead, move, picture.shape, (0, 0, *self._size))
        scene.somewhere = self._unplaced(lead)
        return scene

    def mosaic(self, rng: np.random.Generator, count: int, lead: int | None = None) -> Scene:
        """Paste figures, cut out by their boxes, on a background (mosaic augmentation)."""
        scene = self._empty(rng)
        manner = Manner(
            smallest=0.17,
            tallest=0.62 if count > 2 else 0.95,
            hats=0.1,
            crowded=0.3,
            cut=0.3,
        )
        alike = rng.random() < 0.5
        base = manner.height(rng)
        for number in range(count):
            cut = self.figures.anybody(rng, lead if number == 0 else None)
            share = base * float(np.exp(rng.uniform(-0.15, 0.15))) if alike else manner.height(rng)
            self.figures.paste(scene, cut, share, rng, manner)
        return scene

    def gathering(
        self, rng: np.random.Generator, labels: Sequence[int], strangers: int, manner: Manner
    ) -> Scene:
        """Paste a figure of each of these labels on a background, in front of unknown characters.

        The background is a still without known characters, or a still of one of the labels, out of
        focus.
        """
        cuts = [self.figures.stranger(rng) for _ in range(strangers)]
        cuts += [self.figures.of(label, rng) for label in labels]
        scene = self._empty(rng)
        if cuts and rng.random() < 0.5:
            scene.picture = self._out_of_focus(cuts[rng.integers(len(cuts))].still, rng)
        alike = rng.random() < 0.5
        base = manner.height(rng)
        for cut in cuts:
            share = base * float(np.exp(rng.uniform(-0.15, 0.15))) if alike else manner.height(rng)
            if self.figures.is_whole_still(cut):
                share = min(0.95, share / _FIGURE_IN_STILL)
            self.figures.paste(scene, cut, share, rng, manner)
        return scene

    def panels(
        self, rng: np.random.Generator, lead: int, beside: Sequence[int] | None = None
    ) -> Scene:
        """Show two or three stills side by side, each in a panel of full height.

        Args:
            rng: Random number generator.
            lead: One of the stills.
            beside: The other stills; drawn at random if not given.
        """
        count = (2 if rng.random() < 0.65 else 3) if beside is None else 1 + len(beside)
        edges = np.linspace(0, self._frame.width, count + 1)
        edges[1:-1] += rng.uniform(-0.2, 0.2, count - 1) * self._frame.width / count
        others = [self._drawn_still(rng) for _ in range(count - 1)] if beside is None else beside
        shown = [lead, *others]
        scene = Scene(self._black(), np.full(len(self.labels), SURE, np.float32))
        for place, still in enumerate(rng.permutation(shown).tolist()):
            self._fill_panel(scene, still, round(edges[place]), round(edges[place + 1]), rng)
        placed = {box.label_number for box in (*scene.seen, *scene.hidden)}
        # a label with a box in one panel and without one in another also occurs without a box
        scene.doubt(scene.somewhere & placed)
        scene.somewhere -= placed
        return scene

    def whole_frame(
        self, rng: np.random.Generator, lead: int | None = None, *, on_itself: bool = False
    ) -> Scene:
        """Show a picture in which everybody has a box, zoomed in or out.

        Args:
            rng: Random number generator.
            lead: The picture; drawn at random if not given.
            on_itself: Never zoom out beyond the whole picture, and fill the margins with the
                picture out of focus.
        """
        still = int(rng.choice(self._whole)) if lead is None else lead
        picture, boxes = self._stills.picture(still), self._where.of(still)
        height, width = picture.shape[:2]
        scale = min(self._frame.width / width, self._frame.height / height)
        scale *= float(np.exp(rng.uniform(np.log(1.0 if on_itself else 0.6), np.log(2.2))))
        stretch = float(np.exp(rng.uniform(-0.15, 0.15)))
        box = boxes[rng.integers(len(boxes))]
        middle = float(box[1] + box[3]) / 2, float(box[2] + box[4]) / 2
        move = self._aimed(
            picture.shape, scale * stretch, scale / stretch, middle, rng.random() < 0.5, rng
        )
        if on_itself:
            canvas = self._out_of_focus(still, rng)
        else:
            canvas = self._background(rng) if rng.random() < 0.4 else self._black()
        paste(canvas, picture, move)
        scene = Scene(canvas, self._absent(still))
        self._note_boxes(scene, still, move, picture.shape, (0, 0, *self._size))
        return scene

    def nobody(self, rng: np.random.Generator, lead: int | None = None) -> Scene:
        """Show a picture without known characters."""
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

    def _out_of_focus(self, still: int, rng: np.random.Generator) -> Picture:
        return soften(self._covering(self._stills.picture(still), 1.0, rng), UNRECOGNISABLE)

    def _covering(self, picture: Picture, closer: float, rng: np.random.Generator) -> Picture:
        """Return a random crop of a picture that fills the frame."""
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
        return unplaced_labels(self._stills, self._where, still)

    def _empty(self, rng: np.random.Generator) -> Scene:
        return Scene(self._background(rng), np.full(len(self.labels), SURE, np.float32))

    def _drawn_still(self, rng: np.random.Generator) -> int:
        if rng.random() < 0.15 and len(self._nobody):
            return int(rng.choice(self._nobody))
        if not self._still_shares.any():
            return int(rng.choice(self._whole))
        label = rng.choice(len(self.labels), p=self._still_shares)
        return int(rng.choice(self._by_label[label]))

    def _aimed(
        self,
        shape: tuple[int, ...],
        scale_x: float,
        scale_y: float,
        middle: tuple[float, float] | None,
        mirrored: bool,
        rng: np.random.Generator,
    ) -> Move:
        """Place a picture at random so that a given point of it (as shares) stays visible."""
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
        return Move(scale_x, scale_y, offsets[0], offsets[1], mirrored)

    def _note_boxes(
        self, scene: Scene, still: int, move: Move, shape: tuple[int, ...], area: Area
    ) -> None:
        for box in self._where.of(still):
            scene.note(move.moved(box, shape), area)

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
        move = Move(
            scale,
            scale,
            left + float(np.clip(aim_x, width - columns * scale, 0)),
            float(np.clip(aim_y, height - rows * scale, 0)),
            mirrored,
        )
        panel = np.zeros((height, width, 3), np.uint8)
        inside = Move(scale, scale, move.left - left, move.top, mirrored)
        paste(panel, picture, inside)
        scene.picture[:, left:right] = panel
        self._note_boxes(scene, still, move, picture.shape, (left, 0, right, height))
        scene.somewhere |= self._unplaced(still)
        if still not in self._nobody:
            scene.absent = np.minimum(scene.absent, self._absent(still))


def _middle_of_main(boxes: NDArray[np.float32], label: int) -> tuple[float, float] | None:
    for box in boxes:
        if int(box[0]) == label:
            return float(box[1] + box[3]) / 2, float(box[2] + box[4]) / 2
    return None
