"""Statistics of work on runs, which show the bottleneck: decoders, disks, devices, databases."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from db.engine import dialect_insert
from db.schema import run, run_effort
from db.states import STAGES, Statistic


@dataclass(frozen=True)
class RunStatistics:
    """Approximate seconds that all processes spent on a run: a killed one loses its last report.

    Processes work in parallel, so the sum may exceed the elapsed time.
    """

    decode: float = 0.0
    """Seconds spent by the decoder."""
    read: float = 0.0
    """Seconds spent waiting for frames from the frame store; they are read ahead."""
    device: float = 0.0
    """Seconds spent by the network, including preprocessing."""
    database: float = 0.0
    """Seconds spent with claims and rows."""
    frames: float = 0.0
    """Frames classified."""
    places: float = 0.0
    """Places for frames in the classified batches."""

    @property
    def bottleneck(self) -> Statistic | None:
        """The stage that took the most time; None without any statistics."""
        seconds = {name: getattr(self, name) for name in STAGES}
        longest = max(seconds, key=lambda name: seconds[name])
        return longest if seconds[longest] > 0 else None

    @property
    def batch_fill(self) -> float | None:
        """The share of the batches that frames filled, 0 to 1; None if none was classified."""
        return self.frames / self.places if self.places else None


def add_statistics(connection: Connection, amounts: Mapping[tuple[int, Statistic], float]) -> None:
    """Add to the statistics, by run and name; amounts of a pruned run are dropped.

    Args:
        connection: A connection inside a write transaction.
        amounts: Amounts by the run's id and a statistic.
    """
    wanted = {run_id for run_id, _ in amounts}
    there = set(connection.execute(select(run.c.id).where(run.c.id.in_(wanted))).scalars())
    # In a fixed order, so that two processes that add to the same rows do not deadlock.
    rows = [
        {"run_id": run_id, "name": name, "amount": amount}
        for (run_id, name), amount in sorted(amounts.items())
        if run_id in there
    ]
    if not rows:
        return
    added = dialect_insert(connection, run_effort)
    connection.execute(
        added.on_conflict_do_update(
            index_elements=["run_id", "name"],
            set_={"amount": run_effort.c.amount + added.excluded.amount},
        ),
        rows,
    )


def run_statistics(
    connection: Connection, run_ids: Sequence[int] | None = None
) -> dict[int, RunStatistics]:
    """Return the statistics of these runs, or of all; some runs have none yet.

    Names that this version does not know are left out: newer versions may share the database.
    """
    statistics = select(run_effort).where(run_effort.c.name.in_(tuple(Statistic)))
    if run_ids is not None:
        statistics = statistics.where(run_effort.c.run_id.in_(run_ids))
    found: dict[int, dict[str, float]] = {}
    for row in connection.execute(statistics):
        found.setdefault(row.run_id, {})[row.name] = row.amount
    return {run_id: RunStatistics(**amounts) for run_id, amounts in found.items()}
