"""Each export format, read back by a parser that somebody else wrote, to the frame."""

import csv
import json
import re
from dataclasses import replace
from fractions import Fraction
from functools import cache
from html import escape
from operator import itemgetter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exact.place import Place
from tests.rows.export_readers import READERS, Found, Frames, chapters_of, read_ranges
from timeline.errors import TimelineError
from timeline.export.formats import FORMATS, Entry, ExportedTimeline, export_text
from timeline.scoring.truth import read_truth

FILM = Fraction(24000, 1001)
FRAMES = 2880
"""About two minutes."""

TIME_BASES = {
    "mp4": Fraction(1, 24000),  # each frame takes 1001
    "matroska with a late start": Fraction(1, 1000),  # times are rounded to milliseconds
}
STARTS = {"mp4": 0, "matroska with a late start": 5005}

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
        picture_width=640,
        picture_height=480,
        sampled_pts=[pts_of(frame, container) for frame in range(0, FRAMES, 12)],
        sightings=(),
    )


@cache
def times_of(container: str) -> list[Fraction]:
    """Seconds from the first frame at which each frame comes on screen."""
    first = pts_of(0, container)
    return [
        (pts_of(frame, container) - first) * TIME_BASES[container] for frame in range(FRAMES + 1)
    ]


def frames_of(container: str) -> Frames:
    return Frames(FILM, times_of(container))


def written(text: str, folder: Path) -> Path:
    path = folder / "episode"
    path.write_text(text)
    return path


@pytest.mark.parametrize("container", TIME_BASES)
@pytest.mark.parametrize("name", READERS)
def test_an_export_is_read_back_to_the_frame(name: str, container: str, tmp_path: Path) -> None:
    path = written(export_text(timeline_of(RANGES, container), name), tmp_path)
    found = READERS[name](path, frames_of(container))
    assert (sorted(found, key=itemgetter(1)) if name == "rttm" else found) == RANGES


@pytest.mark.parametrize("container", TIME_BASES)
def test_chapters_are_read_back_by_ffmpeg_exactly(container: str, tmp_path: Path) -> None:
    timeline = replace(
        timeline_of(RANGES, container),
        missing=[(pts_of(300, container), pts_of(310, container))],
    )
    path = written(export_text(timeline, "chapters"), tmp_path)
    assert chapters_of(path, frames_of(container)) == [
        ("ned_flanders", 0, 24),
        ("homer_simpson, ned_flanders", 24, 36),
        ("homer_simpson", 36, 119),
        ("ned_flanders", 119, 240),
        ("nobody known", 240, 300),
        ("not examined", 300, 310),
        ("nobody known", 310, 2400),
        ("homer_simpson", 2400, FRAMES),
    ]


MIDDLE = Place(0.5, 0.4375, 0.25, 0.625)


@pytest.mark.parametrize("place", [MIDDLE, None])
def test_places_come_back_from_json_csv_and_the_page(place: Place | None, tmp_path: Path) -> None:
    timeline = replace(timeline_of([], "mp4"), entries=[Entry("ned", 1001, 9009, 0.875, place)])
    shares = {"x": 0.5, "y": 0.4375, "width": 0.25, "height": 0.625} if place else None
    for name in ("json", "html"):
        path = written(export_text(timeline, name), tmp_path)
        assert [each["place"] for each in read_ranges(path, name)] == [shares], name
    [row] = csv.DictReader(export_text(timeline, "csv").splitlines())
    assert [row[f"place_{side}"] for side in ("x", "y", "width", "height")] == (
        ["0.5", "0.4375", "0.25", "0.625"] if place else [""] * 4
    )
    drawn = re.findall('class="place" style="([^"]*)"', export_text(timeline, "html"))
    assert drawn == (["left:37.50%;top:12.50%;width:25.00%;height:62.50%"] if place else [])


def test_a_csv_export_is_a_truth_file(tmp_path: Path) -> None:
    path = tmp_path / "episode.csv"
    path.write_text(export_text(timeline_of(RANGES, "mp4"), "csv"))
    assert [entry.label for entry in read_truth(path)] == [label for label, _, _ in RANGES]


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@sum", "\uff1d1", "שלום (1)", "<b>Ned</b>"])
def test_names_stand_beside_labels_and_no_spreadsheet_computes_them(name: str) -> None:
    timeline = replace(timeline_of([("ned", 10, 20)], "mp4"), names={"ned": name})
    [row] = csv.DictReader(export_text(timeline, "csv").splitlines())
    guard = "" if name[0] in "ש<" else "'"
    assert (row["label"], row["name"]) == ("ned", guard + name)
    [each] = json.loads(export_text(timeline, "json"))["ranges"]
    assert (each["label"], each["name"]) == ("ned", name)
    page = export_text(timeline, "html")
    assert page.count(f'dir="auto">{escape(name)}<') == 2
    assert export_text(timeline, "srt").splitlines()[2] == name


