"""Which model version is in use, and how another takes its place."""

from collections.abc import Sequence
from dataclasses import dataclass

from db.promotions import GateReport, begin_promotions, promote_model, promoted_sha256
from model.artifact import ModelVersion, find_model, find_model_by_sha256
from model.errors import ModelNotFoundError
from worker.enqueue import model_record
from worker.errors import WorkerError
from worker.gate import Measured, Regression, parse_requirement, regressions
from worker.parameters import RunParameters
from worker.workplace import Workplace


@dataclass(frozen=True)
class Promotion:
    """What became of a model that was to be promoted."""

    regressions: tuple[Regression, ...]
    is_promoted: bool
    """False: it fell short, and nothing changed."""
    episodes: int
    """How many show a run of it instead of another model's now."""


def sha256_in_use(place: Workplace) -> str:
    """The model version that new runs use: the promoted one, or the bundled one before any."""
    with place.database.read() as connection:
        return promoted_sha256(connection) or find_model(None).sha256


def model_in_use(place: Workplace) -> ModelVersion:
    """The same, from its folder.

    Raises:
        WorkerError: Its folder is gone or damaged.
    """
    try:
        return find_model_by_sha256(sha256_in_use(place), [place.settings.models_folder])
    except ModelNotFoundError as error:
        raise WorkerError(
            "the folder of the model in use is gone; put it back, or go on with another:"
            " castline models promote MODEL --force"
        ) from error


def chosen_model(place: Workplace, reference: str | None) -> ModelVersion:
    """The model version that a person names, or else the one in use.

    Raises:
        ModelError: There is none of that name, or it cannot be read.
        WorkerError: The folder of the one in use is gone.
    """
    if reference is None:
        return model_in_use(place)
    return find_model(reference, [place.settings.models_folder])


def hold_what_is_shown(place: Workplace) -> None:
    """From now on only promotions, no other model's new runs, change which model is shown."""
    record = model_record(find_model(None))
    with place.database.write() as connection:
        begin_promotions(connection, record)


def promote(
    place: Workplace,
    version: ModelVersion,
    requirement: str,
    measured: Sequence[Measured],
    *,
    force: bool,
) -> Promotion:
    """Promotes a model version if it meets the requirement, or by force.

    Args:
        place: The installation.
        version: What to promote.
        requirement: As `worker.gate` reads it.
        measured: The figures of the model in use and of this one.
        force: Whatever they say. That it took force is recorded.

    Raises:
        WorkerError: The requirement cannot be read, or nothing was measured and no force used.
    """
    if not measured and not force:
        raise WorkerError(
            f"{version.manifest.reference}: not measured against the model in use; give --dataset"
            " DIR or --episodes EPISODE=TRUTH.csv, or promote it with --force"
        )
    demands = parse_requirement(requirement)
    found = tuple(regressions(measured, demands)) if measured else ()
    if found and not force:
        return Promotion(found, is_promoted=False, episodes=0)
    report = GateReport(
        requirement=requirement if measured else None,
        is_forced=bool(found) or not measured,
        regressions=tuple(str(item) for item in found),
    )
    hold_what_is_shown(place)
    parameters = RunParameters.for_model(version.manifest)
    with place.database.write() as connection:
        episodes = promote_model(connection, model_record(version), parameters.hash, report)
    return Promotion(found, is_promoted=True, episodes=episodes)
