"""Answers most worth reviewing, and a random sample that measures the precision of answers."""

import hashlib
import heapq
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from fractions import Fraction
from math import ceil

from castline.asking.names import require_tagged_episode
from castline.corrections.values import Audit, AuditMoment, Doubt
from castline.errors import RequestError
from castline.tables import Table, columns_of
from db.engine import Transaction
from db.library.corrections import by_content, confidences_of, list_corrections
from db.library.current import CURRENT
from db.library.episodes import get_episode
from db.library.runs import ended_chunks, get_run, raw_appearances
from db.questions.spans import selected_spans
from db.records import EpisodeRecord
from exact.ranges import intersection, total
from exact.verdicts import Verdict
from timeline.appearances.corrections import (
    Claim,
    Correction,
    said_at,
    settled,
    standing,
)
from timeline.appearances.doubts import Doubt as FoundDoubt
from timeline.appearances.doubts import Found, Kind, Record, Run, doubts
from timeline.scoring.proportion import wilson_interval
from worker.installation import Installation
from worker.parameters import RunParameters
from worker.steps.correcting import correction_of

Claims = dict[str, list[Claim]]


def review(
    installation: Installation,
    episode: str | None,
    kinds: Collection[Kind | str],
    limit: int | None,
) -> Table[Doubt]:
    """Return the answers most worth reviewing; see `Library.review`."""
    if unknown := [kind for kind in kinds if kind not in list(Kind)]:
        raise RequestError(f"review: {unknown[0]!r} is none of {', '.join(Kind)}")
    with installation.database.read() as connection:
        said = _said(connection)
        record = _record(said)
        by_kind: dict[Kind, list[Doubt]] = defaultdict(list)
        for known, run_id in _shown(connection, episode):
            claims = settled(said.get(known.sha256, ()))
            run = _run(connection, run_id, known)
            for found in doubts(run, record):
                if (not kinds or found.kind in kinds) and not _was_judged(found, claims):
                    by_kind[found.kind].append(_doubt(found, known))
    for rows in by_kind.values():
        rows.sort(key=lambda row: (-row.worth, row.episode, row.start_pts, row.label))
    found_rows = list(_in_turn([by_kind[kind] for kind in Kind if kind in by_kind]))
    has_more = limit is not None and len(found_rows) > limit
    return Table(tuple(found_rows[:limit]), columns_of(Doubt), has_more)


def audit(installation: Installation, count: int, episode: str | None, seed: int) -> Audit:
    """Return a random sample of answers, and the share of right ones; see `Library.audit`."""
    with installation.database.read() as connection:
        said = _said(connection)
        drawn = heapq.nsmallest(
            count,
            (
                (lot, known, label, moment, confidence)
                for known, run_id in _shown(connection, episode)
                for lot, label, moment, confidence in _moments(connection, run_id, known, seed)
            ),
            key=lambda each: each[0],
        )
    claims: dict[str, Claims] = {}
    rows = []
    for _, known, label, moment, confidence in drawn:
        own = claims.setdefault(known.sha256, settled(said.get(known.sha256, ())))
        pts = known.start_pts + int(moment / known.time_base)
        claim = said_at(own.get(label, ()), pts)
        is_right = None if claim is None else claim.is_shown
        rows.append(AuditMoment(known.name, label, float(moment), confidence, is_right))
    judged = [row for row in rows if row.is_right is not None]
    right = sum(row.is_right is True for row in judged)
    low, high = wilson_interval(right, len(judged))
    precision = right / len(judged) if judged else None
    columns = columns_of(AuditMoment)
    return Audit(tuple(rows), columns, False, len(judged), right, precision, low, high)


def _moments(
    connection: Transaction, run_id: int, episode: EpisodeRecord, seed: int
) -> Iterator[tuple[bytes, str, Fraction, float]]:
    """Yield the moments half past each second at which a label is on screen, with random ranks.

    The rank depends only on the content, the label and the time, so that the same moments are drawn
    from another run, or from a library that has grown, as long as they exist.
    """
    for one in raw_appearances(connection, run_id):
        start, end = (
            (pts - episode.start_pts) * episode.time_base for pts in (one.start_pts, one.end_pts)
        )
        half = Fraction(1, 2)
        for second in range(ceil(start - half), ceil(end - half)):
            text = f"{seed} {episode.sha256} {one.label} {second}"
            lot = hashlib.blake2b(text.encode(), digest_size=16).digest()
            yield lot, one.label, second + half, one.mean_confidence


def _shown(connection: Transaction, episode: str | None) -> Iterator[tuple[EpisodeRecord, int]]:
    """Yield episodes with their shown runs: one episode, or all."""
    only = None if episode is None else require_tagged_episode(connection, episode).id
    for span in selected_spans(connection, episode_id=only, selection=CURRENT):
        yield get_episode(connection, span.episode_id), span.run_id


def _said(connection: Transaction) -> dict[str, list[Correction]]:
    """Return the standing corrections by content."""
    return {
        sha256: standing([correction_of(record) for record in own])
        for sha256, own in by_content(list_corrections(connection))
    }


def _record(said: dict[str, list[Correction]]) -> Record:
    judged: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    taken_for: Counter[tuple[str, str]] = Counter()
    for one in (one for own in said.values() for one in own if one.verdict is not Verdict.ADD):
        judged[one.label] += 1
        wrong[one.label] += one.verdict is Verdict.WRONG
        if one.other is not None:
            taken_for[one.label, one.other] += 1
    return Record(judged, wrong, taken_for)


def _run(connection: Transaction, run_id: int, episode: EpisodeRecord) -> Run:
    tagged, _ = ended_chunks(connection, run_id)
    return Run(
        [
            Found(one.label, one.start_pts, one.end_pts, one.mean_confidence)
            for one in raw_appearances(connection, run_id)
        ],
        sorted({pts for part in tagged for pts in part.sampled_pts}),
        confidences_of(connection, run_id),
        RunParameters.from_json(get_run(connection, run_id).params).rules,
        episode.time_base,
    )


def _was_judged(found: FoundDoubt, claims: Claims) -> bool:
    """Tell whether corrections cover at least half of a range."""
    own = [(claim.start_pts, claim.end_pts) for claim in claims.get(found.label, ())]
    judged = intersection(own, [(found.start_pts, found.end_pts)])
    return 2 * total(judged) >= found.end_pts - found.start_pts


def _doubt(found: FoundDoubt, episode: EpisodeRecord) -> Doubt:
    start, end, at = (
        float((pts - episode.start_pts) * episode.time_base)
        for pts in (found.start_pts, found.end_pts, found.at_pts)
    )
    return Doubt(
        found.kind,
        episode.name,
        episode.sha256,
        found.label,
        found.other,
        start,
        end,
        at,
        found.start_pts,
        found.end_pts,
        found.confidence,
        found.worth,
    )


def _in_turn(lists: Sequence[Sequence[Doubt]]) -> Iterator[Doubt]:
    """Yield the first item of each list, then the second of each; duplicates only once."""
    seen: set[tuple[str, str, int]] = set()
    waiting = [iter(rows) for rows in lists]
    while waiting:
        for rows in list(waiting):
            for row in rows:
                key = (row.sha256, row.label, row.start_pts)
                if key not in seen:
                    seen.add(key)
                    yield row
                    break
            else:
                waiting.remove(rows)
