"""Subtitles and ELAN's annotations as truth, beside others' parsers and writers."""

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from pathlib import Path

import pandas as pd
import pytest
import srt
import webvtt
from hypothesis import given
from hypothesis import strategies as st
from pyannote.core import Annotation, Segment
from pympi.Elan import Eaf

from tests.rows.export_readers import content_of
from tests.unit.timeline.test_export import RANGES, frames_of, timeline_of
from timeline.errors import TimelineError
from timeline.export.formats import FORMATS, exported_together
from timeline.scoring.truth import LabelledRange, read_truth, write_truth

SUFFIXES = {name: FORMATS[name].suffix for name in ("csv", "rttm", "vtt", "srt", "eaf")}

TIMES = st.integers(0, 4 * 3600 * 1000 - 2)
"""Milliseconds."""


@pytest.mark.parametrize("container", ["mp4", "matroska with a late start"])
@pytest.mark.parametrize("name", SUFFIXES)
def test_an_export_is_a_truth_to_the_frame(name: str, container: str, tmp_path: Path) -> None:
    path = tmp_path / f"episode{SUFFIXES[name]}"
    path.write_bytes(content_of(timeline_of(RANGES, container), name))
    frames = frames_of(container)
    found: dict[str, set[int]] = {}
    for each in read_truth(path):
        inside = range(*frames.within(each.start_seconds, each.end_seconds))
        found.setdefault(each.label, set()).update(inside)
    assert found == {
        "ned_flanders": {*range(36), *range(119, 240)},
        "homer_simpson": {*range(24, 119), *range(2400, 2880)},
    }


@pytest.mark.parametrize("name", SUFFIXES)
def test_an_export_with_nobody_in_it_is_a_truth(name: str, tmp_path: Path) -> None:
    path = tmp_path / f"episode{SUFFIXES[name]}"
    path.write_bytes(content_of(timeline_of([], "mp4"), name))
    assert read_truth(path) == []


