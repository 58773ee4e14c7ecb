"""Print a comparison of two models on episodes: seconds gained, lost, unchanged."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import ceil, floor

from castline.models.comparison_on_episodes import KINDS, EpisodesComparison
from castline.text import format_clock, format_time
from cli.console import print_table, say


def print_comparison(found: EpisodesComparison, names: Mapping[str, str]) -> None:
    """Print the changes in episodes if the second model's runs replace the first's."""
    rows = [
        (names[item.label], *(format_time(getattr(item, f"{kind}_seconds")) for kind in KINDS))
        for item in found.labels
    ]
    print_table(("character", *KINDS), rows, numbers=" ".join(KINDS))
    for episode in found.episodes:
        changed = [item for item in episode.labels if item.is_changed]
        say("")
        say(episode.episode + ("" if changed else ": nothing changes"))
        if changed:
            print_table(
                ("character", "gained", "lost"),
                [(names[item.label], _spans(item.gained), _spans(item.lost)) for item in changed],
            )
    say("")
    say(f"Gained: found only by {found.second}; lost: found only by {found.first}.")


def _spans(spans: Sequence[tuple[Fraction, Fraction]]) -> str:
    return ", ".join(
        f"{format_clock(floor(start))}-{format_clock(ceil(end))}" for start, end in spans
    )
