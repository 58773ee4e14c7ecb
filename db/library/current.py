"""Which run of each episode queries see: the current one, or another on request.

A run replaces another by its model's standing: the time of its promotion, or else of its training.
Once any model is promoted, runs of unpromoted models never replace another model's run, and runs of
models whose promotion was withdrawn give way to those of any promoted one.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, Subquery, func, insert, select, update

from db.errors import DatabaseError, NotFoundError
from db.failures import reading_rows
from db.library.layers import CORRECTED, Layer, raw_layer
from db.schema import current_run, episode, model_version, promotion, replaced_run, run
from db.states import ENDED_RUN_STATES, RunState


@dataclass(frozen=True)
class RunSelection:
    """The runs to which a question refers: the current ones, one run, or a model's own runs."""

    run_id: int | None = None
    model_sha256: str | None = None
    raw: bool = False
    """As models found it, without what people said."""

    @property
    def layer(self) -> Layer:
        """Where it is read."""
        return raw_layer(self.run_id) if self.raw else CORRECTED

    @property
    def is_current(self) -> bool:
        """Whether it is about the current runs."""
        return self.run_id is None and self.model_sha256 is None


CURRENT = RunSelection()
"""The runs that queries see by default."""

_BEFORE_ALL = datetime.min.replace(tzinfo=UTC)


def selected_runs(selection: RunSelection) -> Subquery:
    """Select at most one run for each episode, as (episode_id, run_id)."""
    if selection.run_id is not None:
        one = select(run.c.episode_id, run.c.id.label("run_id")).where(run.c.id == selection.run_id)
        return one.subquery("shown")
    if selection.model_sha256 is not None:
        latest = (
            select(run.c.episode_id, func.max(run.c.id).label("run_id"))
            .join(model_version, model_version.c.id == run.c.model_version_id)
            .where(
                model_version.c.sha256 == selection.model_sha256, run.c.state.in_(ENDED_RUN_STATES)
            )
            .group_by(run.c.episode_id)
        )
        return latest.subquery("shown")
    return select(current_run.c.episode_id, current_run.c.run_id).subquery("shown")


def find_selection(
    connection: Connection, run_id: int | None, model: str | None, raw: bool = False
) -> RunSelection:
    """Return the runs selected by a run's number or a model's NAME[@VERSION].

    Raises:
        DatabaseError: Both are given.
        NotFoundError: There is no such run, it has not ended, or no run of such a model has.
    """
    if run_id is not None and model is not None:
        raise DatabaseError("--run and --model: a run has its model; leave one of them out")
    if run_id is not None:
        state = connection.execute(select(run.c.state).where(run.c.id == run_id)).scalar()
        if state not in ENDED_RUN_STATES:
            found = f"it is {state}" if state else "there is no such run"
            raise NotFoundError(f"run {run_id}: {found}; castline status lists them")
        return RunSelection(run_id=run_id, raw=raw)
    if model is None:
        return RunSelection(raw=raw)
    selection = RunSelection(model_sha256=_registered_sha256(connection, model), raw=raw)
    if connection.execute(select(selected_runs(selection)).limit(1)).first() is None:
        raise NotFoundError(
            f"model {model}: none of its runs ended yet; castline status lists them"
        )
    return selection


def make_current(connection: Connection, run_id: int) -> None:
    """Make an ended run current, unless the current one's model has a higher standing.

    Among runs of one model version, with any parameters, this is the user's choice.
    """
    row = connection.execute(select(run.c.episode_id, run.c.state).where(run.c.id == run_id)).one()
    if row.state in ENDED_RUN_STATES:
        lock_episode(connection, row.episode_id)
        switch_current_run(connection, row.episode_id, run_id)


def lock_episode(connection: Connection, episode_id: int) -> None:
    """Serialise the ends of runs of one episode."""
    connection.execute(
        select(episode.c.id).where(episode.c.id == episode_id).with_for_update(key_share=True)
    )


def lock_model_versions(connection: Connection, *, shared: bool) -> None:
    """Lock promotions against ends of runs; shared locks do not exclude each other.

    All rows are locked in the same order: locking them one by one may deadlock.
    """
    ordered = select(model_version.c.id).order_by(model_version.c.id)
    connection.execute(ordered.with_for_update(read=shared, key_share=not shared)).all()


