"""What people said laid over what a model found: against a model that looks at every tick."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exact.verdicts import Verdict
from timeline.appearances.corrections import (
    CorrectedAppearance,
    Correction,
    Sampled,
    corrected,
    not_undone,
    settled,
    standing,
)
from timeline.errors import TimelineError

LABELS = ("bart", "homer", "ned")
END = 40
TICKS = range(END)
Ranges = list[tuple[int, int]]


def found(label: str, start: int, end: int, mean: float = 0.5) -> CorrectedAppearance:
    return CorrectedAppearance(label, start, end, 1, mean, mean, is_corrected=False)


def said(
    key: str, verdict: Verdict, label: str, start: int, end: int, **more: object
) -> Correction:
    return Correction(key, verdict, label, start, end, **more)  # type: ignore[arg-type]


def lay(
    raw: Sequence[CorrectedAppearance],
    corrections: Sequence[Correction],
    sampled: Sampled | None = None,
) -> list[CorrectedAppearance]:
    return corrected(raw, settled(standing(corrections)), sampled or Sampled())


def shown(appearances: Sequence[CorrectedAppearance], label: str) -> Ranges:
    return [(one.start_pts, one.end_pts) for one in appearances if one.label == label]


@st.composite
def raw_appearances(draw: st.DrawFn) -> list[CorrectedAppearance]:
    rows = []
    for label in LABELS:
        borders = draw(st.lists(st.integers(0, END), max_size=8, unique=True))
        borders.sort()
        rows += [
            found(label, start, end)
            for start, end in zip(borders[::2], borders[1::2], strict=False)
        ]
    return sorted(rows, key=lambda one: (one.start_pts, one.label))


@st.composite
def ranges(draw: st.DrawFn) -> tuple[int, int]:
    start = draw(st.integers(0, END - 1))
    return start, draw(st.integers(start + 1, END))


@st.composite
def histories(draw: st.DrawFn) -> list[Correction]:
    made: list[Correction] = []
    for number in range(draw(st.integers(0, 8))):
        verdict = draw(st.sampled_from(Verdict))
        label = draw(st.sampled_from(LABELS))
        start, end = draw(ranges())
        other = part = supersedes = None
        if verdict is Verdict.RELABEL:
            other = draw(st.sampled_from([each for each in LABELS if each != label]))
        if verdict is Verdict.TRIM:
            first = draw(st.integers(start, end - 1))
            part = first, draw(st.integers(first + 1, end))
        if verdict is Verdict.UNDO:
            if not made:
                continue
            supersedes = draw(st.sampled_from(made)).key
        made.append(Correction(str(number), verdict, label, start, end, other, part, supersedes))
    return made


def tick_by_tick(
    raw: Sequence[CorrectedAppearance], corrections: Sequence[Correction], label: str
) -> list[bool]:
    """Whether a label is on screen at each tick: another way to the same."""
    on = [any(a <= tick < b for a, b in shown(raw, label)) for tick in TICKS]
    for index, one in enumerate(corrections):
        if one.verdict is Verdict.UNDO or _is_undone(corrections, index):
            continue
        for tick in range(one.start_pts, one.end_pts):
            if one.other == label:
                on[tick] = True
            elif one.label == label:
                a, b = one.part or (one.start_pts, one.end_pts)
                is_shown = one.verdict not in (Verdict.WRONG, Verdict.RELABEL)
                on[tick] = is_shown and a <= tick < b
    return on


def _is_undone(corrections: Sequence[Correction], index: int) -> bool:
    return any(
        later.verdict is Verdict.UNDO
        and later.supersedes == corrections[index].key
        and not _is_undone(corrections, number)
        for number, later in enumerate(corrections[index + 1 :], index + 1)
    )


@given(raw_appearances(), histories())
def test_at_every_tick_the_latest_word_counts_and_else_the_model(
    raw: list[CorrectedAppearance], corrections: list[Correction]
) -> None:
    laid = lay(raw, corrections)
    for label in LABELS:
        own = shown(laid, label)
        on = [any(a <= tick < b for a, b in own) for tick in TICKS]
        assert on == tick_by_tick(raw, corrections, label)
        for (_, end), (start, _) in pairwise(own):
            assert end <= start  # none overlap


@given(raw_appearances(), histories())
def test_what_nobody_spoke_of_is_as_it_was(
    raw: list[CorrectedAppearance], corrections: list[Correction]
) -> None:
    laid = lay(raw, corrections)
    spoken = settled(standing(corrections))
    for one in raw:
        touched = any(
            claim.start_pts <= one.end_pts and one.start_pts <= claim.end_pts
            for claim in spoken.get(one.label, ())
        )
        assert touched or one in laid
    for one in laid:
        assert one.is_corrected or one in raw


@given(raw_appearances(), histories())
def test_what_is_laid_over_twice_changes_nothing_more(
    raw: list[CorrectedAppearance], corrections: list[Correction]
) -> None:
    once = lay(raw, corrections)
    twice = lay(once, corrections)
    assert [(one.label, one.start_pts, one.end_pts) for one in once] == [
        (one.label, one.start_pts, one.end_pts) for one in twice
    ]


@given(raw_appearances(), histories())
def test_with_all_undone_the_models_answer_is_back(
    raw: list[CorrectedAppearance], corrections: list[Correction]
) -> None:
    undoings = [
        Correction(f"undo {one.key}", Verdict.UNDO, one.label, 0, 1, supersedes=one.key)
        for one in not_undone(corrections)
        if one.verdict is not Verdict.UNDO
    ]
    assert lay(raw, [*corrections, *undoings]) == raw


@given(histories())
def test_claims_of_a_label_never_overlap_and_are_the_latest(corrections: list[Correction]) -> None:
    for label, claims in settled(standing(corrections)).items():
        assert all(claim.label == label for claim in claims)
        for one, other in pairwise(claims):
            assert one.end_pts <= other.start_pts


def test_a_confusion_moves_its_range_to_the_right_label() -> None:
    raw = [found("homer", 0, 30), found("ned", 30, 40)]
    laid = lay(raw, [said("a", Verdict.RELABEL, "homer", 20, 30, other="ned")])
    assert shown(laid, "homer") == [(0, 20)]
    assert shown(laid, "ned") == [(20, 40)]  # it goes on where it touches


def test_two_of_the_models_that_touch_stay_two() -> None:
    raw = [found("ned", 0, 5), found("ned", 5, 10)]
    assert lay(raw, [said("a", Verdict.WRONG, "ned", 20, 30)]) == raw


def test_a_persons_word_has_confidence_1_and_counts_sampled_frames() -> None:
    sampled = Sampled((0, 5, 10, 15, 20), {"ned": {0: 0.6, 5: 0.8, 20: 0.9}})
    raw = [CorrectedAppearance("ned", 0, 10, 2, 0.7, 0.8, is_corrected=False)]
    [one] = lay(raw, [said("a", Verdict.ADD, "ned", 10, 20)], sampled)
    assert one == CorrectedAppearance("ned", 0, 20, 4, 0.85, 1.0, is_corrected=True)


def test_what_is_left_of_an_appearance_is_as_sure_as_its_frames() -> None:
    sampled = Sampled((0, 5, 10, 15), {"ned": {0: 0.6, 5: 0.8, 10: 0.4}})
    raw = [CorrectedAppearance("ned", 0, 12, 3, 0.6, 0.8, is_corrected=False)]
    [one] = lay(raw, [said("a", Verdict.WRONG, "ned", 8, 40)], sampled)
    assert one == CorrectedAppearance("ned", 0, 8, 2, 0.7, 0.8, is_corrected=True)
    [short] = lay(raw, [said("a", Verdict.WRONG, "ned", 0, 11)], sampled)
    assert (short.start_pts, short.end_pts) == (11, 12)
    assert (short.frames, short.mean_confidence, short.max_confidence) == (0, 0.6, 0.8)


@pytest.mark.parametrize(
    "wrong",
    [
        {"start_pts": 5, "end_pts": 5},
        {"other": "ned"},
        {"verdict": Verdict.RELABEL},
        {"verdict": Verdict.RELABEL, "other": "homer"},
        {"verdict": Verdict.TRIM},
        {"verdict": Verdict.TRIM, "part": (0, 11)},
        {"verdict": Verdict.TRIM, "part": (3, 3)},
        {"part": (1, 2)},
        {"verdict": Verdict.UNDO},
    ],
)
def test_a_correction_that_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    one = said("a", Verdict.WRONG, "homer", 0, 10)
    with pytest.raises(TimelineError, match="correction of homer"):
        replace(one, **wrong)  # type: ignore[arg-type]