def test_labels_that_mean_something_in_a_format_come_back(tmp_path: Path) -> None:
    odd = "a --> b; <i>#=\\ & 'c'"
    timeline = timeline_of([(odd, 10, 20)], "mp4")
    for name in ("json", "csv", "vtt", "srt", "html", "otio", "fcpxml", "chapters"):
        path = written(export_text(timeline, name), tmp_path)
        assert READERS[name](path, frames_of("mp4")) == [(odd, 10, 20)], name


@pytest.mark.parametrize("name", [name for name in FORMATS if name not in ("edl", "coco")])
def test_a_timeline_with_nobody_in_it_is_written(name: str, tmp_path: Path) -> None:
    path = written(export_text(timeline_of([], "mp4"), name), tmp_path)
    assert READERS[name](path, frames_of("mp4")) == []


@pytest.mark.parametrize("name", ["json", "html", "otio", "edl", "fcpxml"])
def test_an_episode_on_shared_storage_is_named_by_its_url(name: str, tmp_path: Path) -> None:
    url = "s3://media/season 1/pilot.mkv"
    text = export_text(replace(timeline_of(RANGES, "mp4"), path=url), name)
    assert url in text
    assert READERS[name](written(text, tmp_path), frames_of("mp4")) == RANGES


def test_a_varying_rate_is_refused_where_frames_are_numbered(tmp_path: Path) -> None:
    timeline = replace(timeline_of(RANGES, "mp4"), rate_varies=True)
    for name in ("otio", "edl", "fcpxml"):
        with pytest.raises(TimelineError, match="frame rate varies"):
            export_text(timeline, name)
    path = written(export_text(timeline, "json"), tmp_path)
    assert READERS["json"](path, frames_of("mp4")) == RANGES


def test_an_edl_of_nothing_or_of_a_rate_without_timecode_is_refused() -> None:
    with pytest.raises(TimelineError, match="needs a range"):
        export_text(timeline_of([], "mp4"), "edl")
    timeline = replace(timeline_of(RANGES, "mp4"), frame_rate=Fraction(12))
    with pytest.raises(TimelineError, match="12 frames per second"):
        export_text(timeline, "edl")


@pytest.mark.parametrize("rate", ["10", "12", "25/2", "15"])
def test_otio_takes_the_rates_that_timecode_lacks_and_the_others_say_so(
    rate: str, tmp_path: Path
) -> None:
    step = 1 / Fraction(rate)
    timeline = replace(
        timeline_of([], "mp4"),
        time_base=step,
        start_pts=0,
        end_pts=30,
        frame_rate=Fraction(rate),
        entries=[Entry("ned", 6, 20)],
    )
    for name in ("edl", "fcpxml"):
        with pytest.raises(TimelineError, match=r"; export otio$"):
            export_text(timeline, name)
    path = written(export_text(timeline, "otio"), tmp_path)
    frames = Frames(Fraction(rate), [number * step for number in range(31)])
    assert READERS["otio"](path, frames) == [("ned", 6, 20)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("exports")


@settings(max_examples=50)
@given(start=st.integers(0, FRAMES - 2), length=st.integers(1, 300), data=st.data())
def test_any_range_comes_back_to_the_frame(
    folder: Path, start: int, length: int, data: st.DataObject
) -> None:
    ranges = [("ned", start, min(start + length, FRAMES - 1))]
    container = data.draw(st.sampled_from([*TIME_BASES]))
    name = data.draw(st.sampled_from(["vtt", "srt", "csv", "edl", "otio", "chapters"]))
    path = written(export_text(timeline_of(ranges, container), name), folder)
    assert READERS[name](path, frames_of(container)) == ranges


def test_a_page_is_one_file_without_scripts_that_run() -> None:
    page = export_text(timeline_of(RANGES, "mp4"), "html")
    assert "http" not in page
    assert re.findall("<script[^>]*>", page) == ['<script type="application/json" id="timeline">']
