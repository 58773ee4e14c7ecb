"""Figures of a timeline beside a small table that was computed by hand, and beside pyannote.

The table: an episode of 20 s at 2 frames a second, so 40 frames.

    seconds   0   2   4   6   8   10  12  14  16  18  20
    truth     A   A   AB  AB  B   -   -   C   C   C          A 0-8, B 4-10, C 14-20
    found     -   A   A   AB  B   B   A   C   C   -          A 2-8, B 6-12, A 12-14, C 14-18

A is found in 2-8 and is there in 0-8: 12 frames right, 4 missed; 12-14 makes 4 false ones.
B is found in 6-10 of 4-10: 8 right, 4 missed; 10-12 makes 4 false ones.
C is found in 14-18 of 14-20: 8 right, 4 missed, none false.

    label  right  false  missed  precision     recall        F1
    A      12     4      4       12/16 = 3/4   12/16 = 3/4   24/32 = 3/4
    B      8      4      4       8/12 = 2/3    8/12 = 2/3    16/24 = 2/3
    C      8      0      4       8/8 = 1       8/12 = 2/3    16/20 = 4/5
    micro  28     8      12      28/36 = 7/9   28/40 = 7/10  56/76 = 14/19
    macro                        29/36         25/36         133/180

Seconds, of 8 + 6 + 6 = 20 that are there: in 0-2 A is missed, in 4-6 B, in 18-20 C: 6. In 10-12 B
and in 12-14 A are false alarms: 4. Nothing is confused. So (6 + 4) / 20 = 1/2.

IoU of the appearances: A 2-8 on 0-8 is 6/8 = 0.75, B 6-12 on 4-10 is 4/8 = 0.5, C 14-18 on 14-20
is 4/6 = 0.67; A 12-14 is on nothing. With confidences 0.9, 0.8, 0.7 and 0.95 (the false A):
A's curve is false, right: precision 1/2 at recall 1, so 1/2, up to an IoU of 0.75. B's is 1 at an
IoU of 0.5, and 0 above; C's is 1 up to 0.65, and 0 above.
At 0.5: (1/2 + 1 + 1) / 3 = 5/6. At 0.55, 0.6, 0.65: (1/2 + 0 + 1) / 3 = 1/2 each. At 0.7, 0.75:
1/6 each. Above: 0. The mean of ten: (5/6 + 3/2 + 1/3) / 10 = 4/15.

Borders: A 2-8 matches 0-8 and C 14-18 matches 14-20, as their IoU is above one half; B does not.
Of the true borders 8 (A), 4 and 10 (B) and 14 (C), those of A and C are exact. 0 and 20 are the
episode's own.

Screen time: A 8 found of 8, B 6 of 6, C 4 of 6: 2 s of error in 20, so 1/10.
Nobody is on screen in 10-14, 8 frames, and in all of them somebody was found.
"""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyannote.core import Annotation, Segment, Timeline
from pyannote.metrics.identification import IdentificationErrorRate

from timeline.errors import TimelineError
from timeline.scoring.borders import BorderErrors, border_errors
from timeline.scoring.detection import Detection
from timeline.scoring.evaluation import evaluate_timeline
from timeline.scoring.identification import (
    IdentificationErrors,
    identification_errors,
    label_sets,
    scored_seconds,
)
from timeline.scoring.truth import LabelledRange, read_truth


def _range(label: str, start: int | Fraction, end: int | Fraction) -> LabelledRange:
    return LabelledRange(label, Fraction(start), Fraction(end))


TRUTH = [
    _range("a", 0, 4),
    _range("a", 4, 8),  # a shot of its own
    _range("b", 4, 10),
    _range("", 10, 14),
    _range("c", 14, 20),
]
FOUND = [
    Detection(_range("a", 2, 8), 0.9),
    Detection(_range("b", 6, 12), 0.8),
    Detection(_range("a", 12, 14), 0.95),
    Detection(_range("c", 14, 18), 0.7),
]


