"""Promote a model version, and roll the promotion back."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from castline.asking.cast import names_of, read_named_truth
from castline.asking.names import require_episode
from castline.errors import RequestError
from castline.models.gate import Measured, Regression, parse_requirement, regressions
from castline.models.in_use import model_in_use, record_bundled, sha256_in_use
from castline.models.measuring import measured_on_dataset, measured_on_episode
from castline.tagging.enqueue import model_record
from db.changes.promotions import GateReport, promote_model, roll_back
from model.inference.device import Device
from model.labels import Names
from model.version.artifact import ModelVersion, find_model
from worker.installation import Installation


@dataclass(frozen=True)
class Promotion:
    """The result of a promotion."""

    regressions: tuple[Regression, ...]
    is_promoted: bool
    """False if the model fell short, and nothing changed."""
    episodes: int
    """Number of episodes that now show a run of this model instead of another one's."""
    others: int = 0
    """Number of episodes that show another model's run, for lack of one of this model."""
    model: str = ""
    """NAME@VERSION of the model."""
    was_in_use: bool = False
    """Whether the model was already in use, so that nothing changed."""
    names: Names = field(default_factory=Names)
    """Display names of labels."""


@dataclass(frozen=True)
class RolledBack:
    """The result of a rollback."""

    withdrawn: str
    """NAME@VERSION of the withdrawn model."""
    in_use: str
    """NAME@VERSION of the model that is in use again."""
    episodes: int
    """Number of episodes that show another run than before."""
    kept: int
    """Number of episodes that still show a run of the withdrawn model, for lack of another one."""


def promote_if_not_worse(
    installation: Installation,
    model: str,
    *,
    dataset: Path | None,
    truths: Sequence[tuple[str, Path]],
    requirement: str,
    force: bool,
    device: Device,
) -> Promotion:
    """Measure a model against the one in use and promote it; see `Library.promote`."""
    version = find_model(model, [installation.settings.models_folder])
    reference = version.manifest.reference
    if sha256_in_use(installation) == version.sha256:
        return Promotion((), is_promoted=True, episodes=0, model=reference, was_in_use=True)
    measured = _measured(installation, version, dataset, truths, device)
    found = promote(installation, version, requirement, measured, force=force)
    with installation.database.read() as connection:
        names = Names({**names_of(connection), **version.manifest.names})
    return replace(found, model=reference, names=names)


def rollback(installation: Installation) -> RolledBack:
    """Undo the latest promotion; see `Library.rollback`."""
    with installation.database.write() as connection:
        done = roll_back(connection)
    return RolledBack(done.withdrawn.model, done.in_use.model, done.episodes, done.kept)


def _measured(
    installation: Installation,
    after: ModelVersion,
    dataset: Path | None,
    truths: Sequence[tuple[str, Path]],
    device: Device,
) -> list[Measured]:
    from model.dataset.folder import open_dataset

    measured: list[Measured] = []
    if dataset is None and not truths:
        return measured
    before = model_in_use(installation)
    with installation.database.read() as connection:
        scored = [(require_episode(connection, name), path) for name, path in truths]
        for episode, path in scored:
            truth = read_named_truth(connection, path, episode).ranges
            measured += measured_on_episode(connection, before, after, episode, truth)
    if dataset is not None:
        measured += measured_on_dataset(before, after, open_dataset(dataset), device)
    return measured


def promote(
    installation: Installation,
    version: ModelVersion,
    requirement: str,
    measured: Sequence[Measured],
    *,
    force: bool,
) -> Promotion:
    """Promote a model version if it meets the requirement, or by force.

    Args:
        installation: The installation.
        version: The model version to promote.
        requirement: A requirement in the syntax of `castline.models.gate`.
        measured: The metrics of the model in use and of this one.
        force: Promote regardless of the metrics; the use of force is recorded.

    Returns:
        The result.

    Raises:
        RequestError: The requirement is invalid, or nothing was measured and force is not used.
    """
    if not measured and not force:
        raise RequestError(
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
    record_bundled(installation)
    with installation.database.write() as connection:
        done = promote_model(connection, model_record(version), report)
    return Promotion(found, is_promoted=True, episodes=done.episodes, others=done.others)
