"""Read episodes: by number, by content, and by the references that users give."""

import os
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from pathlib import PurePath

from sqlalchemy import ColumnElement, Connection, func, or_, select

from db.episode_names import LARGEST_NUMBER, EpisodeName
from db.failures import reading_rows
from db.library.episode_rows import episode_record
from db.records import EpisodeRecord
from db.schema import (
    correction,
    current_run,
    episode,
    former_name,
    model_version,
    run,
    run_label,
)


@dataclass(frozen=True)
class EpisodeSummary:
    """An episode in a list."""

    id: int
    name: str
    sha256: str
    uri: str
    size_bytes: int
    duration_seconds: float
    width: int
    height: int
    frame_rate: Fraction
    added_at: datetime
    model: str | None
    """NAME@VERSION of the current run's model; None before the first run ended."""
    labels: int
    """Number of labels that appear in its current run."""
    called: EpisodeName


@reading_rows()
def list_episodes(connection: Connection) -> list[EpisodeSummary]:
    """Return all episodes, by name."""
    shown = (
        select(current_run.c.episode_id, func.count().label("labels"))
        .join(run_label, run_label.c.run_id == current_run.c.run_id)
        .group_by(current_run.c.episode_id)
        .subquery()
    )
    # by position: lookups by name in each row of a large library take half as long again
    rows = connection.execute(
        select(
            episode.c.id,
            episode.c.name,
            episode.c.sha256,
            episode.c.uri,
            episode.c.size_bytes,
            episode.c.duration_seconds,
            episode.c.width,
            episode.c.height,
            episode.c.frame_rate_num,
            episode.c.frame_rate_den,
            episode.c.added_at,
            model_version.c.name,
            model_version.c.version,
            func.coalesce(shown.c.labels, 0),
            episode.c.series,
            episode.c.season,
            episode.c.number,
            episode.c.title,
        )
        .outerjoin(current_run, current_run.c.episode_id == episode.c.id)
        .outerjoin(run, run.c.id == current_run.c.run_id)
        .outerjoin(model_version, model_version.c.id == run.c.model_version_id)
        .outerjoin(shown, shown.c.episode_id == episode.c.id)
        .order_by(episode.c.name, episode.c.id)
    ).all()
    return [
        EpisodeSummary(
            id=number,
            name=name,
            sha256=sha256,
            uri=uri,
            size_bytes=size_bytes,
            duration_seconds=seconds,
            width=width,
            height=height,
            frame_rate=Fraction(rate_num, rate_den),
            added_at=added_at,
            model=f"{model}@{version}" if model else None,
            labels=labels,
            called=EpisodeName(*called),
        )
        for (
            number,
            name,
            sha256,
            uri,
            size_bytes,
            seconds,
            width,
            height,
            rate_num,
            rate_den,
            added_at,
            model,
            version,
            labels,
            *called,
        ) in rows
    ]


def get_episode(connection: Connection, episode_id: int) -> EpisodeRecord:
    """Return the episode with this id, which exists."""
    return episode_record(
        connection.execute(select(episode).where(episode.c.id == episode_id)).one()
    )


def get_episode_by_sha256(connection: Connection, sha256: str) -> EpisodeRecord | None:
    """Return the episode with this content, None if it was never added."""
    row = connection.execute(select(episode).where(episode.c.sha256 == sha256)).one_or_none()
    return None if row is None else episode_record(row)


def episodes_with(connection: Connection, sha256s: Collection[str]) -> dict[str, EpisodeRecord]:
    """Return the episodes with some contents, by content."""
    found = _episodes(connection, episode.c.sha256.in_(sha256s))
    return {item.sha256: item for item in found}


def corrected_episodes(connection: Connection) -> dict[str, EpisodeRecord]:
    """Return the episodes with corrections, by content."""
    said = select(correction.c.sha256)
    rows = connection.execute(select(episode).where(episode.c.sha256.in_(said)))
    return {row.sha256: episode_record(row) for row in rows.all()}


def find_episodes(connection: Connection, reference: str) -> list[EpisodeRecord]:
    """Return the episodes that match a reference best.

    In this order: a whole name or path; a name without its suffix, or the end of a path;
    `Series S01E01`; an episode's number here; a name from before its file was moved; the start of
    a SHA-256 (6 digits or more), or a part of a name or title; a part of a path.

    Args:
        connection: An open connection.
        reference: The reference of a user.
    """
    path = os.path.abspath(reference)  # noqa: PTH100 - a name that is too long is no error here
    readers: tuple[Callable[[], list[EpisodeRecord]], ...] = (
        lambda: _episodes(
            connection, (episode.c.name == reference) | episode.c.uri.in_([reference, path])
        ),
        lambda: _ending_with(connection, reference),
        lambda: _numbered(connection, reference),
        lambda: _with_id(connection, reference),
        lambda: _formerly_called(connection, {reference, path}),
        lambda: _episodes(connection, _with_part(reference)),
        lambda: _episodes(connection, episode.c.uri.icontains(reference, autoescape=True)),
    )
    return next((found for read in readers if (found := read())), [])


