"""What others' parsers make of an export: who is there from which frame to which."""

import csv
import json
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as ET

import av
import networkx as nx
import opentimelineio
import srt
import webvtt
from pyannote.database.util import load_rttm
from pyarrow import parquet
from pympi.Elan import Eaf

from timeline.export.formats import ExportedTimeline, exported

Found = list[tuple[str, int, int]]
"""Label, first frame, frame after the last."""

MICROSECOND: Final = Fraction(1, 10**6)


def content_of(timeline: ExportedTimeline, name: str) -> bytes:
    """What a file in a format holds."""
    return b"".join(exported(timeline, name))


def export_text(timeline: ExportedTimeline, name: str) -> str:
    """The same of a format of texts."""
    return content_of(timeline, name).decode()


@dataclass(frozen=True)
class Frames:
    """An episode's frames."""

    rate: Fraction
    """Per second."""
    seconds: Sequence[Fraction]
    """From the first frame, at which each comes on screen; and at last that of the end."""

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.seconds) - 1

    def within(self, start: Fraction, end: Fraction) -> tuple[int, int]:
        """The first frame at `start <= time < end`, and the one after the last."""
        return bisect_left(self.seconds, start), bisect_left(self.seconds, end)


def read_webvtt(path: Path, frames: Frames) -> Found:
    return [
        (
            json.loads(cue.text)["label"],
            *frames.within(_seconds_of(cue.start), _seconds_of(cue.end)),
        )
        for cue in webvtt.from_string(path.read_text())
    ]


def _seconds_of(clock: str) -> Fraction:
    hours, minutes, seconds = clock.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + Fraction(seconds)


def read_srt(path: Path, frames: Frames) -> Found:
    """Each name from the first to the last of the subtitles in a row that show it."""
    return _joined(
        (name, start, end) for start, end, names in subtitles_of(path, frames) for name in names
    )


def subtitles_of(path: Path, frames: Frames) -> list[tuple[int, int, list[str]]]:
    """The subtitles' frames and names."""
    found = []
    for line in srt.parse(path.read_text()):
        start, end = (
            (each.days * 86400 + each.seconds) + each.microseconds * MICROSECOND
            for each in (line.start, line.end)
        )
        found.append((*frames.within(start, end), line.content.split("\n")))
    return found


def read_csv(path: Path, frames: Frames) -> Found:
    with path.open(newline="") as lines:
        return [
            (
                row["label"],
                *frames.within(Fraction(row["start_seconds"]), Fraction(row["end_seconds"])),
            )
            for row in csv.DictReader(lines)
        ]


def read_json(path: Path, frames: Frames) -> Found:
    return _found_in_json(path.read_text(), frames)


def _found_in_json(text: str, frames: Frames) -> Found:
    document = json.loads(text)
    base, start = Fraction(document["time_base"]), document["start_pts"]
    assert Fraction(document["frame_rate"]) == frames.rate
    return [
        (
            each["label"],
            frames.seconds.index((each["start_pts"] - start) * base),
            frames.seconds.index((each["end_pts"] - start) * base),
        )
        for each in document["ranges"]
    ]


