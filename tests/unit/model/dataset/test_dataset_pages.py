"""The pages of a dataset's folder are made of few pictures, however many there are."""

from collections import Counter
from pathlib import Path

import numpy as np

from model.dataset.pages import write_pages
from model.dataset.plan import Plan
from model.dataset.split import Split
from model.labels import Names
from model.pictures.files import to_png
from model.stills.boxes import Labelled
from model.stills.candidates import Candidate
from model.stills.choice import ChosenLabels
from model.stills.files import StillFile


def test_of_a_large_group_no_more_pictures_are_read_than_its_row_shows(tmp_path: Path) -> None:
    stills = 500
    alike = np.zeros(4, np.uint64)
    plan = Plan(
        stills=tuple(
            Candidate(StillFile(Path(f"{n}.png"), "apple", f"{n}.png"), "0" * 64, alike)
            for n in range(stills)
        ),
        labels=ChosenLabels(("apple", "pear"), {}, others_are_kept=False),
        shown=(Labelled(0, (0,)),) * stills,
        groups=np.zeros(stills, np.int64),
        split=Split(np.arange(stills), np.array([], np.int64), np.array([], np.int64)),
        left_out=(),
    )
    read = Counter[int]()

    def png_of(index: int) -> bytes:
        read[index] += 1
        return to_png(np.zeros((4, 4, 3), np.uint8))

    write_pages(tmp_path, plan, png_of, 0, Names())
    assert read.total() == 2 * 12  # a row of samples and a row of the group
