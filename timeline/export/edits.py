"""Formats of editing programs, by OpenTimelineIO: its own, EDL (CMX 3600) and Final Cut's XML.

Times are whole frames, counted from the episode's first frame at its frame rate.
"""

from collections.abc import Iterator
from typing import Any

from timeline.errors import TimelineError
from timeline.export.formats import Entry, ExportedTimeline


def otio_text(timeline: ExportedTimeline) -> str:
    """Return the episode with a marker for each range, and a track of clips for each label."""
    return _written(_all_tracks(timeline), "otio_json", timeline)


def fcpxml_text(timeline: ExportedTimeline) -> str:
    """Return the same as Final Cut Pro 7 XML, which Premiere Pro and DaVinci Resolve also import.

    Raises:
        TimelineError: Timecode has no such frame rate.
    """
    return _written(_all_tracks(timeline), "fcp_xml", timeline)


def edl_text(timeline: ExportedTimeline) -> str:
    """Return the ranges one after another: the single track of an EDL allows no overlaps.

    Raises:
        TimelineError: There is no range, or timecode has no such frame rate.
    """
    from opentimelineio.opentime import RationalTime
    from opentimelineio.schema import Timeline, Track

    rate = float(timeline.frame_rate)
    if not RationalTime.is_smpte_timecode_rate(rate):
        raise TimelineError(
            f"{timeline.name}: an EDL cannot tell {rate:g} frames per second; export otio"
        )
    if not timeline.entries:
        raise TimelineError(f"{timeline.name}: an EDL needs a range, and there is none")
    written = Timeline(name=timeline.name)
    track = Track(name=timeline.name, kind="Video")
    track.extend([_clip(timeline, entry) for entry in timeline.entries])
    written.tracks.append(track)
    return _written(written, "cmx_3600", timeline, rate=rate)


def _all_tracks(timeline: ExportedTimeline) -> Any:
    from opentimelineio.schema import Marker, Timeline, Track

    written = Timeline(name=timeline.name)
    written.metadata["castline"] = {"sha256": timeline.sha256, "model": timeline.model}
    whole = _clip(timeline, Entry(timeline.name, timeline.start_pts, timeline.end_pts))
    whole.markers.extend(
        [
            Marker(
                name=timeline.name_of(entry.label),
                marked_range=_range(timeline, entry),
                color="GREEN",
            )
            for entry in timeline.entries
        ]
    )
    episode = Track(name="episode", kind="Video")
    episode.append(whole)
    written.tracks.append(episode)
    for label in sorted({entry.label for entry in timeline.entries}):
        track = Track(name=timeline.name_of(label), kind="Video")
        track.extend(list(_clips_with_gaps(timeline, label)))
        written.tracks.append(track)
    return written


def _clips_with_gaps(timeline: ExportedTimeline, label: str) -> Iterator[Any]:
    """Yield a label's clips, each at its own time, with gaps between them."""
    from opentimelineio.schema import Gap

    reached = timeline.start_pts
    for entry in timeline.entries:
        if entry.label != label:
            continue
        if reached < entry.start_pts:
            yield Gap(source_range=_range(timeline, Entry("", reached, entry.start_pts)))
        yield _clip(timeline, entry)
        reached = entry.end_pts


def _clip(timeline: ExportedTimeline, entry: Entry) -> Any:
    from opentimelineio.schema import Clip, ExternalReference

    whole = Entry("", timeline.start_pts, timeline.end_pts)
    return Clip(
        name=timeline.name_of(entry.label),
        media_reference=ExternalReference(
            target_url=timeline.url, available_range=_range(timeline, whole)
        ),
        source_range=_range(timeline, entry),
        metadata={"castline": {"label": entry.label, "confidence": entry.confidence}},
    )


def _range(timeline: ExportedTimeline, entry: Entry) -> Any:
    from opentimelineio.opentime import RationalTime, TimeRange

    rate = float(timeline.frame_rate)
    start, end = timeline.frame(entry.start_pts), timeline.frame(entry.end_pts)
    return TimeRange(RationalTime(start, rate), RationalTime(end - start, rate))


def _written(written: Any, adapter: str, timeline: ExportedTimeline, **options: Any) -> str:
    from opentimelineio.adapters import write_to_string
    from opentimelineio.exceptions import OTIOError

    try:
        text = write_to_string(written, adapter, **options)
    except (OTIOError, ValueError) as error:
        cause = " ".join(str(error).split())
        raise TimelineError(
            f"{timeline.name}: cannot be told in this format: {cause}; export otio"
        ) from error
    return str(text)