class _Page(HTMLParser):
    """Keeps the data, and what would be loaded from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.data, self.cells, self._within = "", list[str](), ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._within = tag
        assert not {"src", "href"} & {name for name, _ in attrs}, "it loads nothing"

    def handle_data(self, data: str) -> None:
        if self._within == "script":
            self.data += data
        elif self._within == "td" and data.strip():
            self.cells.append(data)


def read_ranges(path: Path, name: str) -> list[dict[str, Any]]:
    """The ranges as a JSON file or a page tells them."""
    page = _Page()
    page.feed(path.read_text())
    ranges: list[dict[str, Any]] = json.loads(page.data if name == "html" else path.read_text())[
        "ranges"
    ]
    return ranges


def read_html(path: Path, frames: Frames) -> Found:
    page = _Page()
    page.feed(path.read_text())
    found = _found_in_json(page.data, frames)
    assert page.cells[0::4] == [each["name"] for each in json.loads(page.data)["ranges"]]
    return found


def read_otio(path: Path, frames: Frames, adapter: str = "otio_json") -> Found:
    read = opentimelineio.adapters.read_from_string(path.read_text(), adapter)
    episode, *tracks = read.video_tracks()
    [whole] = episode.find_clips()
    assert whole.source_range.duration.value == frames.count
    assert Fraction(whole.source_range.duration.rate).limit_denominator(1001) == frames.rate
    markers = [
        (
            marker.name,
            int(marker.marked_range.start_time.value),
            int(marker.marked_range.end_time_exclusive().value),
        )
        for marker in whole.markers
    ]
    clips = []
    for track in tracks:
        for clip in track.find_clips():
            start = clip.source_range.start_time.value
            assert clip.range_in_parent().start_time.value == start, "a clip lies at its own time"
            clips.append((clip.name, start, clip.source_range.end_time_exclusive().value))
    assert sorted(clips) == sorted(markers)
    return markers


def read_fcpxml(path: Path, frames: Frames) -> Found:
    return read_otio(path, frames, "fcp_xml")


def read_edl(path: Path, frames: Frames) -> Found:
    read = opentimelineio.adapters.read_from_file(str(path), "cmx_3600", rate=float(frames.rate))
    return [
        (
            clip.name,
            int(clip.source_range.start_time.value),
            int(clip.source_range.end_time_exclusive().value),
        )
        for clip in read.find_clips()
    ]


def read_rttm(path: Path, frames: Frames) -> Found:
    """In the order of time; blanks in names are `_` there."""
    found = []
    for annotation in load_rttm(path).values():  # of one episode, or of none if nobody is there
        for segment, _, label in annotation.itertracks(yield_label=True):
            start, end = (Fraction(round(each * 10**6), 10**6) for each in segment)
            found.append((label, *frames.within(start, end)))
    return found


def read_chapters(path: Path, frames: Frames) -> Found:
    """Each label from the first to the last of the chapters in a row that name it."""
    return _in_chapters(chapters_of(path, frames))


def _in_chapters(chapters: Found) -> Found:
    return _joined(
        (label, start, end)
        for title, start, end in chapters
        for label in title.split(", ")
        if label not in ("nobody known", "not examined")
    )


def chapters_of(path: Path, frames: Frames, container: str = "ffmetadata") -> Found:
    """The chapters' titles and frames, as FFmpeg reads them."""
    with av.open(str(path), format=container) as read:
        return [
            (
                chapter["metadata"]["title"],
                *frames.within(chapter["start"] * base, chapter["end"] * base),
            )
            for chapter in read.chapters()
            if (base := chapter["time_base"])
        ]


def read_matroska(path: Path, frames: Frames) -> Found:
    """As the other chapters, from a Matroska file that holds these."""
    return _in_chapters(matroska_chapters_of(path, frames))


def matroska_chapters_of(path: Path, frames: Frames) -> Found:
    """The titles and frames, as FFmpeg reads them in a Matroska file."""
    [edition] = ET.parse(path).getroot()
    track = _element("ae", *(_element(*each) for each in TRACK))
    segment = (
        _element("1549a966", _element("2ad7b1", (10**6).to_bytes(4))),
        _element("1654ae6b", track),
        _element("1043a770", _of_xml(edition)),
        _element("1f43b675", _element("e7", b"\0")),
    )
    video = path.with_name("chapters.mka")
    video.write_bytes(
        _element("1a45dfa3", _element("4282", b"matroska")) + _element("18538067", *segment)
    )
    return chapters_of(video, frames, "matroska")


TRACK: Final = (("d7", b"\1"), ("73c5", b"\1"), ("83", b"\2"), ("86", b"A_PCM/INT/LIT"))
"""TrackNumber, TrackUID, TrackType (sound) and CodecID: FFmpeg opens no file without a
track, nor without a cluster."""

