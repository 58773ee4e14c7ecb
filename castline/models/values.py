"""Public values that describe model versions."""

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
    """One promotion of a model version, and its withdrawal."""

    promoted_at: datetime
    requirement: str | None
    """The requirement that was met; None where nothing was measured."""
    is_forced: bool
    regressions: tuple[str, ...]
    """Metrics in which it fell short of the previous model."""
    withdrawn_at: datetime | None


@dataclass(frozen=True)
class Model(Row):
    """An installed model version."""

    model: str
    """NAME@VERSION of the model."""
    name: str
    version: str
    sha256: str
    folder: Path
    is_default: bool
    """Whether it is the model in use."""
    promotions: tuple[Promotion, ...]
    """Promotions of the model, the oldest first."""
    is_bundled: bool
    created_at: str
    """Time of training, in ISO 8601."""
    labels: tuple[str, ...]
    """Labels in the order of the network's outputs."""
    names: Mapping[str, str]
    """Display names by label."""
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
    """(onset, offset) of the labels with their own thresholds."""
    metrics: Mapping[str, float]
    training_data_sha256: str
    licence: str
    report: Path | None
    model_card: Path | None

    @property
    def known_labels(self) -> tuple[str, ...]:
        """The labels of known characters, without `unknown`, which no tag has."""
        return known_labels(self.labels)

    def thresholds(self, label: str) -> tuple[float, float]:
        """Return the confidences at which an appearance of a label starts and ends."""
        return self.label_thresholds.get(label, (self.onset, self.offset))


@dataclass(frozen=True, repr=False)
class Models(Table[Model]):
    """The installed model versions, the newest first."""

    unreadable: tuple[CastlineError, ...] = ()
    """Errors of folders that should hold a model version but cannot be read."""


@dataclass(frozen=True)
class Imported:
    """An imported model version."""

    model: str
    """NAME@VERSION of the model."""
    folder: Path
    is_new: bool
    """False if it was already installed."""


@dataclass(frozen=True)
class Trained:
    """A trained model version."""

    model: str
    """NAME@VERSION of the model."""
    folder: Path
    metrics: Mapping[str, float]
    """Metrics by name, such as `accuracy` and `macro_f1` of the test stills."""
    names: Mapping[str, str]
    """Display names by label."""
    added: tuple[str, ...] = ()
    """The labels that were added to the start model, if any."""
