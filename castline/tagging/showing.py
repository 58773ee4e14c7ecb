"""Lines about changes of the current runs by a command, and how to undo them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from shlex import quote

from castline.asking.names import shown_names
from db.changes.promotions import sha256_in_use
from db.changes.showing import show_if_due
from db.engine import Transaction
from db.library.episodes import get_episode
from db.library.runs import current_runs, list_runs
from db.records import RunRecord
from db.states import RunState
from model.version.artifact import find_model
from worker.installation import Installation
from worker.parameters import RunParameters

CurrentRuns = Mapping[int, RunRecord]
"""Current runs by episode id."""


def make_shown(installation: Installation, runs: Sequence[RunRecord]) -> None:
    """Make runs current that had ended before they were asked for, if the rule chooses them."""
    for run in runs:
        if run.state.has_ended_well:
            with installation.database.write() as connection:
                show_if_due(connection, run.id)


def runs_shown(installation: Installation, runs: Sequence[RunRecord]) -> CurrentRuns:
    """Return the current runs of the episodes of these runs."""
    with installation.database.read() as connection:
        return current_runs(connection, [run.episode_id for run in runs])


def describe_shown(
    connection: Transaction, run_ids: Sequence[int], before: CurrentRuns
) -> tuple[str, ...]:
    """Describe the current runs of episodes for which runs were requested.

    An episode whose current run is the requested one, and was no other before, is left out.

    Args:
        connection: An open connection.
        run_ids: The requested runs.
        before: The current runs before the request.

    Returns:
        A line for each kind of change, with the way back.
    """
    runs = list_runs(connection, run_ids)
    now = current_runs(connection, [run.episode_id for run in runs])
    in_use = sha256_in_use(connection, find_model(None).sha256)
    alike: dict[str, list[_Change]] = defaultdict(list)
    for run in runs:
        shown = now.get(run.episode_id)
        former = before.get(run.episode_id, run)
        if shown is None:
            continue
        if shown.id != run.id:
            change: _Change = _Kept(run, shown, in_use)
        elif former.id != run.id:
            change = _Replaced(run, former, in_use)
        else:
            continue
        alike[change.line(_ANY)].append(change)
    return tuple(
        _named_line(connection, changes[0])
        if len(changes) == 1
        else f"{len(changes)} episodes: {general}"
        for general, changes in alike.items()
    )


@dataclass(frozen=True)
class _Words:
    """The words for an episode, its requested run, and the other run."""

    episode: str = "EPISODE"
    file: str = "EPISODE"
    run: str = "RUN"
    other: str = "RUN"
    a_run: str = "a run"
    another: str = "one"


_ANY = _Words()
"""Words for any of several episodes."""


@dataclass(frozen=True)
class _Change:
    """A requested run, and another run of its episode."""

    run: RunRecord
    other: RunRecord
    in_use: str
    """SHA-256 of the model in use."""

    @property
    def has_same_model(self) -> bool:
        return self.run.model_sha256 == self.other.model_sha256

    def line(self, words: _Words) -> str:
        raise NotImplementedError

    def both(self, words: _Words) -> tuple[str, str]:
        """Return both runs with their models, and with their sampling intervals if they differ."""
        first, second = _every_seconds(self.run), _every_seconds(self.other)
        often = ["", ""]
        if first != second:
            often = [f", every {_written(each)} s" for each in (first, second)]
        return (
            f"{words.a_run} by {self.run.model}{often[0]}",
            f"{words.another} by {self.other.model}{often[1]}",
        )


class _Replaced(_Change):
    """The requested run is current, and the other one was before."""

    def line(self, words: _Words) -> str:
        run, other = self.both(words)
        return f"{run} is now shown, in place of {other}; {self._way_back(words)}"

    def _way_back(self, words: _Words) -> str:
        queries = f"castline who {words.episode} --run {words.other} queries that one"
        if not self.has_same_model:
            return f"{queries}, castline models promote {self.other.model} --force shows it again"
        if _every_seconds(self.run) == _every_seconds(self.other):
            return queries
        model = "" if self.other.model_sha256 == self.in_use else f" --model {self.other.model}"
        every = _written(_every_seconds(self.other))
        return f"back: castline tag {words.file}{model} --every {every}"


class _Kept(_Change):
    """The other run is current, not the requested one."""

    def line(self, words: _Words) -> str:
        run, other = self.both(words)
        return f"{other} is still shown; {run} {self._why(words)}"

    def _why(self, words: _Words) -> str:
        if not self.run.state.has_ended_well:
            return f"is {self.run.state}"
        queries = f"castline who {words.episode} --run {words.run} queries it"
        if self.run.part is not None and self.other.part is None:
            return f"examined only a part: {queries}"
        if not self.has_same_model:
            shows = f"castline models promote {self.run.model} shows it"
            return f"is not of the model in use: {queries}, {shows}"
        if self.run.state is RunState.PARTIAL:
            return f"is partial: {queries}, castline retry {words.run} tries again what it lacks"
        return f"was not asked for last: {queries}"


def _named_line(connection: Transaction, change: _Change) -> str:
    run, other = change.run, change.other
    episode = get_episode(connection, run.episode_id)
    name = shown_names(connection, {episode.id: episode.name})[episode.id]
    words = _Words(
        episode=quote(name),
        file=quote(episode.uri),
        run=str(run.id),
        other=str(other.id),
        a_run=f"run {run.id}",
        another=f"run {other.id}",
    )
    return f"{name}: {change.line(words)}"


def _every_seconds(run: RunRecord) -> Fraction:
    return RunParameters.from_json(run.params).every_seconds


def _written(seconds: Fraction) -> str:
    """Return an interval in the form of `--every`: 0.1, or 1/3 for a periodic decimal."""
    decimal = f"{float(seconds):g}"
    return decimal if Fraction(decimal) == seconds else str(seconds)
