"""Examples: what a dense network sees in pictures of those whom it knows, and of nobody.

They are kept beside its weights, so that a label may be added later (`model.adding.adding`) without
the stills of the others: what is added must not be seen in them. Of some pictures a few places are
kept, as features (`model.adding.features`) in 8 bits.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from model.adding.features import DenseFeatures
from model.dataset.folder import Dataset
from model.dataset.stills import Stills
from model.errors import ArtifactError, DatasetError
from model.labels import UNKNOWN, known_labels
from model.progress import Progress
from model.recipe import Recipe
from model.scenes.batches import SceneBatches
from model.scenes.whereabouts import Whereabouts
from model.version.artifact import ModelVersion
from model.version.safe_files import read_checked_file

PLACES_KEPT: Final = 3
"""Of a picture: the likeliest for any label, and those most unlike it and each other. A linear
answer is highest at such places, so that the highest of three tells nearly what that of all
does."""

_PICTURES: Final = 640
"""Of which examples are kept: 20 of each of 33 labels, whose features take 0.3 MB."""

_NOBODY: Final = 1 / 3
"""Share of them that show nobody known, where there are such stills: so many shots of a rehearsal
do."""

_MAX_BYTES: Final = 4 << 20  # of the file: ten times ours
_TENSORS: Final = {"features": "U8", "largest": "F16"}


@dataclass(frozen=True)
class Examples:
    """The features of some places of n pictures."""

    features: NDArray[np.float32]
    """(n, places, features), none below 0"""

    def to_bytes(self) -> bytes:
        """Return what a file holds: 8 bits of each feature, as shares of its largest."""
        from safetensors.numpy import save

        largest = self.features.max(axis=(0, 1)).astype("<f2")
        scale = np.maximum(largest.astype(np.float32), np.finfo(np.float16).tiny) / 255
        steps = np.clip(np.rint(self.features / scale), 0, 255).astype(np.uint8)
        content: bytes = save({"features": steps, "largest": largest})
        return content

    def joined(self, others: NDArray[np.float32]) -> "Examples":
        """Return these and others (m, places, features)."""
        return Examples(np.concatenate([self.features, others]))


def read_examples(version: ModelVersion) -> Examples:
    """Read a model version's examples.

    Raises:
        ArtifactError: the file is not the one that the manifest names, is no safetensors file, or
            holds other names, types or shapes, or a number that is not finite.
    """
    from safetensors import SafetensorError, deserialize

    path = version.examples_path
    try:
        tensors = dict(deserialize(check_examples(version)))  # type: ignore[no-untyped-call]
    except SafetensorError as error:
        raise ArtifactError(f"{path}: not a safetensors file ({error})") from error
    width = version.manifest.network_parameters.get("head")
    if not _fit(tensors, width):
        raise ArtifactError(f"{path}: examples do not fit network {version.manifest.network!r}")
    largest = np.frombuffer(tensors["largest"]["data"], "<f2").astype(np.float32)
    if not (np.isfinite(largest) & (largest >= 0)).all():
        raise ArtifactError(f"{path}: has numbers that are not finite; train again")
    steps = np.frombuffer(tensors["features"]["data"], np.uint8)
    shares = steps.reshape(tensors["features"]["shape"]).astype(np.float32) / 255
    return Examples(np.asarray(shares * largest, np.float32))


def check_examples(version: ModelVersion) -> bytes:
    """Return the content of a model version's file of examples.

    Raises:
        ArtifactError: the file is not the one that the manifest names.
    """
    sha256 = version.manifest.examples_sha256
    return read_checked_file(version.examples_path, _MAX_BYTES, sha256, "examples")


def examples_of(seen: DenseFeatures, stills: Stills, recipe: Recipe, tell: Progress) -> Examples:
    """Return examples of scenes made of stills, of all labels equally many.

    Args:
        seen: the network.
        stills: that it learnt, as they are stored.
        recipe: how scenes vary.
        tell: takes a step's name, how much of it is done, and how much there is.
    """
    rng = np.random.default_rng(recipe.seed)
    leads = _leads(stills, rng)
    scenes = SceneBatches(stills, Whereabouts.as_drawn(stills), recipe)
    kept = []
    for start in range(0, len(leads), seen.batch_size):
        tell("Keeping examples", start, len(leads))
        pictures, _ = scenes.batch(leads[start : start + seen.batch_size], rng)
        kept.append(distinct_places(seen, seen.of(pictures)))
    tell("Keeping examples", len(leads), len(leads))
    return Examples(np.concatenate(kept))


def examples_for(
    version: ModelVersion, seen: DenseFeatures, dataset: Dataset, recipe: Recipe, tell: Progress
) -> Examples:
    """Return examples of the train stills of a dataset that show only whom a version knows.

    Args:
        version: of the network.
        seen: its network.
        dataset: of its labels, and perhaps of more: their stills are passed over.
        recipe: how scenes vary.
        tell: takes a step's name, how much of it is done, and how much there is.

    Raises:
        DatasetError: a shard is damaged, or nobody in the dataset is known to the version.
    """
    tell("Unpacking stills", 0, 1)
    stills = Stills.unpack(dataset, "train")
    tell("Unpacking stills", 1, 1)
    known = {*version.manifest.labels, UNKNOWN}
    is_known = np.array([label in known for label in stills.labels])
    only_known = np.array([is_known[list(labels)].all() for labels in stills.label_sets])
    somebody = np.array([label != UNKNOWN for label in stills.labels])[stills.label_numbers]
    if not (only_known & somebody).any():
        raise DatasetError(
            f"{dataset.folder}: no still of anybody whom {version.manifest.reference} knows; "
            "give the dataset that it was trained on"
        )
    return examples_of(seen, stills.chosen(np.flatnonzero(only_known)), recipe, tell)


def distinct_places(seen: DenseFeatures, features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return of each picture's features (n, rows, columns, features) those of PLACES_KEPT places.

    The first is the likeliest for any label, each further one the farthest from those before.
    """
    by_place = features.reshape(len(features), -1, features.shape[-1])
    rows = np.arange(len(by_place))
    place = seen.logits(by_place).max(axis=-1).argmax(axis=1)
    apart = np.full(by_place.shape[:2], np.inf)
    kept = []
    for _ in range(PLACES_KEPT):
        kept.append(by_place[rows, place])
        distances = ((by_place - kept[-1][:, None]) ** 2).sum(axis=-1)
        apart = np.minimum(apart, distances)
        place = apart.argmax(axis=1)
    return np.stack(kept, axis=1)


def _leads(stills: Stills, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw the stills to make scenes of: a share of nobody, of labels in turn."""
    known = len(known_labels(stills.labels))
    nobody = np.flatnonzero(stills.label_numbers >= known)
    strangers = min(len(nobody), round(_NOBODY * _PICTURES))
    drawn = [rng.permutation(nobody)[:strangers]]
    by_label = [rng.permutation(np.flatnonzero(stills.label_numbers == n)) for n in range(known)]
    there = [of_label for of_label in by_label if len(of_label)]
    for number in range(_PICTURES - strangers):
        of_label = there[number % len(there)]
        drawn.append(of_label[[number // len(there) % len(of_label)]])
    return np.concatenate(drawn).astype(np.int64)


def _fit(tensors: dict[str, Any], width: object) -> bool:
    """Tell whether tensors are examples of a network whose head has this width."""
    if {name: tensor["dtype"] for name, tensor in tensors.items()} != _TENSORS:
        return False
    shape = list(tensors["features"]["shape"])
    return (
        len(shape) == 3
        and shape[1] == PLACES_KEPT
        and min(shape) > 0
        and shape[2:] == [width] == list(tensors["largest"]["shape"])
    )
