"""Which run of each episode queries see: the current one, or another on request.

Queries show the run of the model in use with the parameters in use; another model's run only when
no such run exists: of the model in use before it, and so on, then of the model that ran here first,
so that a trial changes nothing. The model in use is that of the latest promotion that was not
rolled back. The parameters in use, of a model over an episode, are those that were asked for last.
A run counts from its first end on, `done` or `partial`; a complete run precedes a partial one of
the same model. A run over the whole episode precedes one over a part, also of a model in use
later, since that would hide what is known of the rest.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Subquery, case, func, select

from db.errors import DatabaseError, NotFoundError
from db.library.layers import CORRECTED, Layer, raw_layer
from db.library.repeats import without_repeats
from db.schema import current_run, model_version, promotion, run
from db.states import ENDED_RUN_STATES, RunState


@dataclass(frozen=True)
class RunSelection:
    """The runs to which a question refers: the current ones, one run, or a model's own runs."""

    run_id: int | None = None
    model_sha256: str | None = None
    raw: bool = False
    """Whether to read raw results, without corrections."""
    skip_repeats: bool = False
    """Whether to leave out ranges that recur in other episodes: openings, credits."""

    @property
    def layer(self) -> Layer:
        """The tables to read."""
        whole = self.whole_layer
        return without_repeats(whole, self.run_id) if self.skip_repeats else whole

    @property
    def whole_layer(self) -> Layer:
        """The tables to read, with repeats."""
        return raw_layer(self.run_id) if self.raw else CORRECTED

    @property
    def is_current(self) -> bool:
        """Whether it refers to the current runs."""
        return self.run_id is None and self.model_sha256 is None


CURRENT = RunSelection()
"""The runs that queries see by default."""


def selected_runs(selection: RunSelection) -> Subquery:
    """Select at most one run for each episode, as (episode_id, run_id)."""
    if selection.run_id is not None:
        one = select(run.c.episode_id, run.c.id.label("run_id")).where(run.c.id == selection.run_id)
        return one.subquery("shown")
    if selection.model_sha256 is not None:
        return best_runs(model_version.c.sha256 == selection.model_sha256, name="shown")
    return select(current_run.c.episode_id, current_run.c.run_id).subquery("shown")


def find_selection(
    connection: Connection,
    run_id: int | None,
    model: str | None,
    raw: bool = False,
    skip_repeats: bool = False,
) -> RunSelection:
    """Return the runs selected by a run's number or a model's NAME[@VERSION].

    Raises:
        DatabaseError: Both are given.
        NotFoundError: There is no such run, it has not ended, or no run of such a model has.
    """
    if run_id is not None and model is not None:
        raise DatabaseError("--run and --model: a run has its model; leave one of them out")
    if run_id is not None:
        row = connection.execute(
            select(run.c.state, can_be_shown().label("is_there")).where(run.c.id == run_id)
        ).one_or_none()
        if row is None or not row.is_there:
            found = f"it is {row.state}" if row else "there is no such run"
            raise NotFoundError(f"run {run_id}: {found}; castline status lists them")
        return RunSelection(run_id, raw=raw, skip_repeats=skip_repeats)
    if model is None:
        return RunSelection(raw=raw, skip_repeats=skip_repeats)
    sha256 = _registered_sha256(connection, model)
    selection = RunSelection(model_sha256=sha256, raw=raw, skip_repeats=skip_repeats)
    if connection.execute(select(selected_runs(selection)).limit(1)).first() is None:
        raise NotFoundError(
            f"model {model}: none of its runs ended yet; castline status lists them"
        )
    return selection


def can_be_shown() -> ColumnElement[bool]:
    """Return the condition that a run has results: it ended, or ended in part and is retried."""
    return run.c.state.in_(ENDED_RUN_STATES) | run.c.keeps_partial


def best_runs(
    *wanted: ColumnElement[bool],
    without_promotions: Sequence[int] = (),
    name: str = "best",
) -> Subquery:
    """Select the run of each episode by the rule, as (episode_id, run_id, model_version_id).

    Args:
        wanted: Conditions on `run` and `model_version` that restrict the choice.
        without_promotions: Promotions that count as withdrawn.
        name: Name of the subquery.
    """
    standing = _standing(without_promotions)
    is_partial = case((run.c.state == RunState.DONE, 0), else_=1)
    is_trial = case((standing.c.promotion_id.is_(None), 1), else_=0)
    is_part = case((run.c.part_start_pts.is_(None), 0), else_=1)
    order = (is_trial, is_part, *_order_of_models(standing), is_partial, *_LAST_ASKED)
    return _first_of_each_episode(standing, (can_be_shown(), *wanted), order, name)


def params_asked_last(
    connection: Connection, episode_ids: Sequence[int] | None = None
) -> dict[int, str]:
    """Return the parameters last requested for all or these episodes, whatever the run's outcome.

    They are those of the model in use, or else of the one in use before it, and so on: runs of
    other models are trials. Episodes without such a run are left out.
    """
    standing = _standing(())
    wanted: tuple[ColumnElement[bool], ...] = (standing.c.promotion_id.is_not(None),)
    if episode_ids is not None:
        wanted += (run.c.episode_id.in_(episode_ids),)
    order = (*_order_of_models(standing), *_LAST_ASKED)
    last = _first_of_each_episode(standing, wanted, order, "last")
    rows = connection.execute(
        select(last.c.episode_id, run.c.params).join(run, run.c.id == last.c.run_id)
    )
    return {row.episode_id: row.params for row in rows}


def _standing(without: Sequence[int]) -> Subquery:
    """Select the latest promotion of each model; promotions that were rolled back do not count."""
    return (
        select(promotion.c.model_version_id, func.max(promotion.c.id).label("promotion_id"))
        .where(promotion.c.withdrawn_at.is_(None), promotion.c.id.not_in(without))
        .group_by(promotion.c.model_version_id)
        .subquery("standing")
    )


def _order_of_models(standing: Subquery) -> tuple[ColumnElement[Any], ...]:
    """Order models: the one in use, those in use before it, the others by their first run."""
    return (func.coalesce(standing.c.promotion_id, 0).desc(), model_version.c.id)


_LAST_ASKED = (run.c.asked.desc(), run.c.id.desc())


def _first_of_each_episode(
    standing: Subquery,
    wanted: Sequence[ColumnElement[bool]],
    order: Sequence[ColumnElement[Any]],
    name: str,
) -> Subquery:
    place = func.row_number().over(partition_by=run.c.episode_id, order_by=order)
    ordered = (
        select(
            run.c.episode_id,
            run.c.id.label("run_id"),
            run.c.model_version_id,
            place.label("place"),
        )
        .join(model_version, model_version.c.id == run.c.model_version_id)
        .outerjoin(standing, standing.c.model_version_id == run.c.model_version_id)
        .where(*wanted)
        .subquery("ordered")
    )
    first: Select[Any] = select(
        ordered.c.episode_id, ordered.c.run_id, ordered.c.model_version_id
    ).where(ordered.c.place == 1)
    return first.subquery(name)


def _registered_sha256(connection: Connection, reference: str) -> str:
    name, _, version = reference.partition("@")
    query = select(model_version).order_by(model_version.c.created_at.desc())
    rows = connection.execute(query).all()
    for row in rows:
        if row.name == name and version in ("", row.version):
            return str(row.sha256)
    known = ", ".join(sorted({f"{row.name}@{row.version}" for row in rows}))
    raise NotFoundError(f"model {reference}: never ran here; there is {known or 'none yet'}")
