"""The manifest of a model version: its complete description apart from the weights.

A manifest may be untrusted, so it validates itself: every instance is well-formed.
"""

import hashlib
import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Final

from model.errors import ArtifactError
from model.labels import Names, are_names, is_label
from model.pictures.preprocess import PREPROCESSINGS, WHOLE_FRAMES
from model.pictures.regions import REGIONS, WHOLE
from model.version.region_views import RegionViews, glance_sides

DENSE: Final = "dense"
"""The network that sees whole frames; see `model.networks.dense`."""

FORMAT: Final = 1
"""The layout of the folder and of the manifest that this program writes and reads."""

PLACES: Final = "places"
"""The loss of networks that have an output for each place (grid cell) of a frame."""

LOSSES: Final = ("categorical", "binary", PLACES)
"""The losses that training minimises; see `model.recipe.Recipe.loss`."""

_LATER_KEYS: Final = (
    "label_thresholds",
    "closer_view",
    "glance_side",
    "glance_clear",
    "int8",
    "loss",
    "examples_sha256",
    "names",
)
"""The keys that manifests of the first format may lack."""

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_LARGEST = sys.float_info.max
_MAX_LABELS = 1000  # twenty times the largest labelled cast of a series
_YEARS = range(2, 9999)  # in any time zone: an hour beyond, Python's years end
_TEMPERATURES = (0.01, 100.0)  # a fitted one lies between 0.5 and 5; far above, all are equally
# likely, and far below, logits overflow


