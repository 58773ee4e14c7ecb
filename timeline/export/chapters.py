"""Chapters: FFmpeg's metadata file, and the XML that mkvmerge and mkvpropedit read."""

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple
from xml.etree.ElementTree import Element, SubElement

from timeline.export.decimals import clock
from timeline.export.formats import ExportedTimeline
from timeline.export.stretches import Stretch, joined_to_last, stretches
from timeline.export.xml import xml_text

NOBODY, UNEXAMINED = "nobody known", "not examined"
"""Titles of chapters without a known character."""

NANOSECOND_DIGITS = 9
"""Decimals of ChapterTimeStart and ChapterTimeEnd (RFC 9559, 5.1.7.1.4)."""


class Chapter(NamedTuple):
    """A title over a half-open range of pts."""

    start_pts: int
    end_pts: int
    title: str


def chapters(timeline: ExportedTimeline) -> Iterator[Chapter]:
    """Yield a chapter for each stretch with the same labels on screen, or for several.

    Its title names all characters on screen in it, in descending order of screen time.
    """
    shortest_pts = float(timeline.shortest_chapter_seconds / timeline.time_base)
    for parts in joined_to_last(stretches(timeline), shortest_pts):
        yield Chapter(parts[0].start_pts, parts[-1].end_pts, _title(timeline, parts))


def _title(timeline: ExportedTimeline, parts: list[Stretch]) -> str:
    pts: Counter[str] = Counter()
    for part in parts:
        for name in {timeline.name_of(label) for label in part.labels}:
            pts[name] += part.end_pts - part.start_pts
    names = sorted(pts, key=lambda name: (-pts[name], name))
    nobody = NOBODY if any(part.is_examined for part in parts) else UNEXAMINED
    return ", ".join(names) or nobody


def ffmpeg_text(timeline: ExportedTimeline) -> str:
    """Return FFmpeg's metadata file."""
    lines = [";FFMETADATA1"]
    for start_pts, end_pts, title in chapters(timeline):
        lines += [
            "[CHAPTER]",
            f"TIMEBASE={timeline.time_base.numerator}/{timeline.time_base.denominator}",
            f"START={start_pts - timeline.start_pts}",
            f"END={end_pts - timeline.start_pts}",
            f"title={_escaped(title)}",
        ]
    return "\n".join(lines) + "\n"


def matroska_text(timeline: ExportedTimeline) -> str:
    """Return the chapters of Matroska (RFC 9559, 5.1.7), in the XML of MKVToolNix."""
    root = Element("Chapters")
    edition = SubElement(root, "EditionEntry")
    for number, (start_pts, end_pts, title) in enumerate(chapters(timeline), 1):
        atom = SubElement(edition, "ChapterAtom")
        SubElement(atom, "ChapterUID").text = str(number)
        for name, pts in (("ChapterTimeStart", start_pts), ("ChapterTimeEnd", end_pts)):
            SubElement(atom, name).text = clock(timeline.seconds(pts), NANOSECOND_DIGITS)
        display = SubElement(atom, "ChapterDisplay")
        SubElement(display, "ChapterString").text = title
        SubElement(display, "ChapterLanguage").text = "und"  # names have no language
    return xml_text(root)


def _escaped(text: str) -> str:
    """Escape special characters of FFmpeg's metadata files with a backslash."""
    return "".join(f"\\{letter}" if letter in "=;#\\\n" else letter for letter in text)
