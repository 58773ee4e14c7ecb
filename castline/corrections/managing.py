"""List, undo, export and import corrections."""

import uuid
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from castline.asking.names import require_episode
from castline.corrections.files import read_corrections, write_corrections
from castline.corrections.judging import moment_after, user
from castline.corrections.records import (
    COLUMNS,
    counting_keys,
    shown,
    shown_corrections,
    table_of,
)
from castline.corrections.values import Correction, Imported, Judged
from castline.errors import RequestError
from castline.tables import Table
from db.changes.corrections import add_corrections
from db.engine import Transaction
from db.library.corrections import by_content, find_correction, list_corrections
from db.library.episodes import episodes_with
from db.locks import lock_episodes
from db.queue.claims import database_now
from db.records import CorrectionRecord, EpisodeRecord
from exact.verdicts import Verdict
from timeline.files import check_free, whole_file
from worker.installation import Installation
from worker.steps.correcting import correct_runs

CONTENTS_AT_ONCE = 25
"""Their corrections share a transaction, during which others wait: a fraction of a second."""


def corrections(
    installation: Installation, episode: str | None, limit: int | None
) -> Table[Correction]:
    """Return corrections, the latest first; see `Library.corrections`."""
    with installation.database.read() as connection:
        known = None if episode is None else require_episode(connection, episode)
        found = shown_corrections(connection, known)[::-1]
    return table_of(found[:limit], limit is not None and len(found) > limit)


def undo(
    installation: Installation, keys: Sequence[str], author: str | None, reason: str
) -> Judged:
    """Undo corrections; see `Library.undo_corrections`."""
    with installation.database.write() as connection:
        targets = [find_correction(connection, key) for key in keys]
        episodes = episodes_with(connection, {target.sha256 for target in targets})
        lock_episodes(connection, [episode.id for episode in episodes.values()])
        made = [
            _undone(connection, target, episodes.get(target.sha256), author or user(), reason)
            for target in targets
        ]
        correct_runs(connection, episodes.values())
    return Judged(tuple(made), COLUMNS)


def _undone(
    connection: Transaction,
    target: CorrectionRecord,
    episode: EpisodeRecord | None,
    author: str,
    reason: str,
) -> Correction:
    sha256 = target.sha256
    earlier = list_corrections(connection, [sha256])
    if target.key not in counting_keys(earlier):
        raise RequestError(
            f"correction {target.key[:8]}: is undone already; castline corrections undo brings it"
            " back, given the key of the undoing"
        )
    record = CorrectionRecord(
        key=uuid.uuid4().hex,
        sha256=sha256,
        verdict=Verdict.UNDO,
        label=target.label,
        start_pts=target.start_pts,
        end_pts=target.end_pts,
        other=None,
        part=None,
        supersedes=target.key,
        author=author,
        reason=reason,
        model=None,
        confidence=None,
        made_at=moment_after(earlier, database_now(connection)),
    )
    add_corrections(connection, [record])
    return shown(record, episode, stands=True)


def export(installation: Installation, output: Path, episode: str | None, *, force: bool) -> int:
    """Write corrections into a file; see `Library.export_corrections`."""
    check_free(output, force)
    with installation.database.read() as connection:
        known = None if episode is None else require_episode(connection, episode)
        records = list_corrections(connection, [known.sha256] if known else None)
        names = {one.sha256: one.episode for one in shown_corrections(connection, known)}
    with whole_file(output) as temporary:
        write_corrections(temporary, records, names)
    return len(records)


def import_(installation: Installation, path: Path) -> Imported:
    """Import corrections from a file; see `Library.import_corrections`."""
    records = read_corrections(path)
    added, here, elsewhere = 0, 0, 0
    contents = iter(by_content(records))
    while some := dict(islice(contents, CONTENTS_AT_ONCE)):
        with installation.database.write() as connection:
            episodes = episodes_with(connection, some)
            lock_episodes(connection, [episode.id for episode in episodes.values()])
            new = add_corrections(connection, [record for own in some.values() for record in own])
            changed = {record.sha256 for record in new}
            to_correct = [episodes[sha256] for sha256 in episodes if sha256 in changed]
            correct_runs(connection, to_correct)
        added += len(new)
        here += len(to_correct)
        elsewhere += len(changed) - len(to_correct)
    return Imported(added, len(records) - added, here, elsewhere)
