"""Find fonts for names in every script, as far as this machine has them.

matplotlib brings a font for Latin, Cyrillic, Greek, Hebrew and Arabic letters. For other scripts
the installed fonts are searched; a letter that no font has is drawn as a box.
"""

from collections.abc import Iterable
from functools import lru_cache
from importlib.util import find_spec
from typing import Final

from PIL import ImageFont

FONT: Final = "DejaVu Sans"
"""Comes with matplotlib."""

_NO_LETTERS: Final = "Last Resort"  # matplotlib's own font of boxes


def font_families(texts: Iterable[str]) -> tuple[str, ...]:
    """Return font families that have the letters of these texts, for matplotlib to try in order.

    The result is empty if matplotlib is not installed; drawing itself then raises the error.
    """
    if find_spec("matplotlib") is None:
        return ()
    return tuple(_fonts("".join(sorted(set().union(*texts)))))


def image_font(text: str, size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return the font that has most letters of a text, for Pillow, with a size in pixels."""
    if text.isascii():
        return ImageFont.load_default(size)
    fonts = _fonts("".join(sorted(set(text))))
    best = max(fonts.values(), key=lambda path: len(_letters(path) & set(text)))
    return ImageFont.truetype(best, size)


@lru_cache(100)
def _fonts(letters: str) -> dict[str, str]:
    """Return the paths of fonts by family, DejaVu Sans first."""
    from matplotlib.font_manager import FontProperties, fontManager

    found = {FONT: str(fontManager.findfont(FontProperties(family=[FONT])))}
    missing = set(letters) - _letters(found[FONT])
    for entry in sorted(fontManager.ttflist, key=lambda entry: (entry.name, entry.fname)):
        if not missing:
            break
        if entry.name not in found and not entry.name.startswith(_NO_LETTERS):
            has = _letters(str(entry.fname)) & missing
            if has:
                found[entry.name] = str(entry.fname)
                missing -= has
    return found


@lru_cache(1000)
def _letters(path: str) -> frozenset[str]:
    from matplotlib.ft2font import FT2Font

    try:
        return frozenset(map(chr, FT2Font(path).get_charmap()))
    except (OSError, RuntimeError):  # it was removed, or cannot be read
        return frozenset()
