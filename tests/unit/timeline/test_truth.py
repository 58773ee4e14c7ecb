"""Truth files."""

import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timeline.errors import TimelineError
from timeline.scoring.truth import LabelledRange, read_truth, write_truth

HEAD = "label,start_seconds,end_seconds\n"


def test_a_truth_file_is_read_in_the_order_of_its_rows(tmp_path: Path) -> None:
    path = tmp_path / "truth.csv"
    path.write_text(HEAD + ",0.000000,1.960292\nbolt,1.960292,4.5\nmossy,01:30,00:01:32.250\n\n")
    assert read_truth(path) == [
        LabelledRange("", Fraction(0), Fraction(1960292, 10**6)),
        LabelledRange("bolt", Fraction(1960292, 10**6), Fraction(9, 2)),
        LabelledRange("mossy", Fraction(90), Fraction(369, 4)),
    ]


def test_a_file_saved_by_a_spreadsheet_is_read(tmp_path: Path) -> None:
    path = tmp_path / "truth.csv"
    path.write_bytes(b"\xef\xbb\xbf" + HEAD.replace("\n", "\r\n").encode() + b'"bolt, jr",0,1\r\n')
    assert read_truth(path) == [LabelledRange("bolt, jr", Fraction(0), Fraction(1))]


def test_columns_after_the_three_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "truth.csv"
    path.write_text(HEAD.replace("\n", ",place_x,note\n") + "bolt,0,1,0.5,\nmossy,1,2,,seen\n")
    assert read_truth(path) == [
        LabelledRange("bolt", Fraction(0), Fraction(1)),
        LabelledRange("mossy", Fraction(1), Fraction(2)),
    ]
    path.write_text(HEAD.replace("\n", ",place_x\n") + "bolt,0,1\n")
    with pytest.raises(TimelineError, match="3 fields, but the first line has 4"):
        read_truth(path)


@pytest.mark.parametrize("name", ["truth.csv", "truth.rttm"])
def test_a_named_pipe_into_which_nobody_writes_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    os.mkfifo(path)
    with pytest.raises(TimelineError, match="not a regular file"):
        read_truth(path)


@pytest.mark.parametrize("name", ["truth.csv", "truth.rttm"])
def test_a_file_that_would_fill_memory_is_refused_before_it_is_read(
    tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    with path.open("wb") as file:
        file.truncate(10**12)
    with pytest.raises(TimelineError, match="more than 64 MB; is this the file you meant"):
        read_truth(path)


@pytest.mark.parametrize("kind", [Path.mkdir, lambda path: path.symlink_to("/dev/zero")])
def test_what_is_no_file_or_has_no_end_is_refused(
    tmp_path: Path, kind: Callable[[Path], None]
) -> None:
    path = tmp_path / "truth.csv"
    kind(path)
    with pytest.raises(TimelineError, match=r"truth.csv: (is not a regular file|cannot be read)"):
        read_truth(path)


@pytest.mark.parametrize(
    ("rows", "line", "says"),
    [
        ("bolt,0,1\nbolt,2,1\n", 3, "end after its start"),
        ("bolt,1,1\n", 2, "end after its start"),
        ("bolt,0,soon\n", 2, "'soon' is not a time"),
        ("bolt,-1,1\n", 2, "'-1' is not a time"),
        ("bolt,0," + "9" * 400 + "\n", 2, "is not a time"),
        ("bolt,0\n", 2, "2 fields"),
        ("bolt,0,1,2\n", 2, "4 fields"),
    ],
)
def test_a_line_that_cannot_be_used_is_named(
    tmp_path: Path, rows: str, line: int, says: str
) -> None:
    path = tmp_path / "truth.csv"
    path.write_text(HEAD + rows)
    with pytest.raises(TimelineError) as caught:
        read_truth(path)
    assert str(caught.value).startswith(f"{path}:{line}: ")
    assert says in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"start,end,label\n0,1,bolt\n", b"bolt,0,1\n"])
def test_a_file_without_the_columns_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "truth.csv"
    path.write_bytes(content)
    with pytest.raises(TimelineError, match=r"truth\.csv:1: .*label,start_seconds,end_seconds"):
        read_truth(path)


RTTM = "SPEAKER pilot 1 0 1.5 <NA> <NA> bolt <NA> <NA>\n"


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "byte order mark"])
def test_every_line_speaker_of_rttm_is_read_and_no_other(tmp_path: Path, mark: bytes) -> None:
    path = tmp_path / "truth.rttm"
    info = "SPKR-INFO pilot 1 <NA> <NA> <NA> unknown mossy <NA> <NA>\n"
    path.write_bytes(mark + (RTTM + info + RTTM.replace("0 1.5", "2 1")).encode())
    assert read_truth(path) == [
        LabelledRange("bolt", Fraction(0), Fraction(3, 2)),
        LabelledRange("bolt", Fraction(2), Fraction(3)),
    ]


@pytest.mark.parametrize("content", ["not an rttm\n", HEAD + "bolt,0,1\n", RTTM.lower()])
def test_rttm_without_a_line_speaker_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "truth.rttm"
    path.write_text(content)
    with pytest.raises(TimelineError, match=r"truth\.rttm: no line SPEAKER"):
        read_truth(path)


@pytest.mark.parametrize("content", ["", "\n \n"])
def test_empty_rttm_says_that_nobody_known_is_on_screen(tmp_path: Path, content: str) -> None:
    path = tmp_path / "truth.rttm"
    path.write_text(content)
    assert read_truth(path) == []


def test_what_is_no_text_or_no_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "truth.csv"
    path.write_bytes(HEAD.encode() + b"\xff\xfe\x00,0,1\n")
    with pytest.raises(TimelineError, match="UTF-8"):
        read_truth(path)
    with pytest.raises(TimelineError, match="absent"):
        read_truth(tmp_path / "absent.csv")
    with pytest.raises(TimelineError, match="cannot be read"):
        read_truth(tmp_path)


times = st.integers(min_value=0, max_value=10**10).map(lambda number: Fraction(number, 10**6))
labels = st.text(st.characters(exclude_categories=["C", "Z"]), max_size=8)


@given(entries=st.lists(st.tuples(labels, times, st.integers(1, 10**9))))
def test_ranges_in_whole_microseconds_survive_a_round_trip(
    tmp_path_factory: pytest.TempPathFactory, entries: list[tuple[str, Fraction, int]]
) -> None:
    ranges = [
        LabelledRange(label, start, start + Fraction(length, 10**6))
        for label, start, length in entries
    ]
    path = tmp_path_factory.mktemp("truth") / "truth.csv"
    write_truth(path, ranges)
    assert read_truth(path) == ranges


def test_the_frame_that_starts_a_range_stays_inside_it_when_written(tmp_path: Path) -> None:
    path = tmp_path / "truth.csv"
    border = 47 * Fraction(1001, 24000)  # 1.96029166...
    write_truth(
        path, [LabelledRange("a", Fraction(0), border), LabelledRange("b", border, border * 2)]
    )
    assert path.read_text() == HEAD + "a,0.000000,1.960291\nb,1.960291,3.920583\n"
    first, second = read_truth(path)
    assert first.end_seconds == second.start_seconds <= border


def test_a_truth_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "truth.csv"
    path.write_text("old")
    moment = LabelledRange("a", Fraction(1), Fraction(1) + Fraction(1, 10**7))
    with pytest.raises(TimelineError, match="shorter than a microsecond"):
        write_truth(path, [moment])
    with pytest.raises(TimelineError, match="cannot be written"):
        write_truth(tmp_path / "absent" / "truth.csv", [])
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
