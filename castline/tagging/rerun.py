"""Run a model again on known episodes: all, missing or stale ones."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from castline.asking.files import gone
from castline.asking.names import require_episode, shown_names
from castline.models.in_use import chosen_model, prepare_runs
from castline.tables import Row, Table, columns_of
from castline.tagging.rates import Rates, measured_rates
from castline.tagging.rerun_plan import Rerun, Which, enqueue_rerun, plan_reruns
from castline.tagging.run_models import keep_model
from castline.tagging.runs import shown_runs
from castline.tagging.showing import describe_shown, make_shown
from castline.tagging.values import RUN_COLUMNS, Hooks, Run
from castline.tagging.work import work_on
from db.library.runs import current_runs, list_runs
from model.inference.device import Device
from model.version.artifact import ModelVersion
from worker.installation import Installation


@dataclass(frozen=True)
class PlannedRun(Row):
    """A planned run of a model over an episode."""

    episode: str
    episode_id: int
    sha256: str
    """SHA-256 of the episode."""
    model: str
    """NAME@VERSION of the model."""
    reason: str
    """The reason, as text."""
    run: int | None
    """Number of the run, if it was started before."""
    is_done: bool
    """Whether the run is finished and only has to become current."""
    is_stored: bool
    """Whether all its frames are in the frame store."""
    is_gone: bool
    """Whether it cannot run, since the file that it needs is not at its path."""
    frames: int
    """Estimated number of frames left to classify."""
    seconds: float | None
    """Estimated duration; None where no earlier run gives an estimate."""


@dataclass(frozen=True, repr=False)
class Plan(Table[PlannedRun]):
    """The runs that would be made."""

    model: str = ""
    """NAME@VERSION of the model."""


@dataclass(frozen=True, repr=False)
class Reran(Table[Run]):
    """The requested runs."""

    model: str = ""
    """NAME@VERSION of the model."""
    seconds: float | None = None
    """Duration of the work; None where nothing was left to do."""
    refused: int = 0
    """Number of episodes that could not run, since their files are gone."""
    shown: tuple[str, ...] = ()
    """Lines about current runs that changed, or that are not the requested ones."""


def plan(
    installation: Installation,
    which: Which,
    episodes: Sequence[str],
    *,
    model: str | None,
    since: datetime | None,
) -> Plan:
    """Plan runs and estimate their duration; see `Library.plan_rerun`."""
    version = chosen_model(installation, model)
    found, rates = _planned(installation, version, which, episodes, since)
    with installation.database.read() as connection:
        names = shown_names(connection, {item.episode.id: item.episode.name for item in found})
    rows = tuple(_row(item, names[item.episode.id], rates, version) for item in found)
    return Plan(rows, columns_of(PlannedRun), model=version.manifest.reference)


def rerun(
    installation: Installation,
    which: Which,
    episodes: Sequence[str],
    *,
    model: str | None,
    since: datetime | None,
    workers: int | None,
    device: Device,
    hooks: Hooks,
) -> Reran:
    """Run a model again; see `Library.rerun`."""
    version = chosen_model(installation, model)
    planned, _ = _planned(installation, version, which, episodes, since)
    found = [item for item in planned if not item.is_gone]
    for item in planned:
        if item.is_gone:
            hooks.refuse(gone(item.episode))
    with installation.database.read() as connection:
        before = current_runs(connection, [item.episode.id for item in found])
    run_ids, seconds = (
        _run(installation, found, version, workers, device, hooks) if found else ((), None)
    )
    with installation.database.read() as connection:
        return Reran(
            shown_runs(connection, run_ids),
            RUN_COLUMNS,
            model=version.manifest.reference,
            seconds=seconds,
            refused=len(planned) - len(found),
            shown=describe_shown(connection, run_ids, before),
        )


def _planned(
    installation: Installation,
    version: ModelVersion,
    which: Which,
    episodes: Sequence[str],
    since: datetime | None,
) -> tuple[list[Rerun], Rates]:
    with installation.database.read() as connection:
        wanted = {require_episode(connection, name).id for name in episodes} or None
        rates = measured_rates(list_runs(connection))
    added = since.replace(tzinfo=UTC) if since and since.tzinfo is None else since
    return plan_reruns(installation, version, which, wanted, added), rates


def _run(
    installation: Installation,
    found: Sequence[Rerun],
    version: ModelVersion,
    workers: int | None,
    device: Device,
    hooks: Hooks,
) -> tuple[tuple[int, ...], float | None]:
    """Return the runs' numbers, and the duration of the work on them."""
    keep_model(installation.settings, version)
    prepare_runs(installation, version)
    runs = [enqueue_rerun(installation, item, version) for item in found]
    make_shown(installation, runs)
    run_ids = tuple(run.id for run in runs)
    if not any(run.is_open for run in runs):
        return run_ids, None
    began = time.monotonic()
    work_on(installation, workers, device, run_ids, version.sha256, hooks=hooks)
    return run_ids, time.monotonic() - began


def _row(item: Rerun, name: str, rates: Rates, version: ModelVersion) -> PlannedRun:
    return PlannedRun(
        episode=name,
        episode_id=item.episode.id,
        sha256=item.episode.sha256,
        model=version.manifest.reference,
        reason=item.reason,
        run=item.run.id if item.run else None,
        is_done=item.is_done,
        is_stored=item.is_stored,
        is_gone=item.is_gone,
        frames=round(item.frames),
        seconds=0.0 if item.is_done else rates.seconds_for(item.frames, is_stored=item.is_stored),
    )
