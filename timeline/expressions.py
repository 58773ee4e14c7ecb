"""Questions as set expressions: `ned & (homer | marge) & !bart`.

    expression   names joined by `&` (both), `|` (either), `!` (not) and parentheses
    name         a label or a part of it; in quotes it may contain any character

`!` binds most tightly, then `&`, then `|`. The value of an expression is a set of times: a label
stands for the half-open ranges of its appearances, and `!` for the rest of the examined time, so
that a label never counts as absent where no frame was examined.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TypeAlias

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from exact.ranges import PtsRange, PtsRanges, difference, intersection, union
from timeline.errors import ExpressionError

LONGEST = 1000
"""Maximum characters of an expression: all labels of a large cast, and never too deep to
recurse."""

GRAMMAR = r"""
    ?either: both | both ("|" both)+    -> either
    ?both: one    | one ("&" one)+      -> both
    ?one: "!" one                       -> none
        | "(" either ")"
        | (QUOTED | BARE)               -> label
    QUOTED: /"[^"]*"|'[^']*'/
    BARE: /[^\s&|!()"'][^&|!()"']*/
    %ignore /\s+/
"""


@dataclass(frozen=True, slots=True)
class Label:
    """The times at which a label is on screen."""

    name: str


@dataclass(frozen=True, slots=True)
class Not:
    """The examined times that are not in a set."""

    inside: "Expression"


@dataclass(frozen=True, slots=True)
class Both:
    """The times that are in all sets."""

    parts: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Either:
    """The times that are in any of the sets."""

    parts: tuple["Expression", ...]


Expression: TypeAlias = Label | Not | Both | Either


def parse_expression(text: str) -> Expression:
    """Parse an expression; its labels are kept as they were written.

    Raises:
        ExpressionError: The text cannot be parsed; the message says where.
    """
    if len(text) > LONGEST:
        raise ExpressionError(f"an expression of {len(text)} characters; at most {LONGEST}")
    try:
        return _PARSER.parse(text)  # type: ignore[return-value]  # its transformer's
    except UnexpectedInput as error:
        raise _pointed_at(error, text) from error


def with_labels(expression: Expression, label_of: Callable[[str], str]) -> Expression:
    """Return the expression with each written name replaced by its label."""
    match expression:
        case Label(name):
            return Label(label_of(name))
        case Not(inside):
            return Not(with_labels(inside, label_of))
        case Both(parts):
            return Both(tuple(with_labels(part, label_of) for part in parts))
        case Either(parts):
            return Either(tuple(with_labels(part, label_of) for part in parts))


def labels_of(expression: Expression) -> frozenset[str]:
    """Return the labels in an expression."""
    match expression:
        case Label(name):
            return frozenset([name])
        case Not(inside):
            return labels_of(inside)
        case Both(parts) | Either(parts):
            return frozenset[str]().union(*map(labels_of, parts))


def always_shown(expression: Expression) -> frozenset[str]:
    """Return the labels that are all on screen wherever an expression holds."""
    match expression:
        case Label(name):
            return frozenset([name])
        case Not():
            return frozenset()
        case Both(parts):
            return frozenset[str]().union(*map(always_shown, parts))
        case Either(parts):
            return frozenset.intersection(*map(always_shown, parts))


def format_expression(expression: Expression) -> str:
    """Format an expression as text, with its labels in full."""
    match expression:
        case Label(name):
            return f'"{name}"' if set(name) & set("&|!()'") else name
        case Not(inside):
            return f"!{_bracketed(inside, Both, Either)}"
        case Both(parts):
            return " & ".join(_bracketed(part, Either) for part in parts)
        case Either(parts):
            return " | ".join(map(format_expression, parts))


def evaluate(
    expression: Expression,
    ranges_of: Mapping[str, Sequence[PtsRange]],
    examined: Sequence[PtsRange],
) -> PtsRanges:
    """Return the set of times at which an expression holds in one episode.

    Args:
        expression: The parsed expression.
        ranges_of: Half-open ranges for each label, in any order; a missing label is never on
            screen.
        examined: The set of examined times.

    Returns:
        Half-open ranges, ascending, which neither overlap nor touch.
    """
    match expression:
        case Label(name):
            return intersection(union(ranges_of.get(name, ())), examined)
        case Not(inside):
            return difference(examined, evaluate(inside, ranges_of, examined))
        case Both(parts):
            return reduce(intersection, (evaluate(part, ranges_of, examined) for part in parts))
        case Either(parts):
            return union(found for part in parts for found in evaluate(part, ranges_of, examined))


@v_args(inline=True)
class _Builder(Transformer[Token, Expression]):
    """Builds the expression during parsing."""

    def label(self, token: Token) -> Expression:
        quoted = token.type == "QUOTED"
        return Label(str(token)[1:-1] if quoted else str(token).strip())

    def none(self, inside: Expression) -> Expression:
        return inside.inside if isinstance(inside, Not) else Not(inside)

    def both(self, *parts: Expression) -> Expression:
        return Both(parts)

    def either(self, *parts: Expression) -> Expression:
        return Either(parts)


_PARSER = Lark(GRAMMAR, start="either", parser="lalr", transformer=_Builder())


def _bracketed(expression: Expression, *kinds: type[Expression]) -> str:
    text = format_expression(expression)
    return f"({text})" if isinstance(expression, kinds) else text


def _pointed_at(error: UnexpectedInput, text: str) -> ExpressionError:
    position, wanted = error.pos_in_stream or 0, set[str]()
    if isinstance(error, UnexpectedToken):
        wanted = error.accepts or error.expected
        position = len(text) if error.token.type == "$END" else position
    elif isinstance(error, UnexpectedCharacters):
        wanted = error.allowed or wanted
    if text[position : position + 1] in ('"', "'"):
        what = "this quote is never closed, or stands in a name"
    elif "BARE" in wanted:
        what = "a name, ! or ( is missing here"
    else:
        what = "&, | or ) is missing here" if "RPAR" in wanted else "& or | is missing here"
    return ExpressionError(f"column {position + 1} of the expression: {what}", text, position)
