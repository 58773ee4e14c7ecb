"""Examples: a dense network's features for pictures of its labels and of unknown characters.

They are stored beside its weights as negatives, so that a label can be added later
(`model.adding.adding`) without the stills of the other labels. Some pictures contribute a few
places each, as features (`model.adding.features`) in 8 bits.
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
"""Places kept per picture: the most likely one for any label, and those that differ most from it
and from each other. A linear classifier scores highest at such places, so that the maximum over
three is nearly that over all places."""

_PICTURES: Final = 640
"""Pictures from which examples are kept: 20 of each of 33 labels, whose features take 0.3 MB."""

_NOBODY: Final = 1 / 3
"""Share of them without known characters, if there are such stills: the same as in the shots of a
rehearsal."""

_MAX_BYTES: Final = 4 << 20  # of the file: ten times the usual size
_TENSORS: Final = {"features": "U8", "largest": "F16"}


@dataclass(frozen=True)
class Examples:
    """The features of some places of n pictures."""

    features: NDArray[np.float32]
    """(n, places, features), none below 0"""

    def to_bytes(self) -> bytes:
        """Return the file's content: 8 bits per feature, as shares of the feature's maximum."""
        from safetensors.numpy import save

        largest = self.features.max(axis=(0, 1)).astype("<f2")
        scale = np.maximum(largest.astype(np.float32), np.finfo(np.float16).tiny) / 255
        steps = np.clip(np.rint(self.features / scale), 0, 255).astype(np.uint8)
        content: bytes = save({"features": steps, "largest": largest})
        return content

    def joined(self, others: NDArray[np.float32]) -> "Examples":
        """Return these examples and others (m, places, features)."""
        return Examples(np.concatenate([self.features, others]))


def read_examples(version: ModelVersion) -> Examples:
    """Read a model version's examples.

    Raises:
        ArtifactError: The file is not the one that the manifest names, is not a safetensors file,
            or holds other names, types or shapes, or a number that is not finite.
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
        ArtifactError: The file is not the one that the manifest names.
    """
    sha256 = version.manifest.examples_sha256
    return read_checked_file(version.examples_path, _MAX_BYTES, sha256, "examples")


def examples_of(seen: DenseFeatures, stills: Stills, recipe: Recipe, tell: Progress) -> Examples:
    """Return examples of scenes composed of stills, with equal numbers for all labels.

    Args:
        seen: The network.
        stills: Its training stills, as they are stored.
        recipe: Gives the strength of each augmentation.
        tell: Called with a step's name, and how much of it is done out of how much.
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
    """Return examples of those train stills of a dataset that show only labels of a version.

    Args:
        version: The version whose labels count.
        seen: Its network.
        dataset: A dataset with its labels; stills of other labels are skipped.
        recipe: Gives the strength of each augmentation.
        tell: Called with a step's name, and how much of it is done out of how much.

    Raises:
        DatasetError: A shard is damaged, or the dataset has no label of the version.
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
            f"{dataset.folder}: no still of a label that {version.manifest.reference} knows; "
            "give the dataset that it was trained on"
        )
    return examples_of(seen, stills.chosen(np.flatnonzero(only_known)), recipe, tell)


def distinct_places(seen: DenseFeatures, features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the PLACES_KEPT most distinct of the places in (n, rows, columns, features).

    The first is the most likely one for any label, each further one the farthest from those before.
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
    """Draw lead stills of scenes: a share without known characters, the rest by label in turn."""
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
