"""Comparing two models on episodes that both were run over: seconds gained, lost, unchanged."""

from collections.abc import Sequence
from math import ceil, floor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.console import print_json, print_table, require_episode, require_shown_run, say
from db.current import find_shown
from db.engine import Transaction
from model.labels import Names
from timeline.difference import Span, differences, length
from timeline.difference_page import EpisodeDifference, difference_page, totals
from timeline.files import whole_file
from timeline.times import format_clock, format_time
from worker.names import names_of
from worker.workplace import Workplace

if TYPE_CHECKING:
    from timeline.difference import LabelDifference

KINDS = ("gained", "lost", "unchanged")


def compare_episodes(
    place: Workplace,
    first: str,
    second: str,
    episodes: Sequence[str],
    *,
    page: Path | None,
    as_json: bool,
) -> None:
    """Says what changes in episodes when the second model's runs take the place of the first's.

    Args:
        place: The installation.
        first: NAME or NAME@VERSION of a model that was run over the episodes.
        second: The one that may replace it.
        episodes: What people call them.
        page: Where to write it as HTML, with pictures; None for nowhere.
        as_json: Print JSON instead of tables.

    Raises:
        NotFoundError: There is no such episode, or one of the models has no run over it.
    """
    with place.database.read() as connection:
        compared = [
            _compared(place, connection, first, second, name) for name in dict.fromkeys(episodes)
        ]
        names = names_of(connection)
    found = [difference for _, difference in compared]
    models = compared[0][0]
    if page is not None:
        shown = names.shown(item.label for each in found for item in each.labels)
        with whole_file(page) as temporary:
            temporary.write_text(difference_page(*models, found, shown), encoding="utf-8")
        say(f"Wrote {page}")
    if as_json:
        print_json(_json(models, found))
    else:
        _print(models, found, names)


def _compared(
    place: Workplace, connection: Transaction, first: str, second: str, name: str
) -> tuple[tuple[str, str], EpisodeDifference]:
    from worker.answers import labelled_ranges
    from worker.thumbnails import Thumbnails

    episode = require_episode(connection, name)
    shown = [find_shown(connection, None, reference) for reference in (first, second)]
    runs = [require_shown_run(connection, episode, each) for each in shown]
    before, after = (labelled_ranges(connection, episode, each) for each in shown)
    seen_by = [run.id for run in runs]  # what is gained was seen by one, what is lost by the other
    thumbnails = Thumbnails(connection, place, runs[1], episode, seen_by)
    difference = EpisodeDifference(episode.name, tuple(differences(before, after)), thumbnails.of)
    return (runs[0].model, runs[1].model), difference


def _print(models: tuple[str, str], found: Sequence[EpisodeDifference], names: Names) -> None:
    rows = [
        (names[item.label], *(format_time(getattr(item, kind)) for kind in KINDS))
        for item in totals(found)
    ]
    print_table(("character", *KINDS), rows, numbers=" ".join(KINDS))
    for episode in found:
        changed = [item for item in episode.labels if item.is_changed]
        say("")
        say(episode.episode + ("" if changed else ": nothing changes"))
        if changed:
            print_table(
                ("character", "gained", "lost"),
                [(names[item.label], _spans(item.gained), _spans(item.lost)) for item in changed],
            )
    say("")
    say(f"Gained is what {models[1]} finds and {models[0]} does not; lost the other way round.")


def _spans(spans: Sequence[Span]) -> str:
    return ", ".join(
        f"{format_clock(floor(start))}-{format_clock(ceil(end))}" for start, end in spans
    )


def _json(models: tuple[str, str], found: Sequence[EpisodeDifference]) -> dict[str, Any]:
    return {
        "first": models[0],
        "second": models[1],
        "labels": [
            {"label": item.label}
            | {f"{kind}_seconds": float(getattr(item, kind)) for kind in KINDS}
            for item in totals(found)
        ],
        "episodes": [
            {"episode": each.episode, "labels": [_label_json(item) for item in each.labels]}
            for each in found
        ],
    }


def _label_json(item: "LabelDifference") -> dict[str, Any]:
    spans = {kind: getattr(item, kind) for kind in KINDS}
    return (
        {"label": item.label}
        | {f"{kind}_seconds": float(length(each)) for kind, each in spans.items()}
        | {
            kind: [[float(start), float(end)] for start, end in each]
            for kind, each in spans.items()
        }
    )
