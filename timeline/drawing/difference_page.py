"""A self-contained page that shows the differences between the timelines of two models."""

from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from html import escape
from types import MappingProxyType

from timeline.drawing.difference import LabelDifference, Span, length
from timeline.times import format_time

PICTURES_SHOWN = 24
"""Pictures of one label in one episode, for gained and lost each: a sample of the changes in 200
kB."""

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; color: #222 }
table { border-collapse: collapse } td, th { padding: .2rem .9rem .2rem 0; text-align: left }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums }
.gained { color: #0a6b2d } .lost { color: #a8201a }
.pictures { display: flex; flex-wrap: wrap; gap: .6rem }
figure { margin: 0; font-size: 12px } figure img { display: block; height: 108px }
@media (prefers-color-scheme: dark) {
  body { background: #181818; color: #ddd } .gained { color: #6c9 } .lost { color: #f88 }
}
"""


@dataclass(frozen=True)
class EpisodeDifference:
    """The differences in one episode."""

    episode: str
    labels: tuple[LabelDifference, ...]
    picture_of: Callable[[str, Fraction], bytes | None] = lambda _label, _seconds: None
    """Returns the JPEG of a label at a time in seconds from the first frame; None where there is
    none."""


@dataclass(frozen=True)
class LabelTotal:
    """The seconds of one label over all episodes."""

    label: str
    gained: Fraction
    lost: Fraction
    unchanged: Fraction


def totals(episodes: Sequence[EpisodeDifference]) -> list[LabelTotal]:
    """Sum over episodes; the label with the largest change comes first."""
    by_label: dict[str, list[LabelDifference]] = {}
    for episode in episodes:
        for item in episode.labels:
            by_label.setdefault(item.label, []).append(item)
    added = [
        LabelTotal(
            label,
            *(
                sum((length(getattr(item, kind)) for item in items), Fraction(0))
                for kind in ("gained", "lost", "unchanged")
            ),
        )
        for label, items in by_label.items()
    ]
    return sorted(added, key=lambda item: (-(item.gained + item.lost), item.label))


def difference_page(
    first: str,
    second: str,
    episodes: Sequence[EpisodeDifference],
    names: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Return the page as HTML.

    Args:
        first: Name of the current model.
        second: Name of the model that may replace it.
        episodes: The differences of each episode.
        names: Display names of labels; other labels are shown unchanged.
    """
    title = f"{escape(second)} in place of {escape(first)}"
    return "\n".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width">',
            f"<title>{title}</title><style>{STYLE}</style></head><body>",
            f"<h1>{title}</h1>",
            *_totals_table(episodes, names),
            *(line for episode in episodes for line in _episode(episode, names)),
            "</body></html>\n",
        ]
    )


def _totals_table(episodes: Sequence[EpisodeDifference], names: Mapping[str, str]) -> Iterator[str]:
    heads = "".join(f'<th class="number">{kind} s</th>' for kind in ("gained", "lost", "unchanged"))
    yield f"<table><tr><th>character</th>{heads}</tr>"
    for item in totals(episodes):
        cells = "".join(
            f'<td class="number {kind}">{float(getattr(item, kind)):.1f}</td>'
            for kind in ("gained", "lost", "unchanged")
        )
        yield f'<tr><td dir="auto">{_name(names, item.label)}</td>{cells}</tr>'
    yield "</table>"


def _episode(episode: EpisodeDifference, names: Mapping[str, str]) -> Iterator[str]:
    yield f"<h2>{escape(episode.episode)}</h2>"
    changed = [item for item in episode.labels if item.is_changed]
    if not changed:
        yield "<p>Nothing changes.</p>"
    for item in changed:
        yield f'<h3 dir="auto">{_name(names, item.label)}</h3>'
        yield from _spans("gained", item.label, item.gained, episode)
        yield from _spans("lost", item.label, item.lost, episode)


def _name(names: Mapping[str, str], label: str) -> str:
    return escape(names.get(label, label))


def _spans(
    kind: str, label: str, spans: Sequence[Span], episode: EpisodeDifference
) -> Iterator[str]:
    if not spans:
        return
    yield f'<p class="{kind}">{kind} {float(length(spans)):.1f} s</p><div class="pictures">'
    for start, end in spans[:PICTURES_SHOWN]:
        picture = _picture(episode.picture_of(label, (start + end) / 2))
        yield f"<figure>{picture}<figcaption>{_span(start, end)}"
        yield "</figcaption></figure>"
    yield "</div>"
    if len(spans) > PICTURES_SHOWN:
        rest = ", ".join(_span(start, end) for start, end in spans[PICTURES_SHOWN:])
        yield f"<p>and {rest}</p>"


def _picture(jpeg: bytes | None) -> str:
    if jpeg is None:
        return ""
    return f'<img alt="" src="data:image/jpeg;base64,{b64encode(jpeg).decode()}">'


def _span(start: Fraction, end: Fraction) -> str:
    return f"{format_time(start)} to {format_time(end)}"
