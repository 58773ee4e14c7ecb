"""Promotions: which model version is used for new runs and queries, and rollbacks.

A promotion makes the model's ended runs current in one transaction, and records which runs they
replaced; so does every run of that model that ends later. A rollback restores those.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, func, insert, select, update

from db.changes.writes import register_model_version
from db.errors import NotFoundError
from db.failures import reading_rows
from db.library.current import lock_model_versions
from db.queue.claims import database_now
from db.records import ModelVersionRecord
from db.schema import current_run, model_version, promotion, replaced_run, run
from db.states import ENDED_RUN_STATES, RunState


@dataclass(frozen=True)
class PromotionRecord:
    """A stored promotion."""

    id: int
    model: str
    """NAME@VERSION of the model."""
    model_sha256: str | None
    """SHA-256 of the model version; None after it was pruned."""
    promoted_at: datetime
    requirement: str | None
    """The requirement that it had to meet; None where nothing was measured."""
    is_forced: bool
    regressions: tuple[str, ...]
    """Metrics that fell short, a line each."""
    withdrawn_at: datetime | None
    """Time of its rollback."""


@dataclass(frozen=True)
class GateReport:
    """The stored reasons for a model's promotion."""

    requirement: str | None = None
    is_forced: bool = False
    regressions: tuple[str, ...] = ()


@dataclass(frozen=True)
class RolledBack:
    """The result of a rollback."""

    withdrawn: PromotionRecord
    in_use: PromotionRecord
    episodes: int
    """Number of episodes that show another run than before."""
    kept: int
    """Number of episodes that still show a run of the withdrawn model, for lack of an earlier
    one."""


def promoted_sha256(connection: Connection) -> str | None:
    """Return the model version for new runs; None before the first promotion."""
    found = [item for item in list_promotions(connection) if item.withdrawn_at is None]
    return found[-1].model_sha256 if found else None


@reading_rows()
def list_promotions(connection: Connection) -> list[PromotionRecord]:
    """Return all promotions, oldest first."""
    return [_promotion(row) for row in connection.execute(_promotions().order_by(promotion.c.id))]


def begin_promotions(connection: Connection, in_use: ModelVersionRecord) -> None:
    """Record the model in use before the first promotion; does nothing afterwards.

    It counts as promoted at the time of its training, so that its runs and those with other models
    keep their precedence: the newer model's run is current.
    """
    lock_model_versions(connection, shared=False)
    if connection.execute(select(promotion.c.id).limit(1)).first() is None:
        key = register_model_version(connection, in_use)
        _insert_promotion(connection, key, in_use, in_use.created_at, GateReport())


def promote_model(
    connection: Connection, record: ModelVersionRecord, params_hash: str, report: GateReport
) -> int:
    """Promote a model version: new runs use it, and its existing runs become current.

    Args:
        connection: A connection inside a write transaction; `begin_promotions` was called before.
        record: The model version.
        params_hash: Hash of the preferred parameters of its runs; other runs serve where there are
            none with these.
        report: The reasons for the promotion.

    Returns:
        The number of episodes that now show one of its runs instead of another model's.
    """
    model_version_id = register_model_version(connection, record)
    lock_model_versions(connection, shared=False)
    moment = _after_all_others(connection)
    promotion_id = _insert_promotion(connection, model_version_id, record, moment, report)
    best: dict[int, int] = {}
    ended = select(run).where(
        run.c.model_version_id == model_version_id, run.c.state.in_(ENDED_RUN_STATES)
    )
    for row in sorted(
        connection.execute(ended),
        key=lambda row: (row.params_hash == params_hash, row.state is RunState.DONE, row.id),
    ):
        best[row.episode_id] = row.id
    return _take_over(connection, promotion_id, model_version_id, best)