@given(cues=st.lists(st.tuples(TIMES, st.integers(1, 9000), st.sampled_from(["ned", "Dr. Nick"]))))
def test_subtitles_are_read_as_other_parsers_read_them(
    cues: list[tuple[int, int, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("subtitles")
    expected = [
        LabelledRange(name, Fraction(start, 1000), Fraction(start + length, 1000))
        for start, length, name in sorted(cues)
    ]
    lines = [
        srt.Subtitle(
            None, timedelta(milliseconds=start), timedelta(milliseconds=start + length), name
        )
        for start, length, name in sorted(cues)
    ]
    (folder / "truth.srt").write_text(srt.compose(lines, reindex=True))
    assert read_truth(folder / "truth.srt") == expected
    written = webvtt.WebVTT()
    for start, length, name in sorted(cues):
        written.captions.append(webvtt.Caption(_clock(start), _clock(start + length), name))
    written.save(str(folder / "truth.vtt"))
    assert read_truth(folder / "truth.vtt") == expected


def _clock(milliseconds: int) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:03}"


def test_a_cue_may_have_settings_several_names_and_escapes(tmp_path: Path) -> None:
    path = tmp_path / "truth.vtt"
    path.write_text(
        "WEBVTT\n\nNOTE by hand\n\nfirst\n00:01.000 --> 00:02.500 line:0 align:start\n"
        'Itchy &amp; Scratchy\nned\n\n00:00:03.000 --> 00:00:04.000\n{"label": "moe"}\n'
    )
    assert read_truth(path) == [
        LabelledRange("Itchy & Scratchy", Fraction(1), Fraction(5, 2)),
        LabelledRange("ned", Fraction(1), Fraction(5, 2)),
        LabelledRange("moe", Fraction(3), Fraction(4)),
    ]


def test_annotations_that_another_program_wrote_are_read(tmp_path: Path) -> None:
    written = Eaf()
    written.add_tier("ned")
    written.add_annotation("ned", 1000, 2500)
    written.add_tier("who")
    written.add_annotation("who", 500, 750, "Dr. Nick")
    path = tmp_path / "truth.eaf"
    written.to_file(str(path))
    assert sorted(read_truth(path), key=lambda each: each.start_seconds) == [
        LabelledRange("Dr. Nick", Fraction(1, 2), Fraction(3, 4)),
        LabelledRange("ned", Fraction(1), Fraction(5, 2)),
    ]


def test_tables_that_other_programs_wrote_are_read(tmp_path: Path) -> None:
    """A data frame of pandas, with columns of its own, and an annotation of pyannote."""
    rows = pd.DataFrame(
        {
            "label": ["Dr. Nick", 'say "ned", son'],
            "start_seconds": [0.5, 1.0],
            "end_seconds": [0.75, 2.5],
            "note": [None, "both, here"],
        }
    )
    rows.to_csv(tmp_path / "truth.csv", index=False)
    assert read_truth(tmp_path / "truth.csv") == [
        LabelledRange("Dr. Nick", Fraction(1, 2), Fraction(3, 4)),
        LabelledRange('say "ned", son', Fraction(1), Fraction(5, 2)),
    ]
    told = Annotation(uri="pilot")
    told[Segment(0.5, 0.75)] = "nick"
    told[Segment(1, 2.5)] = "ned"
    with (tmp_path / "truth.rttm").open("w") as file:
        told.write_rttm(file)
    assert read_truth(tmp_path / "truth.rttm") == [
        LabelledRange("nick", Fraction(1, 2), Fraction(3, 4)),
        LabelledRange("ned", Fraction(1), Fraction(5, 2)),
    ]


def test_a_truth_that_was_written_is_read_by_pandas(tmp_path: Path) -> None:
    path = tmp_path / "truth.csv"
    write_truth(path, [LabelledRange('say "ned", son', Fraction(1), Fraction(5, 2))])
    assert pd.read_csv(path).to_dict("records") == [
        {"label": 'say "ned", son', "start_seconds": 1.0, "end_seconds": 2.5}
    ]


BAD = {
    "a cue without an end": ("a.srt", "1\n00:00:01,000 -->\nned\n", "a.srt:2: .* has no two times"),
    "a cue that ends before it starts": (
        "a.vtt",
        "WEBVTT\n\n00:02.000 --> 00:01.000\nned\n",
        "a.vtt:3: range of ned",
    ),
    "no subtitles": ("a.srt", "label,start_seconds,end_seconds\n", "no cue"),
    "no XML": ("a.eaf", "ned", "not an XML text"),
    "another XML": ("a.eaf", "<eaf/>", "holds <eaf>"),
    "entities": ("a.eaf", "<!DOCTYPE a [<!ENTITY b 'c'>]><a/>", "declares a document type"),
    "an annotation without times": (
        "a.eaf",
        (
            "<ANNOTATION_DOCUMENT><TIME_ORDER><TIME_SLOT TIME_SLOT_ID='t'/></TIME_ORDER>"
            "<TIER TIER_ID='ned'><ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID='a1'"
            " TIME_SLOT_REF1='t' TIME_SLOT_REF2='t'/></ANNOTATION></TIER></ANNOTATION_DOCUMENT>"
        ),
        "annotation a1 of ned has no time",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_read_says_where(case: str, tmp_path: Path) -> None:
    name, text, message = BAD[case]
    (tmp_path / name).write_text(text)
    with pytest.raises(TimelineError, match=message):
        read_truth(tmp_path / name)


@pytest.mark.parametrize("name", ["csv", "rttm"])
def test_of_a_file_of_several_episodes_those_of_one_count(name: str, tmp_path: Path) -> None:
    first = timeline_of([("ned", 0, 24)], "mp4")
    second = replace(first, name="=second one.mkv", entries=timeline_of(RANGES, "mp4").entries)
    path = tmp_path / f"both.{name}"
    path.write_bytes(b"".join(exported_together([first, second], name)))
    assert len(read_truth(path, first.name)) == 1
    assert len(read_truth(path, second.name)) == 4
    with pytest.raises(TimelineError, match="and not of third"):
        read_truth(path, "third.mkv")
    assert len(read_truth(path, "B/second.mkv", second.name)) == 4, "by any of its names"
    with pytest.raises(TimelineError, match="keep one of them"):
        read_truth(path)
