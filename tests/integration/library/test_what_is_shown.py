"""What queries show, whatever is done in whatever order, on both databases."""

import sqlite3
from collections.abc import Mapping
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any, Final

import hypothesis
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import event, update

from castline.models.in_use import prepare_runs, sha256_in_use
from castline.models.promotion import promote, rollback
from castline.tagging.enqueue import model_record
from castline.tagging.parameters import parameters_in_use
from castline.tagging.rerun_plan import Which, enqueue_rerun, plan_reruns
from castline.tagging.showing import make_shown
from castline.upkeep.pruning import plan_pruning, prune
from db.changes.writes import (
    cancel_run,
    create_run,
    register_episode,
    register_model_version,
    retry_run,
)
from db.engine import Database
from db.errors import NotFoundError
from db.library.current import RunSelection, find_selection
from db.library.runs import current_runs, get_run, list_runs, selected_run_of
from db.schema import chunk, metadata
from model.version.artifact import ModelVersion, find_model
from tests.rows.records import end_run, episode_named
from tests.rows.shown_library import GONE, ShownLibrary
from tests.stills.models import write_model_by_lot
from worker.installation import Installation
from worker.parameters import RunParameters
from worker.settings import Settings

pytestmark = pytest.mark.integration

EPISODES: Final = ("one.mkv", "two.mkv")
TRIALS: Final = {"older": "2001-01", "newer": "2198-01", "newest": "2199-01"}
"""Models that do not come with Castline, and the month in which each was made."""

MODELS: Final = ("older", "bundled", "newer", "newest")
ENDS: Final = ("done", "done", "partial", "partial", "failed", "cancelled")
SAMPLINGS: Final = (Fraction(1, 2), Fraction(1, 5))
CHUNKS: Final = ((0, 180_000), (180_000, 360_000))

models = st.sampled_from(MODELS)
episodes = st.sampled_from(EPISODES)
ends = st.sampled_from(ENDS)


