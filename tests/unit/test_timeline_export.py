"""Each export format, read back by a parser that somebody else wrote, to the frame."""

import csv
import io
import json
import re
from bisect import bisect_left
from dataclasses import replace
from fractions import Fraction
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import av
import opentimelineio
import pytest
import srt
import webvtt
from hypothesis import given, settings
from hypothesis import strategies as st
from pyannote.database.util import load_rttm

from timeline.errors import TimelineError
from timeline.export import FORMATS, Entry, ExportedTimeline, export_text
from timeline.truth import read_truth

FILM = Fraction(24000, 1001)
FRAMES = 2880
"""About two minutes."""

TIME_BASES = {
    "mp4": Fraction(1, 24000),  # each frame takes 1001
    "matroska with a late start": Fraction(1, 1000),  # times are rounded to milliseconds
}
STARTS = {"mp4": 0, "matroska with a late start": 5005}

Found = list[tuple[str, int, int]]
"""Label, first frame, frame after the last."""

RANGES: Found = [
    ("ned_flanders", 0, 36),
    ("homer_simpson", 24, 119),
    ("ned_flanders", 119, 240),
    ("homer_simpson", 2400, FRAMES),
]


def pts_of(frame: int, container: str) -> int:
    return STARTS[container] + round(frame / FILM / TIME_BASES[container])


def timeline_of(ranges: Found, container: str) -> ExportedTimeline:
    return ExportedTimeline(
        name="An <odd> episode, S01E02.mkv",
        path="/episodes/An <odd> episode, S01E02.mkv",
        sha256="a" * 64,
        model="cast@1",
        time_base=TIME_BASES[container],
        start_pts=pts_of(0, container),
        end_pts=pts_of(FRAMES, container),
        frame_rate=FILM,
        rate_varies=False,
        missing=(),
        entries=[
            Entry(label, pts_of(start, container), pts_of(end, container), 0.875)
            for label, start, end in ranges
        ],
    )


@cache
def times_of(container: str) -> list[Fraction]:
    """Seconds from the first frame at which each frame comes on screen."""
    first = pts_of(0, container)
    return [
        (pts_of(frame, container) - first) * TIME_BASES[container] for frame in range(FRAMES + 1)
    ]


def frames_within(timeline: ExportedTimeline, start: Fraction, end: Fraction) -> tuple[int, int]:
    """The first frame at `start <= time < end`, and the one after the last."""
    container = next(name for name in TIME_BASES if TIME_BASES[name] == timeline.time_base)
    times = times_of(container)
    return bisect_left(times, start), bisect_left(times, end)


def seconds_of(clock: str) -> Fraction:
    hours, minutes, seconds = clock.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + Fraction(seconds)


def read_webvtt(text: str, timeline: ExportedTimeline) -> Found:
    return [
        (
            json.loads(cue.text)["label"],
            *frames_within(timeline, seconds_of(cue.start), seconds_of(cue.end)),
        )
        for cue in webvtt.from_string(text)
    ]


def read_srt(text: str, timeline: ExportedTimeline) -> Found:
    microsecond = Fraction(1, 10**6)
    found = []
    for line in srt.parse(text):
        start, end = (
            (each.days * 86400 + each.seconds) + each.microseconds * microsecond
            for each in (line.start, line.end)
        )
        found.append((line.content, *frames_within(timeline, start, end)))
    return found


def read_csv(text: str, timeline: ExportedTimeline) -> Found:
    return [
        (
            row["label"],
            *frames_within(timeline, Fraction(row["start_seconds"]), Fraction(row["end_seconds"])),
        )
        for row in csv.DictReader(io.StringIO(text))
    ]


