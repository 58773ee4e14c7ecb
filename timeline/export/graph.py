"""Characters on screen together, as a graph in GraphML (http://graphml.graphdrawing.org)."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import combinations
from xml.etree.ElementTree import Element, SubElement

from exact.ranges import PtsRanges, intersection, union
from timeline.export.formats import ExportedTimeline
from timeline.export.xml import xml_text

NODE_KEYS = {"name": "string", "seconds": "double"}
EDGE_KEYS = {"seconds": "double", "times": "int", "episodes": "int"}


@dataclass(slots=True)
class _Meetings:
    """How long two labels share the screen, how many times, and in how many episodes."""

    seconds: Fraction = Fraction(0)
    times: int = 0
    episodes: int = 0


@dataclass(frozen=True, slots=True)
class _Graph:
    names: dict[str, str] = field(default_factory=dict)
    """Display names by label."""
    seconds: dict[str, Fraction] = field(default_factory=lambda: defaultdict(Fraction))
    """Screen time of each label."""
    meetings: dict[tuple[str, str], _Meetings] = field(
        default_factory=lambda: defaultdict(_Meetings)
    )


def graphml_pieces(timelines: Iterable[ExportedTimeline]) -> Iterator[str]:
    """Yield a node for each label, and an edge between those that share the screen."""
    found = _Graph()
    for timeline in timelines:
        _add(found, timeline)
    root = Element("graphml", xmlns="http://graphml.graphdrawing.org/xmlns")
    for of, keys in (("node", NODE_KEYS), ("edge", EDGE_KEYS)):
        for name, kind in keys.items():
            values = {"id": f"{of}_{name}", "for": of, "attr.name": name, "attr.type": kind}
            SubElement(root, "key", values)
    graph = SubElement(root, "graph", id="together", edgedefault="undirected")
    for label in sorted(found.names):
        node = SubElement(graph, "node", id=label)
        _tell(node, node_name=found.names[label], node_seconds=float(found.seconds[label]))
    for (one, other), pair in sorted(found.meetings.items()):
        edge = SubElement(graph, "edge", source=one, target=other)
        _tell(
            edge,
            edge_seconds=float(pair.seconds),
            edge_times=pair.times,
            edge_episodes=pair.episodes,
        )
    yield xml_text(root)


def _add(graph: _Graph, timeline: ExportedTimeline) -> None:
    ranges = _ranges(timeline)
    for label, own in ranges.items():
        graph.names[label] = timeline.name_of(label)
        graph.seconds[label] += sum(end - start for start, end in own) * timeline.time_base
    for one, other in combinations(sorted(ranges), 2):
        if shared := intersection(ranges[one], ranges[other]):
            pair = graph.meetings[one, other]
            pair.seconds += sum(end - start for start, end in shared) * timeline.time_base
            pair.times += len(shared)
            pair.episodes += 1


def _ranges(timeline: ExportedTimeline) -> dict[str, PtsRanges]:
    found: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for entry in timeline.entries:
        found[entry.label].append((entry.start_pts, entry.end_pts))
    return {label: union(ranges) for label, ranges in found.items()}


def _tell(element: Element, **values: object) -> None:
    for key, value in values.items():
        SubElement(element, "data", key=key).text = str(value)
