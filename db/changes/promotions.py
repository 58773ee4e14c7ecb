"""Promotions: which model version new runs use and queries see, and the way back.

A promotion lets the model's ended runs take over in one transaction, and notes which runs they
replaced; so does every run of that model that ends later. A rollback puts those back.
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
    """One promotion, as it is kept."""

    id: int
    model: str
    """NAME@VERSION."""
    model_sha256: str | None
    """None once the model version was pruned."""
    promoted_at: datetime
    requirement: str | None
    """What it had to meet; None where nothing was measured."""
    is_forced: bool
    regressions: tuple[str, ...]
    """What fell short, a line each."""
    withdrawn_at: datetime | None
    """When it was rolled back."""


@dataclass(frozen=True)
class GateReport:
    """What is kept of how a model came to be promoted."""

    requirement: str | None = None
    is_forced: bool = False
    regressions: tuple[str, ...] = ()


@dataclass(frozen=True)
class RolledBack:
    """What a rollback did."""

    withdrawn: PromotionRecord
    in_use: PromotionRecord
    episodes: int
    """How many show another run than before."""
    kept: int
    """How many still show a run of the withdrawn model: no earlier one is there to be shown."""


def promoted_sha256(connection: Connection) -> str | None:
    """The model version that new runs use; None before the first promotion."""
    found = [item for item in list_promotions(connection) if item.withdrawn_at is None]
    return found[-1].model_sha256 if found else None


@reading_rows()
def list_promotions(connection: Connection) -> list[PromotionRecord]:
    """All promotions, oldest first."""
    return [_promotion(row) for row in connection.execute(_promotions().order_by(promotion.c.id))]


def begin_promotions(connection: Connection, in_use: ModelVersionRecord) -> None:
    """Records which model is in use before any is promoted; does nothing afterwards.

    It counts as promoted when it was made, so that its runs and those that people made with other
    models stand as they did: the newer model's is shown.
    """
    lock_model_versions(connection, shared=False)
    if connection.execute(select(promotion.c.id).limit(1)).first() is None:
        key = register_model_version(connection, in_use)
        _insert_promotion(connection, key, in_use, in_use.created_at, GateReport())


def promote_model(
    connection: Connection, record: ModelVersionRecord, params_hash: str, report: GateReport
) -> int:
    """Promotes a model version: new runs use it, and queries see its runs where there are any.

    Args:
        connection: A connection inside a write transaction; `begin_promotions` came before.
        record: The model version.
        params_hash: Of the parameters that its runs shall have; others serve where there are none
            of these.
        report: How it came to be promoted.

    Returns:
        How many episodes show one of its runs instead of another model's now.
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
    """Withdraws the latest promotion: what queries saw before it is what they see again.

    An episode that no run had been shown of before, or whose run of then was pruned, keeps the one
    that it has.

    Raises:
        NotFoundError: No promotion is left to go back to.
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
    """Now, or later than every standing that the promoted model's has to exceed."""
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
    """Makes these runs, by episode, the current ones, and notes what they replace."""
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
    """Gives the withdrawn model the standing of its promotion before, if it has another."""
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
