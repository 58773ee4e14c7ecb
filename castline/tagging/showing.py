"""Lines on what a command did to the current runs, with the way back."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from shlex import quote

from db.changes.showing import show_if_due
from db.engine import Transaction
from db.library.episodes import get_episode
from db.library.runs import current_runs, list_runs
from db.records import RunRecord
from db.states import RunState
from worker.installation import Installation
from worker.parameters import RunParameters

CurrentRuns = Mapping[int, RunRecord]
"""Current runs by episode id."""


def make_shown(installation: Installation, run_ids: Sequence[int]) -> None:
    """Make runs current that had ended before they were asked for, if the rule chooses them."""
    for run_id in run_ids:
        with installation.database.write() as connection:
            show_if_due(connection, run_id)


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
    alike: dict[str, list[_Change]] = defaultdict(list)
    for run in runs:
        shown, former = now.get(run.episode_id), before.get(run.episode_id)
        if shown is None:
            continue
        change = _Kept(run, shown) if shown.id != run.id else _Replaced(run, former or run)
        if change.other.id != run.id:
            alike[change.line(_ANY)].append(change)
    return tuple(
        line if len(changes) == 1 else f"{len(changes)} episodes: {line}"
        for general, changes in alike.items()
        for line in [_named_line(connection, changes[0]) if len(changes) == 1 else general]
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
        return f"{run} is shown now, in place of {other}; {self._way_back(words)}"

    def _way_back(self, words: _Words) -> str:
        asks = f"castline who {words.episode} --run {words.other} asks that one"
        if not self.has_same_model:
            return f"{asks}, castline models promote {self.other.model} --force shows it again"
        if _every_seconds(self.run) == _every_seconds(self.other):
            return asks
        return f"back: castline tag {words.file} --every {_written(_every_seconds(self.other))}"


class _Kept(_Change):
    """The other run is current, not the requested one."""

    def line(self, words: _Words) -> str:
        run, other = self.both(words)
        return f"{other} is shown still; {run} {self._why(words)}"

    def _why(self, words: _Words) -> str:
        if not self.run.state.has_ended_well:
            return f"is {self.run.state}"
        asks = f"castline who {words.episode} --run {words.run} asks it"
        if not self.has_same_model:
            shows = f"castline models promote {self.run.model} shows it"
            return f"is not of the model in use: {asks}, {shows}"
        if self.run.state is RunState.PARTIAL:
            return f"is partial: {asks}, castline retry {words.run} tries again what it lacks"
        return f"was not asked for last: {asks}"


def _named_line(connection: Transaction, change: _Change) -> str:
    run, other = change.run, change.other
    episode = get_episode(connection, run.episode_id)
    words = _Words(
        episode=quote(episode.name),
        file=quote(episode.uri),
        run=str(run.id),
        other=str(other.id),
        a_run=f"run {run.id}",
        another=f"run {other.id}",
    )
    return f"{episode.name}: {change.line(words)}"


def _every_seconds(run: RunRecord) -> Fraction:
    return RunParameters.from_json(run.params).every_seconds


def _written(seconds: Fraction) -> str:
    """Return an interval in the form of `--every`: 0.1, or 1/3 for a periodic decimal."""
    decimal = f"{float(seconds):g}"
    return decimal if Fraction(decimal) == seconds else str(seconds)
