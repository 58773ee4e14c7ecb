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
from pyarrow import parquet

from exact.place import Place
from tests.rows.export_readers import (
    READERS,
    Found,
    Frames,
    chapters_of,
    content_of,
    export_text,
    matroska_chapters_of,
    read_graph,
    read_ranges,
    subtitles_of,
)
from timeline.errors import TimelineError
from timeline.export.formats import (
    FORMATS,
    Entry,
    ExportedTimeline,
    exported_together,
    smoothed,
)
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
        examined=(pts_of(0, container), pts_of(FRAMES, container)),
        missing=(),
        entries=[
            Entry(label, pts_of(start, container), pts_of(end, container), 0.875)
            for label, start, end in ranges
        ],
        width=720,
        height=480,
        picture_width=640,
        picture_height=480,
        series="=An <odd> series",
        season=1,
        number=2,
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


def written(timeline: ExportedTimeline, name: str, folder: Path) -> Path:
    path = folder / "episode"
    path.write_bytes(content_of(timeline, name))
    return path


@pytest.mark.parametrize("container", TIME_BASES)
@pytest.mark.parametrize("name", READERS)
def test_an_export_is_read_back_to_the_frame(name: str, container: str, tmp_path: Path) -> None:
    path = written(timeline_of(RANGES, container), name, tmp_path)
    found = READERS[name](path, frames_of(container))
    assert (sorted(found, key=itemgetter(1)) if name == "rttm" else found) == RANGES


def test_there_is_a_reader_of_every_format() -> None:
    """A graph and COCO's boxes have tests of their own, and so have clips, which are no text."""
    assert {*READERS, "graphml", "coco"} == {*FORMATS}


@pytest.mark.parametrize("container", TIME_BASES)
def test_chapters_are_read_back_by_ffmpeg_exactly(container: str, tmp_path: Path) -> None:
    timeline = replace(
        timeline_of(RANGES, container),
        missing=[(pts_of(300, container), pts_of(310, container))],
    )
    chapters = [
        ("ned_flanders", 0, 24),
        ("homer_simpson, ned_flanders", 24, 36),
        ("homer_simpson", 36, 119),
        ("ned_flanders", 119, 240),
        ("nobody known", 240, 300),
        ("not examined", 300, 310),
        ("nobody known", 310, 2400),
        ("homer_simpson", 2400, FRAMES),
    ]
    path = written(timeline, "chapters", tmp_path)
    assert chapters_of(path, frames_of(container)) == chapters
    path = written(timeline, "matroska", tmp_path)
    assert matroska_chapters_of(path, frames_of(container)) == chapters


def test_chapters_of_a_least_length_are_told_by_who_is_longest_on_screen() -> None:
    ten_seconds = replace(
        timeline_of([*RANGES, ("moe", 2860, FRAMES)], "mp4"), shortest_chapter_seconds=Fraction(10)
    )
    # 240 frames of film last 10.01 s: those who come in them are Ned for 157 and Homer for 95. From
    # 2400 on, Homer is alone for more than ten seconds; Moe's 20 frames at the end join them.
    lines = export_text(ten_seconds, "chapters").splitlines()
    assert [line for line in lines if line.startswith(("START", "title"))] == [
        "START=0",
        "title=ned_flanders, homer_simpson",
        f"START={240 * 1001}",
        "title=nobody known",
        f"START={2400 * 1001}",
        "title=homer_simpson, moe",
    ]


def test_subtitles_show_at_each_moment_one_cue_with_all_names(tmp_path: Path) -> None:
    timeline = replace(
        timeline_of(RANGES[:3], "mp4"), names={"ned_flanders": "Ned  Flanders\n(Jr.)"}
    )
    path = written(timeline, "srt", tmp_path)
    assert subtitles_of(path, frames_of("mp4")) == [
        (0, 24, ["Ned Flanders (Jr.)"]),
        (24, 36, ["Ned Flanders (Jr.)", "homer_simpson"]),
        (36, 119, ["homer_simpson"]),
        (119, 240, ["Ned Flanders (Jr.)"]),
    ]


def test_a_graph_tells_who_is_on_screen_with_whom(tmp_path: Path) -> None:
    first = timeline_of([("ned", 0, 48), ("homer", 24, 72), ("ned", 60, 96)], "mp4")
    second = replace(timeline_of([("ned", 0, 24), ("homer", 12, 24), ("moe", 48, 60)], "mp4"))
    path = tmp_path / "graph"
    path.write_bytes(b"".join(exported_together([first, second], "graphml")))
    graph = read_graph(path)
    step = 1001 / 24000
    assert dict(graph.nodes(data=True)) == {
        "homer": {"name": "homer", "seconds": pytest.approx(60 * step)},
        "moe": {"name": "moe", "seconds": pytest.approx(12 * step)},
        "ned": {"name": "ned", "seconds": pytest.approx((48 + 36 + 24) * step)},
    }
    # Together in frames 24 to 47 and 60 to 71 of one episode, and 12 to 23 of the other.
    assert [*graph.edges(data=True)] == [
        ("homer", "ned", {"seconds": pytest.approx(48 * step), "times": 3, "episodes": 2})
    ]


