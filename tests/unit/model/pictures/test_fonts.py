"""Fonts for names of any script: of those that the machine has."""

import pytest

from model.pictures import fonts
from model.pictures.fonts import FONT, font_families, image_font


def test_latin_cyrillic_and_hebrew_letters_need_no_other_font() -> None:
    assert font_families(["Ned Flanders", "Éd", "Милхаус", "שלום"]) == (FONT,)
    assert font_families([]) == (FONT,)


def test_a_letter_that_the_first_font_lacks_comes_from_another_of_the_machine() -> None:
    # a d with a hook, which STIX has, that comes with matplotlib
    first, other, *_ = font_families(["\u1d81"])
    assert first == FONT
    assert "Last Resort" not in other


def test_letters_that_no_font_has_are_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    assert font_families(["\U000105c0"])[0] == FONT
    assert image_font("\U000105c0", 12).getlength("\U000105c0") > 0


def test_pictures_take_the_font_with_most_letters_of_a_text() -> None:
    fonts._fonts.cache_clear()
    assert image_font("Ned", 12).getlength("Ned") > 0
    assert getattr(image_font("Милхаус", 12), "path", "").endswith("DejaVuSans.ttf")