def _episodes(connection: Connection, fits: ColumnElement[bool]) -> list[EpisodeRecord]:
    query = select(episode).where(fits).order_by(episode.c.name, episode.c.id)
    return [episode_record(row) for row in connection.execute(query).all()]


def _ending_with(connection: Connection, reference: str) -> list[EpisodeRecord]:
    """Match the end of a path, with or without the suffix, in any case."""
    may_fit = episode.c.name.istartswith(reference, autoescape=True) | episode.c.uri.icontains(
        f"/{reference}", autoescape=True
    )
    return [item for item in _episodes(connection, may_fit) if _ends_with(item.uri, reference)]


def _ends_with(uri: str, reference: str) -> bool:
    ending = f"/{reference}".casefold()
    path = f"/{uri}".casefold()
    return path.endswith(ending) or path.removesuffix(PurePath(path).suffix).endswith(ending)


def _numbered(connection: Connection, reference: str) -> list[EpisodeRecord]:
    asked = _NUMBERED.fullmatch(reference.strip())
    if asked is None or max(int(asked["season"]), int(asked["number"])) > LARGEST_NUMBER:
        return []
    here = _episodes(
        connection,
        (episode.c.season == int(asked["season"])) & (episode.c.number == int(asked["number"])),
    )
    series = letters_of(asked["series"])
    exact = [item for item in here if letters_of(item.called.series or "") == series]
    return exact or [item for item in here if series in letters_of(item.called.series or "")]


_NUMBERED = re.compile(
    r"(?P<series>.*?)[ ._-]*(?<![a-z0-9])s?(?P<season>[0-9]+) ?[ex](?P<number>[0-9]+)",
    re.IGNORECASE,
)
"""`The Town S05E12` or `the town 5x12`."""


def letters_of(text: str) -> str:
    """Return what counts in a comparison of series' names."""
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def _with_id(connection: Connection, reference: str) -> list[EpisodeRecord]:
    if not (reference.isascii() and reference.isdecimal() and int(reference) <= LARGEST_NUMBER):
        return []
    return _episodes(connection, episode.c.id == int(reference))


def _formerly_called(connection: Connection, references: Collection[str]) -> list[EpisodeRecord]:
    """Match a name or path from before the file was moved, with or without its suffix."""
    may_fit = or_(
        former_name.c.uri.in_(references),
        *(former_name.c.name.istartswith(each, autoescape=True) for each in references),
        *(former_name.c.uri.icontains(f"/{each}", autoescape=True) for each in references),
    )
    rows = connection.execute(
        select(former_name.c.episode_id, former_name.c.uri).where(may_fit)
    ).all()
    ids = {row.episode_id for row in rows if any(_ends_with(row.uri, each) for each in references)}
    return _episodes(connection, episode.c.id.in_(ids))


def _with_part(reference: str) -> ColumnElement[bool]:
    fits = episode.c.name.icontains(reference, autoescape=True)
    fits |= episode.c.title.icontains(reference, autoescape=True)
    if len(reference) >= 6:
        fits |= episode.c.sha256.startswith(reference.lower(), autoescape=True)
    return fits


def distinct_names(connection: Connection, names: Collection[str] | None = None) -> dict[int, str]:
    """Return, by id, names that tell apart episodes of one file name: `A/S01E01.mp4`.

    Episodes with a unique file name are left out.

    Args:
        connection: An open connection.
        names: Only episodes with these names; None for all.
    """
    same = select(episode.c.name).group_by(episode.c.name).having(func.count() > 1)
    if names is not None and len(names) <= MOST_NAMES:
        same = same.where(episode.c.name.in_(names))
    twins: dict[str, dict[int, str]] = defaultdict(dict)
    query = select(episode.c.id, episode.c.name, episode.c.uri).where(episode.c.name.in_(same))
    for episode_id, name, uri in connection.execute(query).all():
        twins[name][episode_id] = uri
    return {key: name for uris in twins.values() for key, name in _shortest_ends(uris).items()}


MOST_NAMES = 500
"""Names listed in a query; for more, all episodes are read."""


def _shortest_ends(uris: Mapping[int, str]) -> dict[int, str]:
    """Return, by key, as many last parts of each path as make it unique."""
    found: dict[int, str] = {}
    length = 2
    while len(found) < len(uris):
        ends = {
            key: "/".join(uri.split("/")[-length:]) for key, uri in uris.items() if key not in found
        }
        counts = Counter("/".join(uri.split("/")[-length:]) for uri in uris.values())
        found |= {key: end for key, end in ends.items() if counts[end] == 1}
        if length > max(uri.count("/") for uri in uris.values()):  # one file's place, two contents
            found |= {key: f"{end} ({key})" for key, end in ends.items() if key not in found}
        length += 1
    return found
