"""Set expressions, beside Python's own: one bit for each millisecond, `&`, `|` and `~`."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exact.ranges import PtsRange, PtsRanges, union
from timeline.errors import ExpressionError
from timeline.expressions import (
    Both,
    Label,
    Not,
    evaluate,
    format_expression,
    labels_of,
    parse_expression,
    with_labels,
)

MILLISECONDS = 60
"""The length of the episodes that are drawn: short, so that ranges often meet."""

NAMES = ("ned", "bart", "lisa", "moe")

ranges = st.lists(
    st.tuples(st.integers(0, MILLISECONDS - 1), st.integers(1, 20)).map(
        lambda drawn: (drawn[0], min(drawn[0] + drawn[1], MILLISECONDS))
    ),
    max_size=5,
)
spaces = st.sampled_from(["", " ", "  "])


def _joined(sign: str, texts: list[str], space: str) -> str:
    return f"{space}{sign}{space}".join(texts)


expressions = st.recursive(
    st.sampled_from(NAMES),
    lambda inner: st.one_of(
        st.builds("!{}{}".format, spaces, inner.map("({})".format)),
        st.builds("!{}".format, st.sampled_from(NAMES)),
        st.builds(_joined, st.just("&"), st.lists(inner, min_size=2, max_size=3), spaces),
        st.builds(_joined, st.just("|"), st.lists(inner, min_size=2, max_size=3), spaces),
        st.builds("({}{})".format, spaces, inner),
    ),
    max_leaves=8,
)


def bits(found: Sequence[PtsRange]) -> int:
    """A number with the bit of each millisecond in any of the ranges."""
    return sum(1 << i for i in range(MILLISECONDS) if any(start <= i < end for start, end in found))


def from_bits(number: int) -> PtsRanges:
    """The runs of set bits, found by looking at each millisecond."""
    found: list[PtsRange] = []
    for i in range(MILLISECONDS):
        if number >> i & 1 and found and found[-1][1] == i:
            found[-1] = found[-1][0], i + 1
        elif number >> i & 1:
            found.append((i, i + 1))
    return tuple(found)


@given(
    text=expressions,
    shown=st.fixed_dictionaries(dict.fromkeys(NAMES, ranges)),
    examined=ranges,
)
def test_an_expression_means_what_python_says_of_each_millisecond(
    text: str, shown: dict[str, list[PtsRange]], examined: list[PtsRange]
) -> None:
    # Python reads the same text by its own grammar, where `~` stands for `!`.
    looked_at = bits(examined)
    by_python = eval(text.replace("!", "~"), {name: bits(shown[name]) for name in NAMES})
    found = evaluate(parse_expression(text), shown, union(examined))
    assert found == from_bits(by_python & looked_at)


@given(text=expressions, shown=st.fixed_dictionaries(dict.fromkeys(NAMES, ranges)))
def test_an_expression_written_out_means_the_same(
    text: str, shown: dict[str, list[PtsRange]]
) -> None:
    parsed = parse_expression(text)
    again = parse_expression(format_expression(parsed))
    whole = [(0, MILLISECONDS)]
    assert evaluate(again, shown, whole) == evaluate(parsed, shown, whole)
    assert labels_of(again) == labels_of(parsed) <= set(NAMES)


def test_nobody_is_absent_where_nobody_looked() -> None:
    examined = [(0, 10), (20, 30)]
    assert evaluate(parse_expression("!ned"), {"ned": [(5, 10)]}, examined) == ((0, 5), (20, 30))
    assert evaluate(parse_expression("!ned"), {}, []) == ()


def test_a_range_that_ends_where_another_starts_is_one_range_but_shares_no_time() -> None:
    shown = {"ned": [(0, 5)], "bart": [(5, 9)]}
    assert evaluate(parse_expression("ned | bart"), shown, [(0, 10)]) == ((0, 9),)
    assert evaluate(parse_expression("ned & bart"), shown, [(0, 10)]) == ()


def test_not_binds_closest_then_and_then_or() -> None:
    shown = {"a": [(0, 4)], "b": [(2, 6)], "c": [(8, 9)]}
    assert evaluate(parse_expression("c | !a & b"), shown, [(0, 10)]) == ((4, 6), (8, 9))


def test_names_may_be_quoted_hold_blanks_and_be_replaced() -> None:
    parsed = parse_expression("""Fig Tree & !"this & that" & 'x"y'""")
    assert parsed == Both((Label("Fig Tree"), Not(Label("this & that")), Label('x"y')))
    upper = with_labels(parsed, str.upper)
    assert labels_of(upper) == {"FIG TREE", "THIS & THAT", 'X"Y'}
    assert format_expression(upper).startswith('FIG TREE & !"THIS & THAT"')


@pytest.mark.parametrize(
    ("text", "position", "says"),
    [
        ("ned &", 5, "a name, ! or ( is missing"),
        ("ned && bart", 5, "a name, ! or ( is missing"),
        ("& ned", 0, "a name, ! or ( is missing"),
        ("!", 1, "a name, ! or ( is missing"),
        ("()", 1, "a name, ! or ( is missing"),
        ("ned | (bart", 11, "&, | or ) is missing"),
        ("ned)", 3, "& or | is missing"),
        ("ned (bart)", 4, "& or | is missing"),
        ("ned & 'bart", 6, "never closed"),
    ],
)
def test_the_caret_points_at_the_place(text: str, position: int, says: str) -> None:
    with pytest.raises(ExpressionError, match=f"column {position + 1} ") as caught:
        parse_expression(text)
    assert says in str(caught.value)
    assert caught.value.marked == (text, position)


def test_what_is_empty_too_long_or_hides_line_breaks_is_refused_in_one_line() -> None:
    for text in ("", "  ", "ned" + " | bart" * 200):
        with pytest.raises(ExpressionError) as caught:
            parse_expression(text)
        assert "\n" not in str(caught.value)
    with pytest.raises(ExpressionError) as caught:
        parse_expression("ned\n&\t)")
    assert caught.value.marked == ("ned & )", 6)


def test_the_deepest_expression_that_is_read_is_evaluated() -> None:
    text = "a" + "|(a&(a" * 120 + ")" * 240
    assert evaluate(parse_expression(text), {"a": [(1, 2)]}, [(0, 10)]) == ((1, 2),)
    assert format_expression(parse_expression(text))
    assert parse_expression("!" * 999 + "a") == Not(Label("a"))
