"""Public values that describe model versions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

from castline.errors import CastlineError
from castline.tables import Row, Table
from model.labels import known_labels


@dataclass(frozen=True)
class Promotion(Row):
    """One promotion of a model version, and its withdrawal."""

    promoted_at: datetime
    """Time of the promotion."""
    requirement: str | None
    """The requirement that was met; None where nothing was measured."""
    is_forced: bool
    """Whether it took force."""
    regressions: tuple[str, ...]
    """Metrics in which it fell short of the previous model."""
    withdrawn_at: datetime | None
    """Time of its rollback; None if it is valid."""


@dataclass(frozen=True)
class Model(Row):
    """An installed model version."""

    model: str
    """NAME@VERSION of the model."""
    name: str
    """Name of the family."""
    version: str
    """Version within the family."""
    sha256: str
    """SHA-256 that identifies the model version."""
    folder: Path
    """Its folder."""
    is_default: bool
    """Whether it is the model in use."""
    promotions: tuple[Promotion, ...]
    """Promotions of the model, the oldest first."""
    is_bundled: bool
    """Whether it is shipped with Castline."""
    created_at: str
    """Time of training, in ISO 8601."""
    labels: tuple[str, ...]
    """Labels in the order of the network's outputs."""
    names: Mapping[str, str]
    """Display names by label."""
    network: str
    """Name of the network."""
    network_parameters: Mapping[str, Any]
    """Parameters of the network."""
    weights_bytes: int
    """Size of the weights."""
    preprocessing: str
    """Name of the preprocessing."""
    regions: tuple[str, ...]
    """The regions of a frame that are classified."""
    closer_view: float
    """Centre of a frame that is classified additionally, as a share of its side; 0 for none."""
    glance_side: int
    """Side in pixels of a downscaled first look; 0 for none."""
    glance_clear: float
    """Confidence, before calibration, from which the first look suffices."""
    loss: str | None
    """Loss of the training; None where it is not recorded."""
    temperature: float
    """Temperature by which logits are divided (calibration)."""
    onset: float
    """Confidence from which an appearance starts."""
    offset: float
    """Confidence below which an appearance ends."""
    label_thresholds: Mapping[str, tuple[float, float]]
    """(onset, offset) of the labels with their own thresholds."""
    metrics: Mapping[str, float]
    """Metrics by name, such as `accuracy` and `macro_f1`."""
    training_data_sha256: str
    """Fingerprint of the training data."""
    licence: str
    """Terms under which the weights may be used."""
    report: Path | None
    """The report; None if there is none."""
    model_card: Path | None
    """The model card; None if there is none."""

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
    """Its folder in the library."""
    is_new: bool
    """False if it was already installed."""


@dataclass(frozen=True)
class Trained:
    """A trained model version."""

    model: str
    """NAME@VERSION of the model."""
    folder: Path
    """Its folder."""
    metrics: Mapping[str, float]
    """Metrics by name, such as `accuracy` and `macro_f1` of the test stills."""
    names: Mapping[str, str]
    """Display names by label."""
    added: tuple[str, ...] = ()
    """The labels that were added to the start model, if any."""


@dataclass(frozen=True)
class LabelThresholds(Row):
    """The confidences at which a label's appearances start and end."""

    label: str
    onset: float
    offset: float
    own_onset: float
    """The model's original value, as is the next."""
    own_offset: float

    @property
    def is_changed(self) -> bool:
        """Whether the thresholds differ from the model's original ones."""
        return (self.onset, self.offset) != (self.own_onset, self.own_offset)


@dataclass(frozen=True, repr=False)
class Thresholds(Table[LabelThresholds]):
    """The thresholds of a model by label."""

    model: str = ""
    """NAME@VERSION of the model."""
    min_duration_on_seconds: Fraction = Fraction(0)
    """Shorter appearances are dropped."""
    min_duration_off_seconds: Fraction = Fraction(0)
    """Shorter gaps between two appearances are filled."""


@dataclass(frozen=True)
class Changed(Row):
    """The result of changing thresholds."""

    model: str
    """NAME@VERSION of the model."""
    runs: int
    """Number of its runs whose appearances were derived again."""
    appearances: int
    """Number of appearances now."""
