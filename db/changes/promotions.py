"""Promotions: which model version is used for new runs and queries, and rollbacks.

A promotion makes the model's runs current in one transaction, and a rollback makes those current
that the rule of `db.library.current` chooses without it.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, func, insert, select, update

from db.changes.showing import show_runs_of, withdraw_runs_of
from db.changes.writes import register_model_version
from db.errors import NotFoundError
from db.failures import reading_rows
from db.locks import lock_model_versions
from db.queue.claims import database_now
from db.records import ModelVersionRecord
from db.schema import current_run, model_version, promotion, run


@dataclass(frozen=True)
class PromotionRecord:
    """A stored promotion."""

    id: int
    model: str
    """NAME@VERSION of the model."""
    model_sha256: str | None
    """SHA-256 of the model version; None after it was pruned."""
    is_bundled: bool
    """Whether it came with Castline, and no user promoted it."""
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
class Promoted:
    """The result of a promotion."""

    episodes: int
    """Number of episodes that now show a run of the model instead of another's."""
    others: int
    """Number of episodes that show another model's run, for lack of one of this model."""


@dataclass(frozen=True)
class RolledBack:
    """The result of a rollback."""

    withdrawn: PromotionRecord
    in_use: PromotionRecord
    episodes: int
    """Number of episodes that show another run than before."""
    kept: int
    """Number of episodes that still show a run of the withdrawn model, for lack of another one."""


def sha256_in_use(connection: Connection, bundled: str) -> str:
    """Return the model version for new runs.

    Args:
        connection: An open connection.
        bundled: SHA-256 of the model version that comes with this Castline; it is in use until a
            user promotes another.
    """
    found = list_promotions(connection)
    if all(item.is_bundled for item in found):
        return bundled
    return standing_promotions(found)[-1].model_sha256 or bundled


@reading_rows()
def list_promotions(connection: Connection) -> list[PromotionRecord]:
    """Return all promotions, oldest first."""
    return [_promotion(row) for row in connection.execute(_promotions().order_by(promotion.c.id))]


def standing_promotions(found: list[PromotionRecord]) -> list[PromotionRecord]:
    """Return the promotions that were not rolled back; the last one's model is in use."""
    return [item for item in found if item.withdrawn_at is None]


def use_bundled(connection: Connection, bundled: ModelVersionRecord) -> None:
    """Record that the bundled model version is in use, unless a user promoted another.

    The one of an upgraded Castline is recorded after the earlier one; current runs do not change.
    """
    if _is_settled(connection, bundled):
        return
    key = register_model_version(connection, bundled)
    lock_model_versions(connection, shared=False)
    if not _is_settled(connection, bundled):
        _insert_promotion(connection, key, bundled, GateReport(), is_bundled=True)


def promote_model(
    connection: Connection, record: ModelVersionRecord, report: GateReport
) -> Promoted:
    """Promote a model version: new runs use it, and its existing runs become current.

    Args:
        connection: A connection inside a write transaction; `use_bundled` was called before.
        record: The model version.
        report: The reasons for the promotion.

    Returns:
        The numbers of episodes that show this model and others.
    """
    model_version_id = register_model_version(connection, record)
    lock_model_versions(connection, shared=False)
    _insert_promotion(connection, model_version_id, record, report, is_bundled=False)
    episodes = show_runs_of(connection, model_version_id)
    total = connection.execute(select(func.count()).select_from(current_run)).scalar_one()
    return Promoted(episodes, total - _episodes_shown_by(connection, record.sha256))


def roll_back(connection: Connection) -> RolledBack:
    """Withdraw the latest promotion: the runs become current that would be without it.

    Raises:
        NotFoundError: There is no promotion left to withdraw.
    """
    lock_model_versions(connection, shared=False)
    standing = standing_promotions(list_promotions(connection))
    if len(standing) < 2 or standing[-1].is_bundled or standing[-2].model_sha256 is None:
        raise NotFoundError("rollback: there is no earlier promotion to go back to")
    withdrawn, in_use = standing[-1], standing[-2]
    model_version_id = connection.execute(
        update(promotion)
        .where(promotion.c.id == withdrawn.id)
        .values(withdrawn_at=database_now(connection))
        .returning(promotion.c.model_version_id)
    ).scalar_one()
    episodes = withdraw_runs_of(connection, model_version_id)
    kept = 0
    if withdrawn.model_sha256 != in_use.model_sha256:
        kept = _episodes_shown_by(connection, withdrawn.model_sha256)
    return RolledBack(withdrawn, in_use, episodes, kept)


def _is_settled(connection: Connection, bundled: ModelVersionRecord) -> bool:
    found = list_promotions(connection)
    if any(not item.is_bundled for item in found):
        return True
    return bool(found) and found[-1].model_sha256 == bundled.sha256


def _episodes_shown_by(connection: Connection, model_sha256: str | None) -> int:
    shown = (
        select(func.count())
        .select_from(current_run)
        .join(run, run.c.id == current_run.c.run_id)
        .join(model_version, model_version.c.id == run.c.model_version_id)
        .where(model_version.c.sha256 == model_sha256)
    )
    return connection.execute(shown).scalar_one()


def _promotions() -> Select[Any]:
    return select(promotion, model_version.c.sha256).outerjoin(
        model_version, model_version.c.id == promotion.c.model_version_id
    )


def _promotion(row: Row[Any]) -> PromotionRecord:
    return PromotionRecord(
        id=row.id,
        model=row.model,
        model_sha256=row.sha256,
        is_bundled=row.bundled,
        promoted_at=row.promoted_at,
        requirement=row.requirement,
        is_forced=row.forced,
        regressions=tuple(json.loads(row.regressions)),
        withdrawn_at=row.withdrawn_at,
    )


def _insert_promotion(
    connection: Connection,
    model_version_id: int,
    record: ModelVersionRecord,
    report: GateReport,
    *,
    is_bundled: bool,
) -> None:
    connection.execute(
        insert(promotion).values(
            model_version_id=model_version_id,
            model=f"{record.name}@{record.version}",
            bundled=is_bundled,
            # The time at which the bundled model was installed is unknown.
            promoted_at=record.created_at if is_bundled else database_now(connection),
            requirement=report.requirement,
            forced=report.is_forced,
            regressions=json.dumps(report.regressions),
        )
    )