ELEMENTS: Final = {
    "EditionEntry": "45b9",
    "ChapterAtom": "b6",
    "ChapterUID": "73c4",
    "ChapterTimeStart": "91",
    "ChapterTimeEnd": "92",
    "ChapterDisplay": "80",
    "ChapterString": "85",
    "ChapterLanguage": "437c",
}
"""The numbers of RFC 9559, which has the latter two as ChapString and ChapLanguage."""


def _of_xml(xml: ET.Element) -> bytes:
    text = xml.text or ""
    if len(xml):
        payload = b"".join(map(_of_xml, xml))
    elif xml.tag == "ChapterUID":
        payload = int(text).to_bytes(8)
    elif xml.tag.startswith("ChapterTime"):
        payload = int(_seconds_of(text) * 10**9).to_bytes(8)
    else:
        payload = text.encode()
    return _element(ELEMENTS[xml.tag], payload)


def _element(number: str, *payloads: bytes) -> bytes:
    """An element of EBML (RFC 8794), whose size takes eight bytes."""
    payload = b"".join(payloads)
    return bytes.fromhex(number) + (1 << 56 | len(payload)).to_bytes(8) + payload


def read_eaf(path: Path, frames: Frames) -> Found:
    """A tier's name is the label, as pympi reads ELAN's files."""
    read = Eaf(str(path))
    assert read.media_descriptors[0]["MEDIA_URL"].startswith("file:///")
    found = [
        (label, *frames.within(Fraction(start, 1000), Fraction(end, 1000)))
        for label in read.get_tier_names()
        for start, end, _ in read.get_annotation_data_for_tier(label)
    ]
    return sorted(found, key=lambda each: each[1])


def read_iiif(path: Path, frames: Frames) -> Found:
    """The annotations of a manifest's canvas, by the rules of IIIF and of media fragments."""
    [canvas] = json.loads(path.read_bytes())["items"]
    assert canvas["duration"] == float(frames.seconds[-1])
    [page] = canvas["annotations"]
    found = []
    for each in page["items"]:
        assert each["target"]["source"]["id"] == canvas["id"]
        start, end = each["target"]["selector"]["value"].removeprefix("t=").split(",")
        found.append((each["body"]["value"], *frames.within(Fraction(start), Fraction(end))))
    return found


def read_parquet(path: Path, frames: Frames) -> Found:
    rows = parquet.read_table(path).to_pylist()
    first = min((row["start_pts"] for row in rows), default=0)
    assert first >= 0
    return [
        (
            row["label"],
            *(_nearest(frames, row[name]) for name in ("start_seconds", "end_seconds")),
        )
        for row in rows
    ]


def _nearest(frames: Frames, seconds: float) -> int:
    number = bisect_left(frames.seconds, Fraction(seconds) - MICROSECOND)
    assert abs(float(frames.seconds[number]) - seconds) < 1e-9
    return number


def read_graph(path: Path) -> "nx.Graph":
    """A graph, as networkx reads it."""
    return nx.read_graphml(path)


def _joined(pieces: Iterator[tuple[str, int, int]]) -> Found:
    found: Found = []
    last: dict[str, int] = {}
    for label, start, end in pieces:
        place = last.get(label)
        if place is not None and found[place][2] == start:
            found[place] = (label, found[place][1], end)
        else:
            last[label] = len(found)
            found.append((label, start, end))
    return found


READERS: Final[Mapping[str, Callable[[Path, Frames], Found]]] = {
    "json": read_json,
    "csv": read_csv,
    "vtt": read_webvtt,
    "srt": read_srt,
    "rttm": read_rttm,
    "chapters": read_chapters,
    "matroska": read_matroska,
    "eaf": read_eaf,
    "iiif": read_iiif,
    "parquet": read_parquet,
    "otio": read_otio,
    "fcpxml": read_fcpxml,
    "edl": read_edl,
    "html": read_html,
}
"""By the format's name."""
