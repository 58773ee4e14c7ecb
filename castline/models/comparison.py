"""Compare two model versions on the stills of one dataset."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from castline.errors import DatasetError
from castline.models.measuring import predictions_of
from castline.tables import Row
from model.dataset.split import PARTS
from model.inference.device import Device
from model.labels import Names
from model.version.artifact import find_model
from worker.settings import Settings

if TYPE_CHECKING:
    from model.dataset.folder import Dataset
    from model.evaluation.comparison import Change
    from model.evaluation.predictions import Figures
    from model.version.artifact import ModelVersion


@dataclass(frozen=True)
class UnknownFigures(Row):
    """How well stills of unknown characters are separated from others."""

    stills: int
    auroc: float
    false_positive_rate_at_95_recall: float


@dataclass(frozen=True)
class ModelFigures(Row):
    """The metrics of one of the models."""

    model: str
    """NAME@VERSION of the model."""
    sha256: str
    folder: Path
    accuracy: float
    macro_f1: float
    calibration_error: float
    unknown: UnknownFigures | None
    """Metrics of the label `unknown`; None if the dataset has no such stills."""

    def to_dict(self) -> dict[str, Any]:
        """Return the fields by name, as plain values for JSON."""
        values = super().to_dict()
        del values["folder"]
        return values


@dataclass(frozen=True)
class LabelChange(Row):
    """The changes for one label."""

    label: str
    stills: int
    first_f1: float | None
    """F1 of the first model; None for `unknown`, as are the next two."""
    second_f1: float | None
    difference: float | None
    gained: int
    """Stills that the second model classifies correctly and the first does not."""
    lost: int


@dataclass(frozen=True)
class StillChange(Row):
    """A still that only one of the models classifies correctly."""

    source: str
    """The original file of the still."""
    label: str
    first_answer: str
    second_answer: str


@dataclass(frozen=True)
class Comparison(Row):
    """The result of comparing two models on a dataset."""

    dataset: Path
    part: str
    first: ModelFigures
    second: ModelFigures
    labels: tuple[LabelChange, ...]
    gained: tuple[StillChange, ...]
    lost: tuple[StillChange, ...]
    chance: float
    """Probability of so uneven a change if both models were equally good."""
    names: Names
    """Display names of the dataset's labels."""

    def to_dict(self) -> dict[str, Any]:
        """Return the fields by name, as plain values for JSON."""
        values = super().to_dict()
        del values["names"]
        return values


def compare(
    settings: Settings, first: str, second: str, dataset: Path, *, part: str, device: Device
) -> Comparison:
    """Compare two models on a dataset; see `Library.compare`."""
    from model.dataset.folder import open_dataset
    from model.evaluation.comparison import compare_predictions

    if part not in PARTS:
        raise DatasetError(f"--part {part!r}: is none of {', '.join(PARTS)}")
    folders = [settings.models_folder]
    versions = find_model(first, folders), find_model(second, folders)
    opened = open_dataset(dataset)
    found = compare_predictions(
        *(predictions_of(version, opened, part, device) for version in versions)
    )
    sources = _sources(opened, part, (*found.gained, *found.lost))
    return Comparison(
        dataset=opened.folder,
        part=part,
        first=_figures(versions[0], found.first),
        second=_figures(versions[1], found.second),
        labels=tuple(
            LabelChange(
                each.label,
                each.stills,
                each.first_f1,
                each.second_f1,
                each.difference,
                each.gained,
                each.lost,
            )
            for each in found.labels
        ),
        gained=tuple(_still(each, sources) for each in found.gained),
        lost=tuple(_still(each, sources) for each in found.lost),
        chance=found.chance,
        names=opened.manifest.names,
    )


def _figures(version: "ModelVersion", figures: "Figures") -> ModelFigures:
    unknown = figures.unknown
    return ModelFigures(
        version.manifest.reference,
        version.sha256,
        version.folder,
        figures.score.accuracy,
        figures.score.macro_f1,
        figures.reliability.error,
        UnknownFigures(unknown.stills, unknown.auroc, unknown.false_positive_rate)
        if unknown
        else None,
    )


def _still(change: "Change", sources: dict[int, str]) -> StillChange:
    return StillChange(
        sources[change.index], change.truth, change.first_answer, change.second_answer
    )


def _sources(dataset: "Dataset", part: str, changes: tuple["Change", ...]) -> dict[int, str]:
    """Return the original files of the changed stills, by the stills' indices in the part."""
    from model.dataset.shards import read_part

    wanted = {change.index for change in changes}
    records = enumerate(read_part(dataset.shard_paths(part)))
    return {index: record.source for index, record in records if index in wanted}
