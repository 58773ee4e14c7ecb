"""Composing frame by frame: however long the episode, hardly any picture waits in memory."""

import weakref
from collections.abc import Iterator
from typing import Any, cast

import numpy as np

from castline.composing.composition import _joined
from castline.composing.studio import Studio
from model.scenes.seen import Picture
from timeline.appearances.shots import Shot, plan_shots

HARDLY_ANY = 4  # two that are mixed, the mix, and the one that was just given out


class CountingStudio:
    """Shows a shot as pictures of its number, and knows how many of them are alive."""

    def __init__(self) -> None:
        self.alive = 0
        self.shown: list[tuple[int, int]] = []

    def show(self, shot: Shot, scene: Any, frames: int) -> Iterator[Picture]:
        self.shown.append((shot.first_shown, shot.first_shown + frames))
        for _ in range(frames):
            picture = np.full((2, 2, 3), shot.number % 256, np.uint8)
            self.alive += 1
            weakref.finalize(picture, self._count_down)
            yield picture

    def _count_down(self) -> None:
        self.alive -= 1


def test_frames_come_one_at_a_time_and_as_many_as_the_shots_have() -> None:
    shots = plan_shots(("ann", "bob"), 5000, seed=1, with_nobody=True)
    studio = CountingStudio()
    starts = {shot.start_frame: shot for shot in shots}
    number, frames = -1, 0
    for frame, picture in enumerate(_joined(shots, [()] * len(shots), cast("Studio", studio))):
        assert studio.alive <= HARDLY_ANY
        if frame in starts:
            number = starts[frame].number
        # in a dissolve the picture is between its shot and a neighbour, and nearer to its shot
        assert abs(int(picture[0, 0, 0]) - number) <= 1
        if all(abs(frame - start) > 6 for start in starts):
            assert picture[0, 0, 0] == number
        frames += 1
    assert frames == 5000
    assert studio.shown[0][0] == 0
    assert studio.shown[-1][1] == 5000