def test_tables_of_several_episodes_name_them_and_tell_the_confidence(tmp_path: Path) -> None:
    first = timeline_of([("ned", 0, 24)], "mp4")
    second = replace(
        first, name="=S02.mkv", series=None, season=None, number=None, title="The Pilot, Part 1"
    )
    text = b"".join(exported_together([first, second], "csv")).decode()
    rows = [*csv.DictReader(text.splitlines())]
    columns = ("episode", "series", "season", "number", "title", "confidence")
    assert [tuple(row[name] for name in columns) for row in rows] == [
        ("An <odd> episode, S01E02.mkv", "'=An <odd> series", "1", "2", "", "0.875"),
        ("'=S02.mkv", "", "", "", "The Pilot, Part 1", "0.875"),
    ]
    path = tmp_path / "both.parquet"
    path.write_bytes(b"".join(exported_together([first, second], "parquet")))
    table = parquet.read_table(path)
    assert table.select([*columns, "end_pts", "model"]).to_pylist() == [
        dict(zip((*columns, "end_pts", "model"), row, strict=True))
        for row in (
            (
                "An <odd> episode, S01E02.mkv",
                "=An <odd> series",
                1,
                2,
                None,
                0.875,
                24024,
                "cast@1",
            ),
            ("=S02.mkv", None, None, None, "The Pilot, Part 1", 0.875, 24024, "cast@1"),
        )
    ]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_lists_of_episodes_are_whole_documents(count: int) -> None:
    timelines = [timeline_of(RANGES, "mp4")] * count
    listed = json.loads(b"".join(exported_together(timelines, "json")))
    assert [each["season"] for each in listed] == [1] * count
    manifest = json.loads(b"".join(exported_together(timelines, "iiif")))
    assert len(manifest["items"]) == count
    assert b"".join(exported_together(timelines, "csv")).count(b"\n") == 1 + 4 * count


def test_short_gaps_are_filled_before_short_ranges_are_left_out() -> None:
    entries = [
        Entry("ned", 0, 10, 0.5),
        Entry("homer", 5, 30, 0.6),
        Entry("ned", 12, 20, 0.7),
        Entry("moe", 30, 36, 0.8),
        Entry("ned", 40, 43, 0.9),
        Entry("ned", 45, 50, 0.9),
    ]
    found = smoothed(entries, [(0, 44), (45, 60)], Fraction(2), Fraction(6))
    # Nobody looked from 44 to 45: what stands beside it stays apart, and is too short.
    assert found == [Entry("ned", 0, 20), Entry("homer", 5, 30, 0.6), Entry("moe", 30, 36, 0.8)]


def test_what_xml_has_no_way_to_write_is_replaced(tmp_path: Path) -> None:
    timeline = replace(timeline_of([("ned", 0, 24)], "mp4"), names={"ned": "N\x1b[31m & <Ned>"})
    for name in ("eaf", "matroska", "graphml"):
        assert "N\ufffd[31m &amp; &lt;Ned&gt;" in export_text(timeline, name), name


MIDDLE = Place(0.5, 0.4375, 0.25, 0.625)


@pytest.mark.parametrize("place", [MIDDLE, None])
def test_places_come_back_from_json_csv_and_the_page(place: Place | None, tmp_path: Path) -> None:
    timeline = replace(timeline_of([], "mp4"), entries=[Entry("ned", 1001, 9009, 0.875, place)])
    shares = {"x": 0.5, "y": 0.4375, "width": 0.25, "height": 0.625} if place else None
    for name in ("json", "html"):
        path = written(timeline, name, tmp_path)
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
    for name in (
        "json",
        "csv",
        "vtt",
        "srt",
        "html",
        "otio",
        "fcpxml",
        "chapters",
        "matroska",
        "eaf",
    ):
        path = written(timeline, name, tmp_path)
        assert READERS[name](path, frames_of("mp4")) == [(odd, 10, 20)], name


@pytest.mark.parametrize(
    "name", [name for name in FORMATS if name not in ("edl", "coco", "graphml")]
)
def test_a_timeline_with_nobody_in_it_is_written(name: str, tmp_path: Path) -> None:
    path = written(timeline_of([], "mp4"), name, tmp_path)
    assert READERS[name](path, frames_of("mp4")) == []


@pytest.mark.parametrize("name", ["json", "html", "otio", "edl", "fcpxml", "iiif"])
def test_an_episode_on_shared_storage_is_named_by_its_url(name: str, tmp_path: Path) -> None:
    url = "s3://media/season 1/pilot.mkv"
    path = written(replace(timeline_of(RANGES, "mp4"), path=url), name, tmp_path)
    assert url in path.read_text()
    assert READERS[name](path, frames_of("mp4")) == RANGES


def test_a_varying_rate_is_refused_where_frames_are_numbered(tmp_path: Path) -> None:
    timeline = replace(timeline_of(RANGES, "mp4"), rate_varies=True)
    for name in ("otio", "edl", "fcpxml"):
        with pytest.raises(TimelineError, match="frame rate varies"):
            export_text(timeline, name)
    path = written(timeline, "json", tmp_path)
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
    path = written(timeline, "otio", tmp_path)
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
    name = data.draw(
        st.sampled_from(
            ["vtt", "srt", "csv", "edl", "otio", "chapters", "matroska", "eaf", "iiif", "parquet"]
        )
    )
    path = written(timeline_of(ranges, container), name, folder)
    assert READERS[name](path, frames_of(container)) == ranges


def test_a_page_is_one_file_without_scripts_that_run() -> None:
    page = export_text(timeline_of(RANGES, "mp4"), "html")
    assert "http" not in page
    assert re.findall("<script[^>]*>", page) == ['<script type="application/json" id="timeline">']