@dataclass(frozen=True)
class Manifest:
    """The validated description of a model version.

    Raises:
        ArtifactError: A value is malformed or out of bounds; the message names it.
    """

    name: str
    """Name of the family, such as `springfield`: lower-case letters, digits, `_` and `-`."""
    version: str
    """Version within the family, such as `1` or `2.1`."""
    network: str
    """The name by which `model.networks.named` builds the network."""
    network_parameters: Mapping[str, Any]
    """The parameters of that network."""
    labels: tuple[str, ...]
    """In the order of the network's outputs."""
    preprocessing: str
    """The rule that turns a picture into the network's input."""
    regions: tuple[str, ...]
    """The parts of a frame that are classified."""
    temperature: float
    """Divides the logits, so that confidences are calibrated (Guo et al., 2017)."""
    onset: float
    """Confidence from which an appearance starts."""
    offset: float
    """Confidence below which an appearance ends; at most the onset."""
    training_data_sha256: str
    """Fingerprint of the labelled stills: their labels and contents."""
    metrics: Mapping[str, float]
    """Measured on the test stills, such as `accuracy` and `macro_f1`."""
    licence: str
    """The terms under which the weights may be used."""
    created_at: str
    """Time of training: ISO 8601 with a time zone. The later of two versions counts as newer, and
    its runs are never replaced by runs of the other."""
    label_thresholds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Onset and offset of labels with their own thresholds; the others use the two above."""
    closer_view: float = 0.0
    """Centre of a whole frame, as a share of its side, that is classified additionally, so that
    small figures are found; 0 for never."""
    glance_side: int = 0
    """Side in pixels of a downscaled first look, which mostly suffices; 0 for never."""
    glance_clear: float = 0.0
    """Confidence, before calibration, from which the glance suffices; 0 without glances."""
    int8: bool = False
    """Whether CPUs compute with 8-bit integers, because that was measured to change few results."""
    loss: str = ""
    """The loss that the weights were trained with, one of LOSSES; empty if unknown."""
    examples_sha256: str = ""
    """SHA-256 of the file of `model.adding.examples`; empty if there is none."""
    names: Names = field(default_factory=Names)
    """Display names of labels, as the sources of the stills wrote them."""
    weights_sha256: str = ""
    """SHA-256 of the file of weights; empty only before it is written."""
    format: int = FORMAT
    """Layout of the folder."""

    def __post_init__(self) -> None:
        for problem in self._problems():
            raise ArtifactError(f"manifest: {problem}")

    def _problems(self) -> list[str]:
        checks = {
            f"format {self.format!r} is not {FORMAT}; upgrade Castline": (
                type(self.format) is int and self.format == FORMAT
            ),
            f"name {self.name!r} is not a short lower-case slug": _matches(_NAME, self.name),
            f"version {self.version!r} is not like 1 or 2.1": _matches(_VERSION, self.version),
            f"network {self.network!r} is not a slug": _matches(_NAME, self.network),
            "network_parameters is not an object": isinstance(self.network_parameters, Mapping),
            f"labels are not 2 to {_MAX_LABELS} different ones in lower case": (
                _are_labels(self.labels)
            ),
            "names are not names of labels, on one line": are_names(self.names, self.labels),
            f"preprocessing {self.preprocessing!r} is not for network {self.network!r}": (
                isinstance(self.preprocessing, str)
                and self.preprocessing in (WHOLE_FRAMES if self.is_dense else PREPROCESSINGS)
            ),
            f"regions {self.regions!r} are not some of {REGIONS}, or not full alone": (
                _are_regions(self.regions) and (not self.is_dense or self.regions == (WHOLE,))
            ),
            f"temperature {self.temperature!r} is not from {_TEMPERATURES[0]:g} to"
            f" {_TEMPERATURES[1]:g}": (
                _is_number(self.temperature)
                and _TEMPERATURES[0] <= self.temperature <= _TEMPERATURES[1]
            ),
            f"onset {self.onset!r} and offset {self.offset!r} are not 0 < offset <= onset <= 1": (
                _are_thresholds((self.onset, self.offset))
            ),
            "label_thresholds are not 0 < offset <= onset <= 1, as [onset, offset] by label": (
                isinstance(self.label_thresholds, Mapping)
                and all(label in self.labels for label in self.label_thresholds)
                and all(map(_are_thresholds, self.label_thresholds.values()))
            ),
            f"closer_view {self.closer_view!r} is neither 0 nor, of regions, in [0.5, 1)": (
                _is_number(self.closer_view)
                and (self.closer_view == 0 or (0.5 <= self.closer_view < 1 and not self.is_dense))
            ),
            f"glance_side {self.glance_side!r} is neither 0 nor accepted by the network": (
                _is_glance_side(self.glance_side, self.network, self.preprocessing)
            ),
            f"glance_clear {self.glance_clear!r} is not in (0.5, 1), or not 0 without a glance": (
                _is_number(self.glance_clear)
                and (0.5 < self.glance_clear < 1 if self.glance_side else self.glance_clear == 0)
            ),
            f"int8 {self.int8!r} is neither true nor false": isinstance(self.int8, bool),
            f"loss {self.loss!r} is not for network {self.network!r}": (
                self.loss == "" or (self.loss in LOSSES and self.is_dense == (self.loss == PLACES))
            ),
            "training_data_sha256 is not 64 hex digits": _matches(
                _SHA256, self.training_data_sha256
            ),
            "metrics are not numbers by name": _are_metrics(self.metrics),
            "licence is not a text": isinstance(self.licence, str) and bool(self.licence.strip()),
            f"created_at {self.created_at!r} is not a moment of the years {_YEARS[0]} to"
            f" {_YEARS[-1]} with a time zone": _is_moment(self.created_at),
            "examples_sha256 is not 64 hex digits, or not of a dense network": (
                self.examples_sha256 == ""
                or (self.is_dense and _matches(_SHA256, self.examples_sha256))
            ),
            "weights_sha256 is not 64 hex digits": (
                self.weights_sha256 == "" or _matches(_SHA256, self.weights_sha256)
            ),
        }
        return [problem for problem, holds in checks.items() if not holds]

    @property
    def is_dense(self) -> bool:
        """Whether the network sees whole frames and has an output for each place."""
        return self.network == DENSE

    @property
    def views(self) -> RegionViews:
        """The looks of the network at a frame."""
        return RegionViews(self.closer_view, self.glance_side, self.glance_clear)

    @property
    def reference(self) -> str:
        """NAME@VERSION, as commands accept it."""
        return f"{self.name}@{self.version}"


def to_bytes(manifest: Manifest) -> bytes:
    """Return the manifest's canonical form: JSON in UTF-8 with sorted keys.

    Optional keys (thresholds of single labels, a closer view, a glance, 8 bits, a loss, examples,
    names of labels) are omitted if unused. Manifests from before these existed keep their form, and
    with it their identity.
    """
    content = {item.name: getattr(manifest, item.name) for item in fields(manifest)}
    for name in _LATER_KEYS:
        if not content[name]:
            del content[name]
    text = json.dumps(
        content, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False, default=dict
    )
    return text.encode() + b"\n"


def from_bytes(content: bytes) -> Manifest:
    """Read a manifest.

    Returns:
        A manifest that has a canonical form.

    Raises:
        ArtifactError: The content is not JSON, has other keys than Manifest, or a value is not
            allowed.
    """
    try:
        read = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ArtifactError("manifest: not JSON") from error
    expected = {item.name for item in fields(Manifest)}
    if not isinstance(read, dict) or {*_LATER_KEYS, *read} != expected:
        found = sorted(read) if isinstance(read, dict) else type(read).__name__
        raise ArtifactError(f"manifest: has {found}; expected exactly {sorted(expected)}")
    for name in ("labels", "regions"):
        read[name] = tuple(read[name]) if isinstance(read[name], list) else ()
    thresholds = read.get("label_thresholds", {})
    if isinstance(thresholds, dict):
        read["label_thresholds"] = {
            label: tuple(pair) if isinstance(pair, list) else pair
            for label, pair in thresholds.items()
        }
    if isinstance(names := read.get("names"), dict):
        read["names"] = Names(names)
    manifest = Manifest(**read)
    try:
        to_bytes(manifest)
    except (
        ValueError,
        RecursionError,
    ) as error:  # NaN, 1e999 or half a character, which JSON accepts
        raise ArtifactError(
            "manifest: has a number that is not finite, or a text that is not UTF-8; "
            "fetch the model version again"
        ) from error
    return manifest


def identity(manifest: Manifest) -> str:
    """Return the SHA-256 that identifies a model version.

    It covers the canonical manifest, and with it the weights, whose SHA-256 is in the manifest.
    """
    return hashlib.sha256(to_bytes(manifest)).hexdigest()


def _matches(pattern: re.Pattern[str], text: object) -> bool:
    return isinstance(text, str) and pattern.fullmatch(text) is not None


def _is_moment(text: object) -> bool:
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return False
    return moment is not None and moment.tzinfo is not None and moment.year in _YEARS


def _is_number(value: object) -> bool:
    # compares, because a whole number of JSON may be too large for a float
    return type(value) in (int, float) and -_LARGEST <= value <= _LARGEST  # type: ignore[operator]


def _is_glance_side(side: object, network: str, preprocessing: object) -> bool:
    if type(side) is not int:
        return False
    rule = PREPROCESSINGS.get(preprocessing) if isinstance(preprocessing, str) else None
    return side == 0 or (rule is not None and side in glance_sides(network, rule))


def _are_thresholds(pair: object) -> bool:
    """Tell whether these are an onset and an offset."""
    if not isinstance(pair, tuple) or len(pair) != 2 or not all(map(_is_number, pair)):
        return False
    onset, offset = pair
    return bool(0 < offset <= onset <= 1)


def _are_labels(labels: tuple[str, ...]) -> bool:
    return (
        2 <= len(labels) <= _MAX_LABELS
        and all(map(is_label, labels))
        and len(set(labels)) == len(labels)
    )


def _are_regions(regions: tuple[str, ...]) -> bool:
    known = all(region in REGIONS for region in regions)
    return known and len(regions) > 0 and len(set(regions)) == len(regions)


def _are_metrics(metrics: Mapping[str, float]) -> bool:
    return isinstance(metrics, Mapping) and all(map(_is_number, metrics.values()))
