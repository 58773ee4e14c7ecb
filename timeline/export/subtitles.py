"""Subtitle tracks: WebVTT and SubRip."""

import json

from timeline.export.decimals import clock
from timeline.export.formats import ExportedTimeline
from timeline.export.stretches import stretches


def vtt_text(timeline: ExportedTimeline) -> str:
    """Return a WebVTT metadata track (W3C, WebVTT, 3.2): a cue of JSON for each range."""
    cues = ["WEBVTT"]
    for entry in timeline.entries:
        times = " --> ".join(
            clock(timeline.seconds(pts)) for pts in (entry.start_pts, entry.end_pts)
        )
        payload = {
            "label": entry.label,
            "name": timeline.name_of(entry.label),
            "confidence": entry.confidence,
        }
        # A cue's text must not contain "-->".
        text = json.dumps(payload, ensure_ascii=False).replace(">", "\\u003e")
        cues.append(f"{times}\n{text}")
    return "\n\n".join(cues) + "\n"


def srt_text(timeline: ExportedTimeline) -> str:
    """Return SubRip: one subtitle at a time, with a line for each character on screen."""
    cues: list[str] = []
    for stretch in stretches(timeline):
        names = sorted({" ".join(timeline.name_of(label).split()) for label in stretch.labels})
        if names:
            times = " --> ".join(
                clock(timeline.seconds(pts), point=",")
                for pts in (stretch.start_pts, stretch.end_pts)
            )
            cues.append("\n".join([str(len(cues) + 1), times, *names, "", ""]))
    return "".join(cues)
