"""Model versions as they are shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from castline.errors import CastlineError
from castline.tables import Row, Table
from model.labels import known_labels


@dataclass(frozen=True)
class Promotion(Row):
    """How a model version came into use, and out of it."""

    promoted_at: datetime
    requirement: str | None
    """None where nothing was measured."""
    is_forced: bool
    regressions: tuple[str, ...]
    """What it lost against the model before."""
    withdrawn_at: datetime | None


@dataclass(frozen=True)
class Model(Row):
    """A model version that is here."""

    model: str
    """NAME@VERSION."""
    name: str
    version: str
    sha256: str
    folder: Path
    is_default: bool
    """Whether runs take it unless told otherwise."""
    promotions: tuple[Promotion, ...]
    """The oldest first."""
    is_bundled: bool
    created_at: str
    """ISO 8601."""
    labels: tuple[str, ...]
    """In the order of the network's outputs."""
    names: Mapping[str, str]
    """Of the labels, as people read them."""
    network: str
    network_parameters: Mapping[str, Any]
    weights_bytes: int
    preprocessing: str
    regions: tuple[str, ...]
    closer_view: float
    glance_side: int
    glance_clear: float
    loss: str | None
    temperature: float
    onset: float
    offset: float
    label_thresholds: Mapping[str, tuple[float, float]]
    """(onset, offset) of the labels that have their own."""
    metrics: Mapping[str, float]
    training_data_sha256: str
    licence: str
    report: Path | None
    model_card: Path | None

    @property
    def known_labels(self) -> tuple[str, ...]:
        """Those of somebody: never `unknown`, which no tag has."""
        return known_labels(self.labels)

    def thresholds(self, label: str) -> tuple[float, float]:
        """Returns the confidences at which an appearance of a label starts and ends."""
        return self.label_thresholds.get(label, (self.onset, self.offset))


@dataclass(frozen=True, repr=False)
class Models(Table[Model]):
    """The model versions that are here, the newest first."""

    unreadable: tuple[CastlineError, ...] = ()
    """Why folders that should hold one cannot be read."""


@dataclass(frozen=True)
class Imported:
    """A model version that was taken over."""

    model: str
    """NAME@VERSION."""
    folder: Path
    is_new: bool
    """False: it was there before."""


@dataclass(frozen=True)
class Trained:
    """A model version that was made."""

    model: str
    """NAME@VERSION."""
    folder: Path
    metrics: Mapping[str, float]
    """Figures by name, such as `accuracy` and `macro_f1` of the test stills."""
    names: Mapping[str, str]
    """Of its labels, as people read them."""
    added: tuple[str, ...] = ()
    """The labels that were added to another model, if that was done."""