def test_all_figures_agree_with_the_table_by_hand() -> None:
    result = evaluate_timeline(TRUTH, FOUND, Fraction(20), Fraction(2))
    frames = result.frames
    assert frames.samples == 40
    assert {
        label: (counts.true_positives, counts.false_positives, counts.false_negatives)
        for label, counts in frames.per_label.items()
    } == {"a": (12, 4, 4), "b": (8, 4, 4), "c": (8, 0, 4)}
    assert [counts.f1 for counts in frames.per_label.values()] == pytest.approx(
        [3 / 4, 2 / 3, 4 / 5]
    )
    micro = (frames.micro_precision, frames.micro_recall, frames.micro_f1)
    assert micro == pytest.approx((7 / 9, 7 / 10, 14 / 19))
    macro = (frames.macro_precision, frames.macro_recall, frames.macro_f1)
    assert macro == pytest.approx((29 / 36, 25 / 36, 133 / 180))
    assert (frames.samples_with_nobody, frames.false_tag_samples) == (8, 8)
    assert result.errors == IdentificationErrors(*map(Fraction, (20, 14, 0, 6, 4)))
    assert result.errors.rate == pytest.approx(1 / 2)
    assert result.average_precision_50 == pytest.approx(5 / 6)
    assert result.average_precision_50_95 == pytest.approx(4 / 15)
    assert result.borders == BorderErrors(4, (Fraction(0), Fraction(0)))
    assert [each.difference for each in result.screen_time] == [0, 0, -2]
    assert result.screen_time_error == pytest.approx(1 / 10)


def test_frames_are_broken_down_by_number_on_screen_and_shot_length() -> None:
    result = evaluate_timeline(TRUTH, FOUND, Fraction(20), Fraction(2))
    # Alone: A 0-4, B 8-10, C 14-20; two: 4-8; nobody: 10-14.
    by_number = {
        name: (score.samples, score.true_positives, score.false_positives, score.false_negatives)
        for name, score in result.by_number_on_screen.items()
    }
    assert by_number == {"0": (8, 0, 8, 0), "1": (24, 16, 0, 8), "2": (8, 12, 0, 4)}
    # From border to border: 0-4, 4-8, 8-10, 10-14, 14-20.
    by_length = {name: score.samples for name, score in result.by_shot_length.items()}
    assert by_length == {"2 to 4 s": 4, "4 s and more": 36}


def test_a_collar_leaves_out_half_of_it_on_each_side_of_a_true_border() -> None:
    # Borders at 0, 4, 8, 10, 14, 20 (A's two shots are one range, which has none at 4; B has).
    scored = scored_seconds(TRUTH, Fraction(20), Fraction(2))
    assert [(int(start), int(end)) for start, end in scored] == [(1, 3), (5, 7), (11, 13), (15, 19)]
    result = evaluate_timeline(TRUTH, FOUND, Fraction(20), Fraction(2), Fraction(2))
    # A is missed in 1-2, B in 5-6, C in 18-19; 11-12 and 12-13 are false alarms.
    assert result.errors == IdentificationErrors(*map(Fraction, (10, 7, 0, 3, 2)))
    assert result.frames.samples == 20
    assert result.average_precision_50 == pytest.approx(5 / 6)


def test_nothing_that_is_there_and_nothing_found_is_no_error() -> None:
    nothing = evaluate_timeline([], [], Fraction(2), Fraction(2))
    assert (nothing.errors.rate, nothing.frames.macro_f1) == (0.0, 1.0)
    assert (nothing.average_precision_50, nothing.screen_time_error) == (None, None)
    assert nothing.borders.median_seconds is None
    made_up = evaluate_timeline([], FOUND[:1], Fraction(20), Fraction(2))
    assert (made_up.errors.rate, made_up.frames.macro_f1) == (1.0, 0.0)
    assert made_up.frames.false_tag_samples == 12


def test_border_errors_are_those_of_appearances_that_match() -> None:
    truth = label_sets([_range("a", 2, 6), _range("a", 10, 14), _range("b", 0, 4)])
    found = label_sets(
        [
            _range("a", Fraction(5, 2), 6),  # half a second late, and right
            _range("a", 13, 17),  # only a seventh of both in common
            _range("b", 1, 5),  # begins late, but where the episode does; a second too long
        ]
    )
    errors = border_errors(truth, found, Fraction(20))
    assert errors.borders == 5
    assert list(errors.seconds) == [0, Fraction(1, 2), 1]
    assert (errors.median_seconds, errors.percentile_seconds(90)) == (0.5, 1.0)


