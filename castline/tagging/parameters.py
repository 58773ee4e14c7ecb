"""The parameters in use: those of a model's run over an episode unless the user gives others."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from fractions import Fraction

from db.engine import Transaction
from db.library.current import params_asked_last
from model.version.manifest import Manifest
from worker.parameters import DEFAULT_EVERY_SECONDS, RunParameters


def parameters_in_use(
    connection: Transaction, manifest: Manifest, episode_id: int | None
) -> RunParameters:
    """Return a model's parameters for an episode; None is an episode that is new here."""
    if episode_id is None:
        return RunParameters.for_model(manifest)
    in_use = every_seconds_in_use(connection, [episode_id])
    return RunParameters.for_model(manifest, in_use[episode_id])


def every_seconds_in_use(
    connection: Transaction, episode_ids: Sequence[int] | None = None
) -> Mapping[int, Fraction]:
    """Return the sampling interval of all or these episodes: the one asked for last."""
    asked = params_asked_last(connection, episode_ids)
    return defaultdict(
        lambda: DEFAULT_EVERY_SECONDS,
        {key: RunParameters.from_json(params).every_seconds for key, params in asked.items()},
    )
