"""Read corrections of one content, or of all."""

from collections.abc import Collection, Iterable, Iterator
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Row, select

from db.errors import NotFoundError
from db.failures import reading_rows
from db.library.current import can_be_shown
from db.records import CorrectionRecord
from db.schema import corrected_run, correction, current_run, run, tag
from exact.verdicts import Verdict

SHORTEST_KEY = 4
"""Least number of digits of a correction's key that a user must give."""


@reading_rows()
def list_corrections(
    connection: Connection, sha256s: Collection[str] | None = None
) -> list[CorrectionRecord]:
    """Return corrections of some contents or of all, in order of creation."""
    query = select(correction).order_by(correction.c.made_at, correction.c.id)
    if sha256s is not None:
        query = query.where(correction.c.sha256.in_(sha256s))
    return [_record(row) for row in connection.execute(query).all()]


def by_content(
    records: Iterable[CorrectionRecord],
) -> Iterator[tuple[str, list[CorrectionRecord]]]:
    """Group corrections by the SHA-256 of their content, in their order."""
    ordered = sorted(records, key=lambda record: record.sha256)
    for sha256, own in groupby(ordered, key=lambda record: record.sha256):
        yield sha256, list(own)


@reading_rows()
def find_correction(connection: Connection, reference: str) -> CorrectionRecord:
    """Return the one correction whose key starts like this.

    Raises:
        NotFoundError: No key matches, or several do.
    """
    listed = "castline corrections list shows them"
    if len(reference) < SHORTEST_KEY:
        raise NotFoundError(
            f"correction {reference!r}: give {SHORTEST_KEY} digits or more; {listed}"
        )
    begins = correction.c.key.startswith(reference.lower(), autoescape=True)
    rows = connection.execute(select(correction).where(begins)).all()
    if len(rows) != 1:
        found = "several begin so" if rows else "there is none"
        raise NotFoundError(f"correction {reference}: {found}; {listed}")
    return _record(rows[0])


def labels_said(connection: Connection) -> set[str]:
    """Return the labels that corrections put on screen, whether or not a model has them."""
    others = select(correction.c.other).where(correction.c.other.is_not(None)).distinct()
    added = select(correction.c.label).where(correction.c.verdict == Verdict.ADD).distinct()
    return {str(label) for label in connection.execute(others.union(added)).scalars()}


def count_corrections(connection: Connection, run_id: int) -> int:
    """Return how many corrections count in a run."""
    counted = select(corrected_run.c.corrections).where(corrected_run.c.run_id == run_id)
    return int(connection.execute(counted).scalar_one_or_none() or 0)


def runs_to_correct(connection: Connection, episode_ids: Collection[int]) -> dict[int, int]:
    """Return the runs of episodes whose appearances may be shown, with their episodes."""
    shown = select(current_run.c.run_id)
    rows = connection.execute(
        select(run.c.id, run.c.episode_id)
        .where(run.c.episode_id.in_(episode_ids))
        .where(can_be_shown() | run.c.id.in_(shown))
        .order_by(run.c.id)
    )
    return {row.id: row.episode_id for row in rows}


def confidences_of(
    connection: Connection, run_id: int, labels: Collection[str] | None = None
) -> dict[str, dict[int, float]]:
    """Return a run's confidences by label and pts, for these labels or all."""
    query = select(tag.c.label, tag.c.pts, tag.c.confidence).where(tag.c.run_id == run_id)
    if labels is not None:
        query = query.where(tag.c.label.in_(sorted(labels)))
    found: dict[str, dict[int, float]] = {}
    for label, pts, confidence in connection.execute(query).all():
        found.setdefault(label, {})[pts] = confidence
    return found


def _record(row: Row[Any]) -> CorrectionRecord:
    return CorrectionRecord(
        key=row.key,
        sha256=row.sha256,
        verdict=row.verdict,
        label=row.label,
        start_pts=row.start_pts,
        end_pts=row.end_pts,
        other=row.other,
        part=None if row.part_start_pts is None else (row.part_start_pts, row.part_end_pts),
        supersedes=row.supersedes,
        author=row.author,
        reason=row.reason,
        model=row.model,
        confidence=row.confidence,
        made_at=row.made_at,
    )
