"""A self-contained page: one row per character with its bars, a table, and the data as JSON.

It loads nothing from other places and runs no script.
"""

from collections.abc import Iterator
from html import escape

from exact.place import Place
from timeline.export.formats import Entry, ExportedTimeline
from timeline.export.text import json_text
from timeline.times import format_clock, format_time

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; color: #222;
       padding: 0 1rem; }
h1 { font-size: 1.4rem; margin-bottom: 0; }
p { color: #666; }
.row { display: grid; grid-template-columns: 14rem 1fr; gap: 1rem; align-items: center; }
.row:nth-child(odd) { background: #f5f5f2; }
.bars { position: relative; height: 1.6rem; }
.bar { position: absolute; top: .3rem; bottom: .3rem; background: #332288; min-width: 2px; }
.unseen { background: repeating-linear-gradient(45deg, #ccc, #ccc 3px, #fff 3px, #fff 6px); }
table { border-collapse: collapse; margin-top: 2rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .15rem 1.5rem .15rem 0; }
.picture { position: relative; height: 1.8rem; background: #e5e5e0; overflow: hidden; }
.place { position: absolute; background: #332288; }
"""

COLUMNS = ("character", "start", "end", "confidence", "place")
"""Columns of the table; a place is drawn as a box in a small picture of the right shape."""


def html_text(timeline: ExportedTimeline) -> str:
    """Return the page as HTML."""
    name = escape(timeline.name)
    # "<" could end the script element early; JSON has another way of writing it.
    data = json_text(timeline).replace("<", "\\u003c")
    length = format_clock(timeline.seconds(timeline.end_pts))
    columns = "".join(f"<th>{column}</th>" for column in COLUMNS)
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en">',
            f'<head><meta charset="utf-8"><title>{name}</title><style>{STYLE}</style></head>',
            "<body>",
            f"<h1>{name}</h1>",
            f"<p>{length} long; who is on screen when, by {escape(timeline.model)}</p>",
            *_rows(timeline),
            f"<table><thead><tr>{columns}</tr></thead><tbody>",
            *(_table_row(timeline, entry) for entry in timeline.entries),
            "</tbody></table>",
            f'<script type="application/json" id="timeline">{data}</script>',
            "</body></html>",
            "",
        ]
    )


def _rows(timeline: ExportedTimeline) -> Iterator[str]:
    first: dict[str, int] = {}
    for entry in timeline.entries:
        first.setdefault(entry.label, entry.start_pts)
    for label in sorted(first, key=lambda label: (first[label], label)):
        bars = "".join(
            _bar(timeline, entry.start_pts, entry.end_pts, "bar")
            for entry in timeline.entries
            if entry.label == label
        )
        name = escape(timeline.name_of(label))
        yield f'<div class="row"><div dir="auto">{name}</div><div class="bars">{bars}</div></div>'
    if timeline.unexamined:
        bars = "".join(
            _bar(timeline, start, end, "bar unseen") for start, end in timeline.unexamined
        )
        yield f'<div class="row"><div>not examined</div><div class="bars">{bars}</div></div>'


def _bar(timeline: ExportedTimeline, start_pts: int, end_pts: int, kind: str) -> str:
    length = timeline.end_pts - timeline.start_pts
    left = 100 * (start_pts - timeline.start_pts) / length
    width = 100 * (end_pts - start_pts) / length
    times = f"{_time(timeline, start_pts)} to {_time(timeline, end_pts)}"
    return f'<div class="{kind}" style="left:{left:.4f}%;width:{width:.4f}%" title="{times}"></div>'


def _table_row(timeline: ExportedTimeline, entry: Entry) -> str:
    confidence = "" if entry.confidence is None else f"{entry.confidence:.2f}"
    start, end = _time(timeline, entry.start_pts), _time(timeline, entry.end_pts)
    name = f'<td dir="auto">{escape(timeline.name_of(entry.label))}</td>'
    cells = (start, end, confidence, _place(timeline, entry.place))
    return f"<tr>{name}{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _place(timeline: ExportedTimeline, place: Place | None) -> str:
    if place is None:
        return ""
    left, top, right, bottom = place.box
    box = f"left:{left:.2%};top:{top:.2%};width:{right - left:.2%};height:{bottom - top:.2%}"
    shape = f"aspect-ratio:{timeline.picture_width}/{timeline.picture_height}"
    said = f"centre {place.x:.0%}, {place.y:.0%}; size {place.width:.0%} x {place.height:.0%}"
    return (
        f'<div class="picture" style="{shape}" title="{said}">'
        f'<div class="place" style="{box}"></div></div>'
    )


def _time(timeline: ExportedTimeline, pts: int) -> str:
    return format_time(timeline.seconds(pts))