class Machine(RuleBasedStateMachine):
    """Does to a database and to a plain library the same things."""

    def __init__(self, installation: Installation, versions: Mapping[str, ModelVersion]) -> None:
        super().__init__()
        self.installation, self.versions = installation, versions
        empty(installation.database)
        self.plain = ShownLibrary(promoted=["bundled"], known=[])
        self.number_of: dict[str, int] = {}

    @rule(
        episode=episodes,
        model=st.sampled_from((None, None, None, *MODELS)),
        every=st.sampled_from((None, *SAMPLINGS)),
        end=st.sampled_from((None, *ENDS)),
    )
    def tag(self, episode: str, model: str | None, every: Fraction | None, end: str | None) -> None:
        """Asks for a run as `tag` and `enqueue` do; it ends, or work on it is left."""
        version = self.versions[model or self.plain.in_use]
        run_id, every = self._made(episode, version, every)
        run = self.plain.ask(run_id, episode, model or self.plain.in_use, every)
        if run.state in ("failed", "cancelled"):
            with self.installation.database.write() as connection:
                retry_run(connection, run_id)
            self.plain.offer_again(run)
        with self.installation.database.read() as connection:
            asked = get_run(connection, run_id)
        make_shown(self.installation, [asked])
        if end is not None:
            self._end(run_id, end)

    def _made(
        self, episode: str, version: ModelVersion, every: Fraction | None
    ) -> tuple[int, Fraction]:
        prepare_runs(self.installation, version)
        with self.installation.database.write() as connection:
            number = register_episode(connection, episode_named(episode))
            parameters = parameters_in_use(connection, version.manifest, number)
            assert parameters.every_seconds == self.plain.every_in_use(episode)
            if every is not None:
                parameters = RunParameters.for_model(version.manifest, every)
            run_id, _ = create_run(
                connection,
                episode_id=number,
                model_version_id=register_model_version(connection, model_record(version)),
                params=parameters.to_json(),
                params_hash=parameters.hash,
                chunks=CHUNKS,
                missing=(),
            )
        self.number_of[episode] = number
        return run_id, parameters.every_seconds

    @rule(end=ends, lot=st.randoms(use_true_random=False))
    @precondition(lambda self: any(run.is_open for run in self.plain.runs.values()))
    def end_one(self, end: str, lot: Any) -> None:
        """Some run on which work was left ends."""
        self._end(lot.choice([key for key, run in self.plain.runs.items() if run.is_open]), end)

    def _end(self, run_id: int, state: str) -> None:
        run = self.plain.runs[run_id]
        if not run.is_open:
            return
        if state == "cancelled":
            with self.installation.database.write() as connection:
                cancel_run(connection, run_id)
        else:
            self._write_chunks(run_id, state)
            end_run(self.installation.database, run_id, state=state)
        self.plain.end(run, state)

    def _write_chunks(self, run_id: int, state: str) -> None:
        of_run = chunk.c.run_id == run_id
        with self.installation.database.write() as connection:
            connection.execute(update(chunk).where(of_run).values(state="tagged"))
            if state != "done":
                broken = of_run if state == "failed" else of_run & (chunk.c.number == 0)
                connection.execute(update(chunk).where(broken).values(state="quarantined"))

    @rule(model=models)
    def promote(self, model: str) -> None:
        """Puts a model to use, unless it is in use."""
        if model == self.plain.in_use:
            return
        before = self._shown()
        done = promote(self.installation, self.versions[model], "macro_f1 >= 0", [], force=True)
        if self.plain.promoted == ["bundled"]:  # it is written down at the latest now
            self.plain.meet("bundled")
        self.plain.meet(model)
        self.plain.promoted.append(model)
        shown = self._shown()
        assert done.episodes == sum(before[key] != shown[key] for key in shown)
        assert done.others == sum(self.plain.runs[key].model != model for key in shown.values())

    @rule()
    def rollback(self) -> None:
        """Takes the latest promotion back, or is told that there is none."""
        if self.plain.promoted[-2:-1] in ([], [GONE]):
            with pytest.raises(NotFoundError, match="no earlier promotion"):
                rollback(self.installation)
            return
        before = self._shown()
        withdrawn = self.plain.promoted.pop()
        done = rollback(self.installation)
        assert (done.withdrawn, done.in_use) == (self._name(withdrawn), self._name())
        shown = self._shown()
        assert done.episodes == sum(before[key] != shown[key] for key in shown)
        assert done.kept == sum(self.plain.runs[key].model == withdrawn for key in shown.values())

    @rule(which=st.sampled_from(("stale", "missing", "all")), model=st.none() | models, end=ends)
    def rerun(self, which: Which, model: str | None, end: str) -> None:
        """Runs a model again; all runs end alike."""
        name = model or self.plain.in_use
        planned = plan_reruns(self.installation, self.versions[name], which)
        assert {item.episode.name for item in planned} == self._to_run_again(which, name)
        prepare_runs(self.installation, self.versions[name])
        for item in planned:
            episode, every = item.episode.name, self.plain.every_in_use(item.episode.name)
            made = enqueue_rerun(self.installation, item, self.versions[name])
            run = self.plain.ask(made.id, episode, name, every)
            self.plain.offer_again(run)
            make_shown(self.installation, [made])
            self._end(made.id, end)
        if which != "missing" and model is None and end == "done":
            assert plan_reruns(self.installation, self.versions[name], "stale") == []

    def _to_run_again(self, which: Which, model: str) -> set[str]:
        if which == "all":
            return set(self.number_of)
        shown = {episode: self.plain.shown(episode) for episode in self.number_of}
        if which == "missing":
            return {episode for episode, run in shown.items() if not run or run.state != "done"}
        return {
            episode
            for episode, run in shown.items()
            if run and (run.model, run.every) != (model, self.plain.every_in_use(episode))
        }

    @rule()
    def prune(self) -> None:
        """Removes what nothing refers to: nothing that is shown, or would be by a rollback."""
        former = self.plain.promoted[:-1] or self.plain.promoted
        needed = [self.plain.shown(episode) for episode in self.number_of]
        needed += [self.plain.shown(episode, former) for episode in self.number_of]
        planned = plan_pruning(self.installation)
        gone = {run.id for run in planned.runs}
        for key, run in self.plain.runs.items():
            if key in gone:
                assert not run.is_open
                assert run not in needed
        prune(self.installation, planned)
        for key in gone:
            del self.plain.runs[key]
        removed = {
            name
            for name, version in self.versions.items()
            if version.sha256 in planned.model_sha256s
        }
        assert not removed & {*self.plain.promoted[-2:]}
        self.plain.forget(removed)
        for name in removed - {"bundled"}:  # to be imported again
            write_trial(self.installation.settings.models_folder, name)

    @invariant()
    def queries_show_the_run_of_the_model_in_use_with_the_parameters_in_use(self) -> None:
        """Or another only where there is none."""
        assert sha256_in_use(self.installation) == self.versions[self.plain.in_use].sha256
        shown = self._shown()
        for episode, number in self.number_of.items():
            expected = self.plain.shown(episode)
            assert self.plain.runs.get(shown.get(number, 0)) == expected
            own = [run for run in self.plain.of(episode, self.plain.in_use) if run.answer]
            if own:
                assert expected is not None
                assert expected.model == self.plain.in_use
                last = max(own, key=lambda run: run.asked)
                assert expected == last or (expected.answer, last.answer) == ("done", "partial")

    @invariant()
    def every_model_and_run_can_be_asked(self) -> None:
        """Whether or not queries show it."""
        with self.installation.database.read() as connection:
            for name, version in self.versions.items():
                for episode, number in self.number_of.items():
                    found = selected_run_of(
                        connection, number, RunSelection(model_sha256=version.sha256)
                    )
                    best = self.plain.best(self.plain.of(episode, name))
                    assert (found and self.plain.runs[found.id]) == best
            for key, run in self.plain.runs.items():
                if run.answer:
                    assert find_selection(connection, key, None).run_id == key

    def _shown(self) -> dict[int, int]:
        with self.installation.database.read() as connection:
            return {number: run.id for number, run in current_runs(connection).items()}

    def _name(self, model: str | None = None) -> str:
        return self.versions[model or self.plain.in_use].manifest.reference

    @invariant()
    def states_are_as_expected(self) -> None:
        """Both libraries did the same."""
        with self.installation.database.read() as connection:
            found = {run.id: run.state for run in list_runs(connection)}
        assert found == {key: run.state for key, run in self.plain.runs.items()}


def empty(database: Database) -> None:
    """Removes all rows."""
    with database.write() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())


def stop_syncing(connection: sqlite3.Connection, _record: object) -> None:
    """Has SQLite not wait for the disk."""
    connection.execute("PRAGMA synchronous=OFF")


def write_trial(folder: Path, name: str) -> ModelVersion:
    """Write one of the models that do not come with Castline."""
    return write_model_by_lot(
        folder, name, lot=len(name), created_at=f"{TRIALS[name]}-01T00:00:00+00:00"
    )


def test_the_rule_holds_whatever_is_done_in_whatever_order(
    database: Database, tmp_path: Path
) -> None:
    installation = Installation(Settings(tmp_path, str(database.url)), database)
    folder = installation.settings.models_folder
    versions = {"bundled": find_model(None)} | {name: write_trial(folder, name) for name in TRIALS}

    if database.is_sqlite:  # what a power cut would take is made again in no time
        event.listen(database.engine, "connect", stop_syncing, insert=False)
        database.dispose()
    run_state_machine_as_test(
        partial(Machine, installation, versions),  # type: ignore[arg-type]
        settings=hypothesis.settings(max_examples=12, stateful_step_count=20),
    )
