"""JSON and RTTM. All times count from the episode's first frame."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

from timeline.export.decimals import decimal, rounded_down
from timeline.export.formats import ExportedTimeline


def json_text(timeline: ExportedTimeline) -> str:
    """Return all data, with exact times as pts and their time base."""
    return json.dumps(_document(timeline), indent=2, ensure_ascii=False) + "\n"


def json_list(timelines: Iterable[ExportedTimeline]) -> Iterator[str]:
    """Yield the same of each episode, in a list."""
    before = "[\n"
    for timeline in timelines:
        yield before + json.dumps(_document(timeline), indent=2, ensure_ascii=False)
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def _document(timeline: ExportedTimeline) -> dict[str, Any]:
    return {
        "episode": timeline.name,
        "series": timeline.series,
        "season": timeline.season,
        "number": timeline.number,
        "title": timeline.title,
        "path": timeline.path,
        "sha256": timeline.sha256,
        "model": timeline.model,
        "time_base": str(timeline.time_base),
        "frame_rate": str(timeline.frame_rate),
        "rate_varies": timeline.rate_varies,
        "start_pts": timeline.start_pts,
        "end_pts": timeline.end_pts,
        "examined_pts": list(timeline.examined),
        "missing_pts": [list(each) for each in timeline.missing],
        "ranges": [
            {
                "label": entry.label,
                "name": timeline.name_of(entry.label),
                "start_seconds": float(timeline.seconds(entry.start_pts)),
                "end_seconds": float(timeline.seconds(entry.end_pts)),
                "start_pts": entry.start_pts,
                "end_pts": entry.end_pts,
                "confidence": entry.confidence,
                "place": None if entry.place is None else asdict(entry.place),
            }
            for entry in timeline.entries
        ],
    }


def rttm_pieces(timelines: Iterable[ExportedTimeline]) -> Iterator[str]:
    """Yield Rich Transcription Time Marked (NIST, RT-09 evaluation plan, appendix A)."""
    for timeline in timelines:
        name = _one_word(timeline.name)
        for entry in timeline.entries:
            start, end = (
                rounded_down(timeline.seconds(pts)) for pts in (entry.start_pts, entry.end_pts)
            )
            yield (
                f"SPEAKER {name} 1 {decimal(start)} {decimal(end - start)}"
                f" <NA> <NA> {_one_word(entry.label)} <NA> <NA>\n"
            )


def _one_word(text: str) -> str:
    return "_".join(text.split())
