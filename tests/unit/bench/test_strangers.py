"""Pictures of nobody, made of drawings in packages."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench.stranger_pictures import LONGEST_SIDE, compose, is_figure, read
from bench.stranger_sources import Source, licences, picture_files
from bench.strangers import make_all
from model.pictures.near_duplicates import difference_hash, group_near_duplicates
from tests.stills.still_folders import blobs

RED, WHITE = (200, 20, 20), (255, 255, 255)


def draw_on_paper(path: Path) -> Path:
    """A red disc of 101 pixels on white paper of 160, with a white hole."""
    y, x = np.mgrid[:160, :160] - 80
    drawn = np.full((160, 160, 3), WHITE, np.uint8)
    drawn[(y**2 + x**2 <= 50**2) & (y**2 + x**2 > 20**2)] = RED
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(drawn).save(path)
    return path


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    folder = tmp_path / "packages"
    for number in range(4):
        scene = folder / f"toys/usr/scenes/deep/{number}.png"
        scene.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(blobs(number, 240, 320)).save(scene)
        draw_on_paper(folder / f"toys/usr/figures/{number}.png")
    Image.fromarray(blobs(9, 90, 320)).save(folder / "toys/usr/figures/low.png")
    (folder / "toys/usr/figures/notes.txt").write_text("no picture")
    page = folder / "toys/usr/share/doc/toys/copyright"
    page.parent.mkdir(parents=True)
    page.write_text("Files: *\nLicense: GPL-2\n\nFiles: scenes\nLicense: CC0-1.0\nLicense: GPL-2\n")
    return folder


FIGURES = Source("figures", "toys", ("usr/figures",), at_most=6)
SCENES = Source("scenes", "toys", ("usr/scenes/**",), at_most=5, is_background=True)


def test_paper_around_a_drawing_is_cut_away_and_white_inside_it_stays(tmp_path: Path) -> None:
    figure = read(draw_on_paper(tmp_path / "ring.png"))
    assert figure is not None
    assert figure.size == (101, 101)
    assert figure.getpixel((50, 50)) == (*WHITE, 255)
    assert figure.getpixel((0, 0)) == (*WHITE, 0)
    # a disc covers pi/4 of its square
    assert (np.asarray(figure)[..., 3] == 0).mean() == pytest.approx(1 - np.pi / 4, abs=0.02)
    assert is_figure(figure)


def test_small_and_unreadable_files_are_of_no_use(tmp_path: Path) -> None:
    Image.fromarray(blobs(1, 95, 400)).save(tmp_path / "low.png")
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    Image.new("RGBA", (200, 200)).save(tmp_path / "clear.png")
    assert [read(tmp_path / f"{name}.png") for name in ("low", "broken", "clear")] == [None] * 3


def test_composed_pictures_have_the_shapes_of_frames_and_halves(tmp_path: Path) -> None:
    Image.fromarray(blobs(1, 240, 320)).save(tmp_path / "scene.png")
    scene = read(tmp_path / "scene.png")
    assert scene is not None
    rng = np.random.default_rng(0)
    sizes = {compose(scene, [], [], rng).size for _ in range(60)}
    # 16:9, 4:3, 8:9, 2:3 and 3:4 with 176 pixels on the longest side
    assert sizes == {(176, 99), (176, 132), (156, 176), (117, 176), (132, 176)}
    assert LONGEST_SIDE == 176


def test_each_source_gives_no_more_than_its_share_and_no_two_are_twins(
    packages: Path, tmp_path: Path
) -> None:
    made = make_all([FIGURES, SCENES], packages, tmp_path / "out", seed=0)
    counts = [len(list((tmp_path / "out" / name).iterdir())) for name in ("figures", "scenes")]
    assert counts == [one.pictures for one in made]
    assert counts == [6, 5]
    files = sorted((tmp_path / "out").rglob("*.jpg"))
    assert [file.name for file in files[:2]] == ["pic_0000.jpg", "pic_0001.jpg"]
    hashes = np.stack([difference_hash(np.asarray(Image.open(file))) for file in files])
    assert len(set(group_near_duplicates(hashes).tolist())) == 11


def test_the_seed_decides_everything(packages: Path, tmp_path: Path) -> None:
    def contents(name: str, seed: int) -> list[bytes]:
        make_all([FIGURES, SCENES], packages, tmp_path / name, seed)
        return [file.read_bytes() for file in sorted((tmp_path / name).rglob("*.jpg"))]

    first = contents("first", 0)
    assert first == contents("again", 0)
    assert first != contents("other", 1)


def test_only_pictures_are_found_and_licences_are_named_once(packages: Path) -> None:
    names = [path.name for path in picture_files(FIGURES, packages)]
    assert names == ["0.png", "1.png", "2.png", "3.png", "low.png"]
    assert len(picture_files(SCENES, packages)) == 4
    assert licences(FIGURES, packages) == "GPL-2, CC0-1.0"
