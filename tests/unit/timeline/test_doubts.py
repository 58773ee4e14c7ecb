"""What of a run is worth a look: each kind of doubt, and what is none."""

from collections.abc import Mapping, Sequence
from fractions import Fraction

from timeline.appearances.doubts import Doubt, Found, Kind, Record, Run, doubts
from timeline.appearances.rules import Rules

RULES = Rules(onset=0.6, offset=0.4)
SAMPLES = tuple(range(0, 200_000, 500))


def run(appearances: Sequence[Found], tags: Mapping[str, Mapping[int, float]] | None = None) -> Run:
    seen: dict[str, dict[int, float]] = {label: dict(each) for label, each in (tags or {}).items()}
    for one in appearances:
        own = seen.setdefault(one.label, {})
        for pts in SAMPLES:
            if one.start_pts <= pts < one.end_pts:
                own.setdefault(pts, one.mean_confidence)
    return Run(appearances, SAMPLES, seen, RULES, Fraction(1, 1000))


def kinds(found: Sequence[Doubt], label: str) -> dict[Kind, Doubt]:
    return {one.kind: one for one in found if one.label == label}


def over(start: int, end: int, confidence: float) -> dict[int, float]:
    return {pts: confidence for pts in SAMPLES if start <= pts < end}


def test_the_nearer_to_the_onset_the_more_unsure() -> None:
    sure, doubtful = Found("homer", 0, 5000, 0.98), Found("ned", 0, 5000, 0.65)
    found = list(doubts(run([sure, doubtful]), Record()))
    assert Kind.UNSURE not in kinds(found, "homer")
    one = kinds(found, "ned")[Kind.UNSURE]
    assert one.worth == (1 - 0.65) / (1 - 0.6)
    assert (one.start_pts, one.end_pts, one.at_pts) == (0, 5000, 2500)


def test_a_brief_appearance_far_from_its_like_is_isolated() -> None:
    alone, long = Found("ned", 0, 2000, 0.9), Found("bart", 0, 9000, 0.9)
    twice = [Found("homer", 0, 2000, 0.9), Found("homer", 30_000, 32_000, 0.9)]
    found = list(doubts(run([alone, long, *twice]), Record()))
    assert [one.label for one in found if one.kind is Kind.ISOLATED] == ["ned"]


def test_a_label_that_is_nearly_as_likely_confuses() -> None:
    found = list(doubts(run([Found("homer", 0, 5000, 0.8)], {"ned": over(0, 5000, 0.3)}), Record()))
    one = kinds(found, "homer")[Kind.CONFUSED]
    assert (one.other, round(one.worth, 6)) == ("ned", 0.375)


def test_a_label_that_is_on_screen_itself_confuses_nobody() -> None:
    both = [Found("homer", 0, 5000, 0.8), Found("ned", 0, 5000, 0.8)]
    assert Kind.CONFUSED not in kinds(list(doubts(run(both), Record())), "homer")


def test_what_was_confused_and_strange_before_is_doubted_without_a_trace() -> None:
    record = Record(judged={"homer": 8}, wrong={"homer": 3}, taken_for={("homer", "ned"): 4})
    found = kinds(list(doubts(run([Found("homer", 0, 5000, 0.99)]), record)), "homer")
    assert (found[Kind.CONFUSED].other, found[Kind.CONFUSED].worth) == ("ned", 0.4)
    assert round(found[Kind.STRANGER].worth, 6) == 0.3


def test_many_labels_that_are_a_little_likely_tell_a_stranger() -> None:
    tags = {"ned": over(0, 5000, 0.2), "bart": over(0, 5000, 0.2), "moe": over(0, 5000, 0.2)}
    found = list(doubts(run([Found("homer", 0, 5000, 0.6)], tags), Record()))
    assert kinds(found, "homer")[Kind.STRANGER].worth == 0.5


def test_what_stays_between_offset_and_onset_was_missed_perhaps() -> None:
    tags = {
        "ned": over(10_000, 12_000, 0.5) | over(20_000, 20_500, 0.55) | over(30_000, 33_000, 0.3)
    }
    found = [one for one in doubts(run([], tags), Record()) if one.kind is Kind.MISSED]
    assert [(one.start_pts, one.end_pts, one.at_pts) for one in found] == [(10_000, 12_000, 11_000)]
    assert round(found[0].worth, 6) == round(0.5 / 0.6, 6)


def test_what_is_told_was_not_missed() -> None:
    told = Found("ned", 10_000, 20_000, 0.9)
    tags = {"ned": over(10_000, 20_000, 0.5)}
    assert not [one for one in doubts(run([told], tags), Record()) if one.kind is Kind.MISSED]