seconds = st.integers(0, 80).map(lambda number: Fraction(number, 4))  # exact as floats, too
drawn_ranges = st.lists(
    st.tuples(st.sampled_from("abc"), seconds, st.integers(1, 20)).map(
        lambda drawn: _range(drawn[0], drawn[1], drawn[1] + Fraction(drawn[2], 4))
    ),
    max_size=6,
)


def _annotation(ranges: Sequence[LabelledRange]) -> Annotation:
    annotation = Annotation(uri="episode")
    for label, found in label_sets(ranges).items():
        for number, (start, end) in enumerate(found):
            annotation[Segment(float(start), float(end)), f"{label}{number}"] = label
    return annotation


@settings(max_examples=150)
@given(truth=drawn_ranges, found=drawn_ranges, collar=st.sampled_from([0, 1, 2]))
def test_identification_errors_agree_with_pyannote(
    truth: list[LabelledRange], found: list[LabelledRange], collar: int
) -> None:
    scored = scored_seconds(truth, Fraction(30), Fraction(collar, 2))
    ours = identification_errors(truth, found, scored)
    metric = IdentificationErrorRate(collar=collar / 2)
    uem = Timeline([Segment(0, 30)], uri="episode")
    theirs = metric(_annotation(truth), _annotation(found), uem=uem, detailed=True)
    parts = (ours.total, ours.correct, ours.confused, ours.missed, ours.false_alarm)
    assert [float(part) for part in parts] == pytest.approx(
        [
            theirs["total"],
            theirs["correct"],
            theirs["confusion"],
            theirs["missed detection"],
            theirs["false alarm"],
        ]
    )
    assert ours.rate == pytest.approx(theirs["identification error rate"])


def test_four_times_the_ranges_take_about_four_times_the_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compared = [0]
    compare = Fraction._richcmp  # type: ignore[attr-defined]

    def counting(*arguments: object) -> object:
        compared[0] += 1
        return compare(*arguments)

    monkeypatch.setattr(Fraction, "_richcmp", counting)

    def work_on(count: int) -> int:
        # Ranges that do not touch, as the densest truth there can be, and as many appearances.
        truth = [_range("abc"[n % 3], Fraction(n), n + Fraction(1, 2)) for n in range(count)]
        found = [Detection(each, 0.5) for each in truth]
        compared[0] = 0
        result = evaluate_timeline(truth, found, Fraction(count), Fraction(2))
        assert result.average_precision_50_95 == 1
        return compared[0]

    assert work_on(400) < 5 * work_on(100)


def test_a_truth_in_rttm_is_read(tmp_path: Path) -> None:
    path = tmp_path / "truth.rttm"
    path.write_text(
        "SPKR-INFO pilot 1 <NA> <NA> <NA> unknown ned <NA> <NA>\n"
        "SPEAKER pilot 1 1.5 2.25 <NA> <NA> ned <NA> <NA>\n\n"
        "SPEAKER pilot 1 10 3 <NA> <NA> homer <NA>\n"
    )
    assert read_truth(path) == [
        _range("ned", Fraction(3, 2), Fraction(15, 4)),
        _range("homer", 10, 13),
    ]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("SPEAKER pilot 1 1.5", "4 fields"),
        ("SPEAKER pilot 1 soon 2 <NA> <NA> ned", "'soon' is not a time"),
        ("SPEAKER pilot 1 2 0 <NA> <NA> ned", "end after its start"),
        ("SPEAKER other 1 2 1 <NA> <NA> ned\nSPEAKER pilot 1 2 1 <NA> <NA> ned", "keep one"),
    ],
)
def test_a_line_of_rttm_that_cannot_be_used_is_named(tmp_path: Path, line: str, says: str) -> None:
    path = tmp_path / "truth.rttm"
    path.write_text(line)
    with pytest.raises(TimelineError, match=says) as caught:
        read_truth(path)
    assert str(caught.value).startswith(str(path))