def switch_current_run(connection: Connection, episode_id: int, run_id: int) -> None:
    """Make an ended run the current one of its locked episode, if its model's standing permits."""
    lock_model_versions(connection, shared=True)
    new = _candidate(connection, run_id)
    old_id = connection.execute(
        select(current_run.c.run_id).where(current_run.c.episode_id == episode_id)
    ).scalar_one_or_none()
    if old_id is None:
        connection.execute(insert(current_run).values(episode_id=episode_id, run_id=run_id))
        return
    old = _candidate(connection, old_id)
    if not _may_replace(connection, old, new):
        return
    if old.model_version_id != new.model_version_id:
        _note_replaced(connection, episode_id, old_id, old, new)
    connection.execute(
        update(current_run).where(current_run.c.episode_id == episode_id).values(run_id=run_id)
    )


@dataclass(frozen=True)
class _Candidate:
    """A run with its model's standing, for comparison with another."""

    state: RunState
    model_version_id: int
    created_at: datetime
    promoted_at: datetime | None
    standing_id: int | None
    """The latest valid promotion of its model."""
    withdrawn_id: int | None
    """The latest withdrawn promotion of its model."""

    @property
    def is_withdrawn(self) -> bool:
        """Whether its model was promoted and has no valid promotion left."""
        return self.promoted_at is None and self.withdrawn_id is not None

    @property
    def standing(self) -> datetime:
        """The time from which its model is preferred to older ones."""
        return _BEFORE_ALL if self.is_withdrawn else self.promoted_at or self.created_at


@reading_rows()
def _candidate(connection: Connection, run_id: int) -> _Candidate:
    latest = select(func.max(promotion.c.id)).where(
        promotion.c.model_version_id == run.c.model_version_id
    )
    withdrawn_at = promotion.c.withdrawn_at
    row = connection.execute(
        select(
            run.c.state,
            run.c.model_version_id,
            model_version.c.created_at,
            model_version.c.promoted_at,
            latest.where(withdrawn_at.is_(None)).scalar_subquery().label("standing_id"),
            latest.where(withdrawn_at.is_not(None)).scalar_subquery().label("withdrawn_id"),
        )
        .join(model_version, model_version.c.id == run.c.model_version_id)
        .where(run.c.id == run_id)
    ).one()
    return _Candidate(
        state=row.state,
        model_version_id=row.model_version_id,
        created_at=row.created_at,
        promoted_at=row.promoted_at,
        standing_id=row.standing_id,
        withdrawn_id=row.withdrawn_id,
    )


def _may_replace(connection: Connection, old: _Candidate, new: _Candidate) -> bool:
    if old.model_version_id != new.model_version_id and new.promoted_at is None:
        promoted = select(model_version.c.id).where(model_version.c.promoted_at.is_not(None))
        if connection.execute(promoted.limit(1)).first() is not None:
            return False
    if old.standing == new.standing:
        return (old.state, new.state) != (RunState.DONE, RunState.PARTIAL)
    return old.standing < new.standing


def _note_replaced(
    connection: Connection, episode_id: int, old_run_id: int, old: _Candidate, new: _Candidate
) -> None:
    """Record the run that a rollback of the new run's promotion restores."""
    if new.standing_id is None:
        return
    if old.promoted_at is None and (old.withdrawn_id or 0) > new.standing_id:
        return  # its model was promoted and withdrawn since then: queries did not see it before
    key = (replaced_run.c.promotion_id == new.standing_id, replaced_run.c.episode_id == episode_id)
    if connection.execute(select(replaced_run.c.run_id).where(*key)).first() is None:
        connection.execute(
            insert(replaced_run).values(
                promotion_id=new.standing_id, episode_id=episode_id, run_id=old_run_id
            )
        )


def _registered_sha256(connection: Connection, reference: str) -> str:
    name, _, version = reference.partition("@")
    query = select(model_version).order_by(model_version.c.created_at.desc())
    rows = connection.execute(query).all()
    for row in rows:
        if row.name == name and version in ("", row.version):
            return str(row.sha256)
    known = ", ".join(sorted({f"{row.name}@{row.version}" for row in rows}))
    raise NotFoundError(f"model {reference}: never ran here; there is {known or 'none yet'}")