def read_json(text: str, timeline: ExportedTimeline) -> Found:
    document = json.loads(text)
    base, start = Fraction(document["time_base"]), document["start_pts"]
    rate = Fraction(document["frame_rate"])
    return [
        (
            each["label"],
            round((each["start_pts"] - start) * base * rate),
            round((each["end_pts"] - start) * base * rate),
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


def read_html(text: str, timeline: ExportedTimeline) -> Found:
    page = _Page()
    page.feed(text)
    assert page.cells[0::4] == [entry.label for entry in timeline.entries]
    return read_json(page.data, timeline)


def read_otio(text: str, timeline: ExportedTimeline, adapter: str = "otio_json") -> Found:
    read = opentimelineio.adapters.read_from_string(text, adapter)
    episode, *tracks = read.video_tracks()
    [whole] = episode.find_clips()
    assert whole.source_range.duration.value == FRAMES
    assert Fraction(whole.source_range.duration.rate).limit_denominator(1001) == FILM
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


def read_fcpxml(text: str, timeline: ExportedTimeline) -> Found:
    return read_otio(text, timeline, "fcp_xml")


def read_edl(text: str, timeline: ExportedTimeline) -> Found:
    read = opentimelineio.adapters.read_from_string(text, "cmx_3600", rate=float(FILM))
    return [
        (
            clip.name,
            clip.source_range.start_time.value,
            clip.source_range.end_time_exclusive().value,
        )
        for clip in read.find_clips()
    ]


READERS = {
    "json": read_json,
    "csv": read_csv,
    "vtt": read_webvtt,
    "srt": read_srt,
    "html": read_html,
    "otio": read_otio,
    "fcpxml": read_fcpxml,
    "edl": read_edl,
}


@pytest.mark.parametrize("container", TIME_BASES)
@pytest.mark.parametrize("name", READERS)
def test_an_export_is_read_back_to_the_frame(name: str, container: str) -> None:
    timeline = timeline_of(RANGES, container)
    assert READERS[name](export_text(timeline, name), timeline) == RANGES


@pytest.mark.parametrize("container", TIME_BASES)
def test_rttm_is_read_back_by_pyannote_to_the_frame(container: str, tmp_path: Path) -> None:
    timeline = timeline_of(RANGES, container)
    path = tmp_path / "episode.rttm"
    path.write_text(export_text(timeline, "rttm"))
    [(name, annotation)] = load_rttm(path).items()
    assert name == "An_<odd>_episode,_S01E02.mkv"
    found = []
    for segment, _, label in annotation.itertracks(yield_label=True):
        start, end = (Fraction(round(each * 10**6), 10**6) for each in segment)
        found.append((label, *frames_within(timeline, start, end)))
    assert sorted(found) == sorted(RANGES)


@pytest.mark.parametrize("container", TIME_BASES)
def test_chapters_are_read_back_by_ffmpeg_exactly(container: str, tmp_path: Path) -> None:
    timeline = replace(
        timeline_of(RANGES, container),
        missing=[(pts_of(300, container), pts_of(310, container))],
    )
    path = tmp_path / "episode.chapters.txt"
    path.write_text(export_text(timeline, "chapters"))
    with av.open(str(path), format="ffmetadata") as read:
        found = [
            (
                chapter["metadata"]["title"],
                round(chapter["start"] * base * FILM),
                round(chapter["end"] * base * FILM),
            )
            for chapter in read.chapters()
            if (base := chapter["time_base"])
        ]
    assert found == [
        ("ned_flanders", 0, 24),
        ("homer_simpson, ned_flanders", 24, 36),
        ("homer_simpson", 36, 119),
        ("ned_flanders", 119, 240),
        ("nobody known", 240, 300),
        ("not examined", 300, 310),
        ("nobody known", 310, 2400),
        ("homer_simpson", 2400, FRAMES),
    ]


def test_a_csv_export_is_a_truth_file(tmp_path: Path) -> None:
    path = tmp_path / "episode.csv"
    path.write_text(export_text(timeline_of(RANGES, "mp4"), "csv"))
    assert [entry.label for entry in read_truth(path)] == [label for label, _, _ in RANGES]


def test_labels_that_mean_something_in_a_format_come_back(tmp_path: Path) -> None:
    odd = "a --> b; <i>#=\\ & 'c'"
    timeline = timeline_of([(odd, 10, 20)], "mp4")
    for name in ("json", "csv", "vtt", "srt", "html", "otio", "fcpxml"):
        assert READERS[name](export_text(timeline, name), timeline) == [(odd, 10, 20)], name
    path = tmp_path / "chapters.txt"
    path.write_text(export_text(timeline, "chapters"))
    with av.open(str(path), format="ffmetadata") as read:
        assert read.chapters()[1]["metadata"]["title"] == odd


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "edl"])
def test_a_timeline_with_nobody_in_it_is_written(name: str) -> None:
    timeline = timeline_of([], "mp4")
    text = export_text(timeline, name)
    assert READERS[name](text, timeline) == [] if name in READERS else "ned" not in text


def test_a_varying_rate_is_refused_where_frames_are_numbered() -> None:
    timeline = replace(timeline_of(RANGES, "mp4"), rate_varies=True)
    for name in ("otio", "edl", "fcpxml"):
        with pytest.raises(TimelineError, match="frame rate varies"):
            export_text(timeline, name)
    assert read_json(export_text(timeline, "json"), timeline) == RANGES


def test_an_edl_of_nothing_or_of_a_rate_without_timecode_is_refused() -> None:
    with pytest.raises(TimelineError, match="needs a range"):
        export_text(timeline_of([], "mp4"), "edl")
    timeline = replace(timeline_of(RANGES, "mp4"), frame_rate=Fraction(12))
    with pytest.raises(TimelineError, match="12 frames per second"):
        export_text(timeline, "edl")


@settings(max_examples=50, deadline=None)
@given(start=st.integers(0, FRAMES - 2), length=st.integers(1, 300), data=st.data())
def test_any_range_comes_back_to_the_frame(start: int, length: int, data: st.DataObject) -> None:
    ranges = [("ned", start, min(start + length, FRAMES - 1))]
    timeline = timeline_of(ranges, data.draw(st.sampled_from([*TIME_BASES])))
    name = data.draw(st.sampled_from(["vtt", "srt", "csv", "edl", "otio"]))
    assert READERS[name](export_text(timeline, name), timeline) == ranges


def test_a_page_is_one_file_without_scripts_that_run() -> None:
    page = export_text(timeline_of(RANGES, "mp4"), "html")
    assert "http" not in page
    assert re.findall("<script[^>]*>", page) == ['<script type="application/json" id="timeline">']
