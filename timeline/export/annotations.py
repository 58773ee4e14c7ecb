"""Annotation formats for film studies: ELAN, and IIIF viewers."""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from math import floor
from mimetypes import guess_type
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from timeline.export.decimals import decimal
from timeline.export.formats import ExportedTimeline
from timeline.export.xml import xml_text

EAF_SCHEMA = "http://www.mpi.nl/tools/elan/EAFv3.0.xsd"

IIIF_BASE = "https://castline.invalid"
"""Base of the identifiers, which must be web addresses: a reserved domain that nobody can own (RFC
2606)."""

IIIF_CONTEXT = "http://iiif.io/api/presentation/3/context.json"

MEDIA_FRAGMENTS = "http://www.w3.org/TR/media-frags/"


def eaf_text(timeline: ExportedTimeline) -> str:
    """Return ELAN's format: a tier per label, with its name in each annotation; in milliseconds."""
    root = Element(
        "ANNOTATION_DOCUMENT",
        {
            "AUTHOR": f"Castline, {timeline.model}",
            "DATE": datetime.now(UTC).isoformat(timespec="seconds"),
            "FORMAT": "3.0",
            "VERSION": "3.0",
            "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
            "xsi:noNamespaceSchemaLocation": EAF_SCHEMA,
        },
    )
    header = SubElement(root, "HEADER", MEDIA_FILE="", TIME_UNITS="milliseconds")
    kind = _media_type(timeline) or "unknown"
    SubElement(header, "MEDIA_DESCRIPTOR", MEDIA_URL=timeline.url, MIME_TYPE=kind)
    slots = SubElement(root, "TIME_ORDER")
    tiers: dict[str, Element] = {}
    for number, entry in enumerate(timeline.entries, 1):
        ends = []
        for pts in (entry.start_pts, entry.end_pts):
            milliseconds = str(floor(timeline.seconds(pts) * 1000))
            ends.append(f"ts{len(slots) + 1}")
            SubElement(slots, "TIME_SLOT", TIME_SLOT_ID=ends[-1], TIME_VALUE=milliseconds)
        if entry.label not in tiers:
            tiers[entry.label] = Element(
                "TIER", LINGUISTIC_TYPE_REF="on screen", TIER_ID=entry.label
            )
        held = SubElement(
            SubElement(tiers[entry.label], "ANNOTATION"),
            "ALIGNABLE_ANNOTATION",
            ANNOTATION_ID=f"a{number}",
            TIME_SLOT_REF1=ends[0],
            TIME_SLOT_REF2=ends[1],
        )
        SubElement(held, "ANNOTATION_VALUE").text = timeline.name_of(entry.label)
    root.extend(tiers[label] for label in sorted(tiers))
    SubElement(
        root,
        "LINGUISTIC_TYPE",
        GRAPHIC_REFERENCES="false",
        LINGUISTIC_TYPE_ID="on screen",
        TIME_ALIGNABLE="true",
    )
    return xml_text(root)


def iiif_pieces(timelines: Iterable[ExportedTimeline]) -> Iterator[str]:
    """Yield a manifest (IIIF, Presentation API 3.0) with a canvas per episode.

    Ranges are W3C annotations (Web Annotation Data Model) with a time fragment each.
    """
    head = {
        "@context": IIIF_CONTEXT,
        "id": f"{IIIF_BASE}/manifest",
        "type": "Manifest",
        "label": {"en": ["Who is on screen when"]},
    }
    yield json.dumps(head, indent=1)[: -len("\n}")] + ',\n "items": [\n'
    before = ""
    for timeline in timelines:
        yield before + json.dumps(_canvas(timeline), indent=1, ensure_ascii=False)
        before = ",\n"
    yield "\n]}\n"


def _canvas(timeline: ExportedTimeline) -> dict[str, Any]:
    own = f"{IIIF_BASE}/{timeline.sha256}"
    shape = {
        "width": timeline.width,
        "height": timeline.height,
        "duration": float(timeline.seconds(timeline.end_pts)),
    }
    video: dict[str, Any] = {"id": timeline.url, "type": "Video", **shape}
    if kind := _media_type(timeline):
        video["format"] = kind
    painting = {
        "id": f"{own}/video",
        "type": "Annotation",
        "motivation": "painting",
        "body": video,
        "target": f"{own}/canvas",
    }
    return {
        "id": f"{own}/canvas",
        "type": "Canvas",
        "label": {"none": [timeline.name]},
        "metadata": [{"label": {"en": ["Model"]}, "value": {"none": [timeline.model]}}],
        **shape,
        "items": [{"id": f"{own}/page", "type": "AnnotationPage", "items": [painting]}],
        "annotations": [
            {
                "id": f"{own}/annotations",
                "type": "AnnotationPage",
                "items": [
                    _annotation(timeline, own, number) for number in range(len(timeline.entries))
                ],
            }
        ],
    }


def _annotation(timeline: ExportedTimeline, own: str, number: int) -> dict[str, Any]:
    entry = timeline.entries[number]
    start, end = (decimal(timeline.seconds(pts)) for pts in (entry.start_pts, entry.end_pts))
    return {
        "id": f"{own}/annotations/{number + 1}",
        "type": "Annotation",
        "motivation": "tagging",
        "body": {
            "type": "TextualBody",
            "value": timeline.name_of(entry.label),
            "format": "text/plain",
        },
        "target": {
            "type": "SpecificResource",
            "source": {"id": f"{own}/canvas", "type": "Canvas"},
            "selector": {
                "type": "FragmentSelector",
                "conformsTo": MEDIA_FRAGMENTS,
                "value": f"t={start},{end}",
            },
        },
    }


def _media_type(timeline: ExportedTimeline) -> str | None:
    return guess_type(timeline.url)[0]
