"""The picture of a timeline."""

from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from PIL import Image

from timeline.drawing.plot import plot_timeline
from timeline.errors import TimelineError
from timeline.scoring.truth import LabelledRange

FOUND = [
    LabelledRange("ruby_fox", Fraction(2), Fraction(5)),
    LabelledRange("bolt", Fraction(4), Fraction(9)),
]
TRUTH = [
    LabelledRange("ruby_fox", Fraction(1), Fraction(5)),
    LabelledRange("", Fraction(5), Fraction(10)),
]


def test_a_png_is_a_picture_with_a_row_for_each_label(tmp_path: Path) -> None:
    plot_timeline(FOUND, Fraction(10), tmp_path / "two.png", "two rows", TRUTH)
    plot_timeline(FOUND[:1], Fraction(10), tmp_path / "one.png", "one row")
    with Image.open(tmp_path / "two.png") as two, Image.open(tmp_path / "one.png") as one:
        assert two.format == "PNG"
        assert two.width == one.width
        assert two.height > one.height
    assert {path.name for path in tmp_path.iterdir()} == {"one.png", "two.png"}


def test_an_svg_is_well_formed_and_always_the_same(tmp_path: Path) -> None:
    for name in ("first.svg", "second.svg"):
        plot_timeline(FOUND, 10.0, tmp_path / name, "always the same", TRUTH)
    first = (tmp_path / "first.svg").read_bytes()
    assert first == (tmp_path / "second.svg").read_bytes()
    assert ET.fromstring(first).tag == "{http://www.w3.org/2000/svg}svg"


def test_a_timeline_with_nobody_in_it_is_drawn(tmp_path: Path) -> None:
    plot_timeline([], 3 * 3600, tmp_path / "nobody.png", "nobody", [])
    assert (tmp_path / "nobody.png").stat().st_size > 0


@pytest.mark.parametrize("name", ["odd.png", "odd.svg"])
@pytest.mark.filterwarnings("error")
def test_names_of_any_script_and_with_any_sign_are_drawn(name: str, tmp_path: Path) -> None:
    names = {"ruby_fox": r"$\frac{ ${", "bolt": "バート 🙂 שלום " + "x" * 90}
    plot_timeline(FOUND, 10, tmp_path / name, r"$\odd$ バート", TRUTH, names=names)
    assert (tmp_path / name).stat().st_size > 0


@pytest.mark.parametrize("name", ["timeline.pdf", "timeline"])
def test_another_suffix_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(TimelineError, match=r"\.png or \.svg"):
        plot_timeline(FOUND, 10, tmp_path / name, "title")
    assert list(tmp_path.iterdir()) == []


def test_a_duration_of_nothing_and_an_absent_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TimelineError, match="duration"):
        plot_timeline(FOUND, 0, tmp_path / "timeline.png", "title")
    with pytest.raises(TimelineError, match="cannot be written"):
        plot_timeline(FOUND, 10, tmp_path / "absent" / "timeline.png", "title")