def roll_back(connection: Connection) -> RolledBack:
    """Withdraw the latest promotion: the runs that were current before it become current again.

    An episode without an earlier current run, or whose earlier one was pruned, keeps its run.

    Raises:
        NotFoundError: There is no promotion left to withdraw.
    """
    lock_model_versions(connection, shared=False)
    standing = [item for item in list_promotions(connection) if item.withdrawn_at is None]
    if len(standing) < 2 or standing[-2].model_sha256 is None:
        raise NotFoundError("rollback: there is no earlier promotion to go back to")
    withdrawn, in_use = standing[-1], standing[-2]
    replaced = replaced_run.c.promotion_id == withdrawn.id
    former = (
        select(replaced_run.c.run_id)
        .where(replaced, replaced_run.c.episode_id == current_run.c.episode_id)
        .correlate(current_run)
        .scalar_subquery()
    )
    episodes = connection.execute(
        update(current_run)
        .where(current_run.c.episode_id.in_(select(replaced_run.c.episode_id).where(replaced)))
        .values(run_id=former)
    ).rowcount
    connection.execute(delete(replaced_run).where(replaced))
    connection.execute(
        update(promotion)
        .where(promotion.c.id == withdrawn.id)
        .values(withdrawn_at=database_now(connection))
    )
    _restore_standing(connection, withdrawn.id)
    kept = (
        select(func.count())
        .select_from(current_run)
        .join(run, run.c.id == current_run.c.run_id)
        .join(model_version, model_version.c.id == run.c.model_version_id)
        .where(model_version.c.sha256 == withdrawn.model_sha256)
    )
    return RolledBack(withdrawn, in_use, episodes, connection.execute(kept).scalar_one())


def _promotions() -> Select[Any]:
    return select(promotion, model_version.c.sha256).outerjoin(
        model_version, model_version.c.id == promotion.c.model_version_id
    )


def _promotion(row: Row[Any]) -> PromotionRecord:
    return PromotionRecord(
        id=row.id,
        model=row.model,
        model_sha256=row.sha256,
        promoted_at=row.promoted_at,
        requirement=row.requirement,
        is_forced=row.forced,
        regressions=tuple(json.loads(row.regressions)),
        withdrawn_at=row.withdrawn_at,
    )


@reading_rows()
def _after_all_others(connection: Connection) -> datetime:
    """Return the current time, or a later one that exceeds the standing of all other models."""
    latest = connection.execute(
        select(func.max(model_version.c.created_at), func.max(model_version.c.promoted_at))
    ).one()
    moments: list[datetime] = [moment for moment in latest if moment]
    return max(database_now(connection), *(each + timedelta(microseconds=1) for each in moments))


def _insert_promotion(
    connection: Connection,
    model_version_id: int,
    record: ModelVersionRecord,
    moment: datetime,
    report: GateReport,
) -> int:
    connection.execute(
        update(model_version)
        .where(model_version.c.id == model_version_id)
        .values(promoted_at=moment)
    )
    values = {
        "model_version_id": model_version_id,
        "model": f"{record.name}@{record.version}",
        "promoted_at": moment,
        "requirement": report.requirement,
        "forced": report.is_forced,
        "regressions": json.dumps(report.regressions),
    }
    inserted = insert(promotion).values(values).returning(promotion.c.id)
    return int(connection.execute(inserted).scalar_one())


def _take_over(
    connection: Connection, promotion_id: int, model_version_id: int, best: dict[int, int]
) -> int:
    """Make these runs, by episode, the current ones, and record the runs they replace."""
    shown = connection.execute(
        select(current_run.c.episode_id, current_run.c.run_id, run.c.model_version_id).join(
            run, run.c.id == current_run.c.run_id
        )
    )
    replaced = [
        {"promotion_id": promotion_id, "episode_id": row.episode_id, "run_id": row.run_id}
        for row in shown
        if row.episode_id in best and row.model_version_id != model_version_id
    ]
    if replaced:
        connection.execute(insert(replaced_run), replaced)
        _point_at(connection, {row["episode_id"]: best[row["episode_id"]] for row in replaced})
    return len(replaced)


def _point_at(connection: Connection, runs: dict[int, int]) -> None:
    for episode_id, run_id in runs.items():
        connection.execute(
            update(current_run).where(current_run.c.episode_id == episode_id).values(run_id=run_id)
        )


def _restore_standing(connection: Connection, withdrawn_id: int) -> None:
    """Restore the withdrawn model's standing from its earlier promotion, if there is one."""
    withdrawn = select(promotion.c.model_version_id).where(promotion.c.id == withdrawn_id)
    model_version_id = connection.execute(withdrawn).scalar_one()
    earlier = select(func.max(promotion.c.promoted_at)).where(
        promotion.c.model_version_id == model_version_id, promotion.c.withdrawn_at.is_(None)
    )
    connection.execute(
        update(model_version)
        .where(model_version.c.id == model_version_id)
        .values(promoted_at=connection.execute(earlier).scalar_one_or_none())
    )
