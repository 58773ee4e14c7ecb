"""Derive the appearances of all runs of a model again from their stored tags."""

import gc
import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from db.changes.appearances import FoundInRun
from db.changes.derivations import (
    RunStamp,
    forget_derived,
    keep_derived,
    lock_episodes_of_model,
    lock_runs_of_model,
    make_temporary_tables,
    runs_of_model,
    show_derived,
)
from db.engine import Database, Transaction
from db.library.episodes import corrected_episodes, get_episode
from exact.ranges import PtsRange, load_ranges
from timeline.appearances.rules import Rules
from worker.parameters import RunParameters, hash_of, params_with_thresholds
from worker.steps.correcting import apply_corrections
from worker.steps.finish import derive_appearances

PAUSE_SECONDS = 0.1
"""Before runs are locked again of which another transaction held one, as it does for moments."""

SAME_AS = "same_as"
"""Key in the parameters of a run that would otherwise equal another one, with its number."""


@dataclass(frozen=True)
class Rederived:
    """The result of a derivation."""

    runs: int
    appearances: int


def rederive(
    database: Database,
    model_version_id: int,
    thresholds: Rules,
    also: Callable[[Transaction], None],
    on_progress: Callable[[int, int], None],
) -> Rederived:
    """Give all runs of a model other thresholds, and derive their appearances again.

    The derivation blocks nobody. Then all new appearances replace the old ones in one transaction,
    with the parameters of the runs; runs that ended meanwhile are derived in it. So the rows equal
    those of new runs with these thresholds, and `castline tag` finds them finished.

    Args:
        database: The database of the runs.
        model_version_id: The model version.
        thresholds: The new thresholds; each run keeps its rules in shots.
        also: Further writes in the same transaction.
        on_progress: Called with the number of runs derived, and the total.
    """
    with database.connection() as connection:
        with connection.begin():
            make_temporary_tables(connection)
            found = runs_of_model(connection, model_version_id)
        ended = [run for run in found if run.has_ended]
        derived: dict[int, tuple[RunStamp, int]] = {}
        with _collecting_new_garbage_alone():
            for number, run in enumerate(ended):
                on_progress(number, len(ended))
                with connection.begin():
                    derived[run.id] = run, _derive(connection, run, thresholds)
        on_progress(len(ended), len(ended))
        connection.execution_options(castline_reads_only=False)
        while True:
            with connection.begin() as transaction:
                if lock_runs_of_model(connection, model_version_id) and lock_episodes_of_model(
                    connection, model_version_id
                ):
                    also(connection)
                    return _switch(connection, model_version_id, thresholds, derived)
                transaction.rollback()
            time.sleep(PAUSE_SECONDS)


@contextmanager
def _collecting_new_garbage_alone() -> Iterator[None]:
    """Spare the garbage collector what is here already: it takes a third of the time otherwise."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _derive(connection: Transaction, run: RunStamp, thresholds: Rules) -> int:
    """Keep a run's appearances with these thresholds; return how many there are."""
    episode = get_episode(connection, run.episode_id)
    rules = RunParameters.from_json(run.params).with_thresholds(thresholds).rules
    missing = load_ranges(run.missing)
    examined = run.part or (episode.start_pts, episode.end_pts)
    appearances = derive_appearances(connection, run.id, episode, examined, rules, missing)
    keep_derived(connection, FoundInRun(run.id, episode, appearances))
    return len(appearances)


def _switch(
    connection: Transaction,
    model_version_id: int,
    thresholds: Rules,
    derived: dict[int, tuple[RunStamp, int]],
) -> Rederived:
    now = runs_of_model(connection, model_version_id)
    ended = {run.id: run for run in now if run.has_ended}
    forget_derived(connection, [run_id for run_id in derived if run_id not in ended])
    counts = {}
    for run_id, run in ended.items():
        before, count = derived.get(run_id, (None, 0))
        counts[run_id] = count if run == before else _derive(connection, run, thresholds)
    show_derived(connection, list(ended), _new_params(now, thresholds))
    said = {episode.id: episode for episode in corrected_episodes(connection).values()}
    apply_corrections(
        connection,
        {run_id: said[run.episode_id] for run_id, run in ended.items() if run.episode_id in said},
    )
    return Rederived(len(counts), sum(counts.values()))


def _new_params(runs: Sequence[RunStamp], thresholds: Rules) -> Iterator[tuple[int, str, str]]:
    """Yield the parameters of each run, in an order in which none ever equals those of another.

    Runs of an episode that differed only in their thresholds would be equal now: the current one,
    or else the latest one that ended, is the one that `castline tag` finds.
    """
    alike: dict[tuple[int, str, PtsRange | None], list[RunStamp]] = defaultdict(list)
    for run in runs:
        params = params_with_thresholds(run.params, thresholds)
        alike[run.episode_id, params, run.part].append(run)
    chosen = []
    for (_, params, part), some in alike.items():
        *others, best = sorted(some, key=lambda run: (run.is_current, run.has_ended, run.id))
        for other in others:
            text = _marked(params, best.id)
            yield other.id, text, hash_of(text, part)
        chosen.append((best.id, params, hash_of(params, part)))
    yield from chosen


def _marked(params: str, run_id: int) -> str:
    return json.dumps(json.loads(params) | {SAME_AS: run_id}, sort_keys=True)
