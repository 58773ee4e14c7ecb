"""Read truth from subtitles and ELAN's annotations."""

import json
from collections.abc import Iterator
from fractions import Fraction
from html import unescape
from typing import NamedTuple
from xml.etree.ElementTree import Element, ParseError, fromstring

from timeline.errors import TimelineError
from timeline.times import parse_time

ARROW = "-->"
"""Separates the times of a cue, and occurs nowhere else."""


class Told(NamedTuple):
    """The content of a line, a cue or an annotation."""

    where: str
    """Position in the file, for error messages."""
    episode: str | None
    """The episode; None where the format has no field for it."""
    label: str
    start_seconds: Fraction
    end_seconds: Fraction


def read_cues(where: str, text: str) -> Iterator[Told]:
    """Read WebVTT (metadata of JSON with `label`, or subtitles) and SubRip: a name a line.

    Raises:
        TimelineError: The times of a cue are malformed, or there is text but no cue.
    """
    lines = text.splitlines()
    if ARROW not in text and text.strip() and not text.startswith("WEBVTT"):
        raise TimelineError(f"{where}: no cue; leave the file empty if nobody known is on screen")
    for number, line in enumerate(lines):
        if ARROW in line:
            place = f"{where}:{number + 1}"
            start, end = _cue_times(place, line)
            for label in _labels_of_cue(_cue_lines(lines, number + 1)):
                yield Told(place, None, label, start, end)


def _cue_times(where: str, line: str) -> tuple[Fraction, Fraction]:
    start, _, end = line.partition(ARROW)
    try:
        # Settings of a cue may follow the end time.
        first, last = (each.split()[0].replace(",", ".") for each in (start, end))
        return parse_time(first), parse_time(last)
    except (IndexError, TimelineError) as error:
        raise TimelineError(
            f"{where}: {line.strip()!r} has no two times; write 00:00:01.000 --> 00:00:02.500"
        ) from error


def _cue_lines(lines: list[str], first: int) -> list[str]:
    found = []
    for line in lines[first:]:
        if not line.strip() or ARROW in line:
            break
        found.append(line.strip())
    return found


def _labels_of_cue(lines: list[str]) -> list[str]:
    text = "\n".join(lines)
    if text.startswith("{"):
        try:
            payload = json.loads(text)
        except ValueError:
            payload = None
        if isinstance(payload, dict) and isinstance(payload.get("label"), str):
            return [payload["label"]]
    return [unescape(line) for line in lines] or [""]


def read_eaf(where: str, text: str) -> Iterator[Told]:
    """Read ELAN's annotations: the text of each, or its tier's name where it has none.

    Tiers whose annotations refer to others', and so have no times of their own, are ignored.

    Raises:
        TimelineError: It is not ELAN's XML, or an annotation has no times.
    """
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise TimelineError(
            f"{where}: declares a document type, which ELAN does not; save it again"
        )
    try:
        root = fromstring(text)  # noqa: S314 - without a document type there is nothing to expand
    except (ParseError, ValueError) as error:
        raise TimelineError(f"{where}: not an XML text ({error}); save it in ELAN again") from error
    if root.tag != "ANNOTATION_DOCUMENT":
        raise TimelineError(f"{where}: holds <{root.tag[:40]}>, not ELAN's <ANNOTATION_DOCUMENT>")
    slots = {slot.get("TIME_SLOT_ID"): slot.get("TIME_VALUE") for slot in root.iter("TIME_SLOT")}
    for tier in root.iter("TIER"):
        for annotation in tier.iter("ALIGNABLE_ANNOTATION"):
            yield _annotation(where, slots, tier.get("TIER_ID", ""), annotation)


def _annotation(
    where: str, slots: dict[str | None, str | None], tier: str, annotation: Element
) -> Told:
    place = f"{where}: annotation {annotation.get('ANNOTATION_ID')} of {tier}"
    times = [slots.get(annotation.get(f"TIME_SLOT_REF{end}")) for end in (1, 2)]
    start, end = (
        Fraction(int(each), 1000) if each is not None and each.isdecimal() else None
        for each in times
    )
    if start is None or end is None:
        raise TimelineError(f"{place} has no time; align it in ELAN")
    value = (annotation.findtext("ANNOTATION_VALUE") or "").strip()
    return Told(place, None, value or tier, start, end)
