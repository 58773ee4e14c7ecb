"""A model version as an immutable folder, validated when it is read.

    manifest.json          description of the version (see model.version.manifest)
    weights.safetensors    its weights
    examples.safetensors   examples of other labels, for dense networks (see model.adding.examples)
    report/                for people; never read back

Only numbers are loaded, after their amount, names, types and shapes were checked, and our own code
builds the network: nothing in the folder can execute code. TensorFlow is not needed here.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.errors import ArtifactError, ModelNotFoundError
from model.version import manifest as manifests
from model.version.manifest import Manifest
from model.version.safe_files import (
    check_entries,
    read_regular_file,
    whole_folder,
    write_synced_file,
)

MANIFEST: Final = "manifest.json"
WEIGHTS: Final = "weights.safetensors"
EXAMPLES: Final = "examples.safetensors"
REPORT: Final = "report"

COMPILED: Final = "compiled"
"""The folder, among those of model versions, of their networks compiled for CPUs."""

MODEL_CARD: Final = "model_card.md"
"""The page of a report that describes a model version in words."""

WEIGHTS_DTYPE: Final = np.dtype("<f2")
"""Data type of the weights in the file: IEEE 754 half precision."""

_MAX_MANIFEST_BYTES = 1 << 20  # a usual one has about 1 kB


@dataclass(frozen=True)
class ModelVersion:
    """A validated model version on disk."""

    folder: Path
    manifest: Manifest
    sha256: str
    """Identifies manifest and weights together."""

    @property
    def weights_path(self) -> Path:
        """The file with its weights."""
        return self.folder / WEIGHTS

    @property
    def examples_path(self) -> Path:
        """The file with its examples, if the manifest names one."""
        return self.folder / EXAMPLES

    @property
    def compiled_path(self) -> Path:
        """The file with its network compiled for CPUs, kept by `model.inference.compiling`.

        It lies beside the folder, not in it: a model version may be untrusted and holds numbers
        only, while compiled code is executed and always made by Castline itself.
        """
        return self.folder.parent / COMPILED / f"{self.sha256}.network"


def write_model_version(
    folder: Path,
    manifest: Manifest,
    weights: Mapping[str, NDArray[np.float32]],
    report: Mapping[str, bytes] | None = None,
    examples: bytes = b"",
) -> ModelVersion:
    """Write a model version; it appears under its name completely or not at all.

    Args:
        folder: The folder to create; it must not exist.
        manifest: The manifest; its `weights_sha256` and `examples_sha256` are filled in here.
        weights: Arrays by name; they are rounded to 16 bits.
        report: Contents of the files under `report/` by name.
        examples: Content of the file of examples; empty for none.

    Raises:
        ArtifactError: The folder exists already.
    """
    from safetensors.numpy import save

    if folder.exists():
        raise ArtifactError(f"{folder}: exists, and a model version never changes; name another")
    content = save(
        {name: array.astype(WEIGHTS_DTYPE, order="C") for name, array in weights.items()}
    )
    complete = replace(
        manifest,
        weights_sha256=hashlib.sha256(content).hexdigest(),
        examples_sha256=hashlib.sha256(examples).hexdigest() if examples else "",
    )
    with whole_folder(folder) as unfinished:
        write_synced_file(unfinished / WEIGHTS, content)
        if examples:
            write_synced_file(unfinished / EXAMPLES, examples)
        write_synced_file(unfinished / MANIFEST, manifests.to_bytes(complete))
        (unfinished / REPORT).mkdir()
        for name, page in (report or {}).items():
            write_synced_file(unfinished / REPORT / name, page)
    return ModelVersion(folder, complete, manifests.identity(complete))


def read_model_version(folder: Path) -> ModelVersion:
    """Read and validate a model version's manifest.

    `model.version.weights` reads the weights, `model.adding.examples` the examples.

    Raises:
        ArtifactError: The folder holds other or additional files, or links, or its manifest is not
            allowed.
    """
    check_entries(folder, frozenset({MANIFEST, WEIGHTS, EXAMPLES}), frozenset({REPORT}))
    manifest = read_manifest(folder)
    if not (folder / WEIGHTS).is_file():
        raise ArtifactError(f"{folder}: no {WEIGHTS}; fetch or train the version again")
    if (folder / EXAMPLES).is_file() != bool(manifest.examples_sha256):
        named = "names" if manifest.examples_sha256 else "does not name"
        raise ArtifactError(f"{folder}: the manifest {named} {EXAMPLES}; fetch the version again")
    if not manifest.weights_sha256:
        raise ArtifactError(f"{folder}: manifest: weights_sha256 is empty; write the version again")
    return ModelVersion(folder, manifest, manifests.identity(manifest))


def read_manifest(folder: Path) -> Manifest:
    """Read and validate the manifest of a model version.

    Raises:
        ArtifactError: It is missing, not a regular file, too large or not allowed.
    """
    content = read_regular_file(folder / MANIFEST, _MAX_MANIFEST_BYTES)
    try:
        return manifests.from_bytes(content)
    except ArtifactError as error:
        raise ArtifactError(f"{folder}: {error}") from error


def bundled_folder() -> Path:
    """Return the folder of the model versions that come with Castline."""
    return Path(__file__).parents[1] / "bundled"


def list_models(folders: Sequence[Path] = ()) -> tuple[list[ModelVersion], list[ArtifactError]]:
    """List all model versions.

    Args:
        folders: Folders searched in addition to the bundled one, as by `find_model`.

    Returns:
        The versions, newest first, each once, and the error of each that could not be read. Copies
        of bundled versions are omitted.
    """
    unreadable: list[ArtifactError] = []
    found: dict[str, ModelVersion] = {}
    for version in _readable((bundled_folder(), *folders), unreadable):
        found.setdefault(version.sha256, version)
    return sorted(found.values(), key=_age, reverse=True), unreadable


def models_in(folder: Path) -> list[ModelVersion]:
    """List the readable model versions in one folder, including copies of bundled ones."""
    return list(_readable((folder,), []))


def next_version(name: str, folders: Sequence[Path]) -> str:
    """Return the number of a family's next version: the highest whole number plus 1.

    Args:
        name: Name of the family.
        folders: Folders searched in addition to the bundled one.
    """
    versions = [found.manifest for found in list_models(folders)[0]]
    numbers = [one.version for one in versions if one.name == name and one.version.isdecimal()]
    return str(1 + max(map(int, numbers), default=0))


def find_model(reference: str | None, folders: Sequence[Path] = ()) -> ModelVersion:
    """Find a model version.

    Args:
        reference: `NAME@VERSION`, or `NAME` for its newest version, or None for the newest bundled
            one. The newest is the one made last (`created_at`), regardless of its number.
        folders: Folders of model versions, searched in addition to the bundled one; folders that do
            not exist count as empty.

    Raises:
        ModelNotFoundError: No version matches the reference, or two different ones do.
        ArtifactError: No version matches it, and a folder that could not be read may be the one.
    """
    if reference == "" or (reference or "").startswith("@"):
        raise ModelNotFoundError(f"model {reference!r}: not a name; give NAME or NAME@VERSION")
    name, _, version = (reference or "").partition("@")
    places = (bundled_folder(),) if reference is None else (bundled_folder(), *folders)
    unreadable: list[ArtifactError] = []
    matches = [
        found
        for found in _readable(places, unreadable)
        if name in ("", found.manifest.name) and version in ("", found.manifest.version)
    ]
    if not matches:
        if unreadable:
            raise unreadable[0]
        known = sorted({found.manifest.reference for found in _readable(places, [])})
        raise ModelNotFoundError(
            f"model {reference or '(bundled)'}: not found; there is {', '.join(known) or 'none'}"
        )
    newest = max(matches, key=_age)
    for other in matches:
        is_namesake = other.manifest.reference == newest.manifest.reference
        if is_namesake and other.sha256 != newest.sha256:
            raise ModelNotFoundError(
                f"model {newest.manifest.reference}: {newest.folder} and {other.folder} differ; "
                "give one of them another version"
            )
    return newest


def find_model_by_sha256(sha256: str, folders: Sequence[Path] = ()) -> ModelVersion:
    """Find the model version that a run was made with.

    Args:
        sha256: The version's identity.
        folders: Folders searched in addition to the bundled one, as by `find_model`.

    Raises:
        ModelNotFoundError: It is in none of the folders.
    """
    for found in _readable((bundled_folder(), *folders), []):
        if found.sha256 == sha256:
            return found
    raise ModelNotFoundError(
        f"model sha256 {sha256[:12]}: its folder is gone from {', '.join(map(str, folders))}; "
        "put it back or enqueue the episode with another model"
    )


def _readable(places: Sequence[Path], unreadable: list[ArtifactError]) -> Iterator[ModelVersion]:
    """Yield the model versions in these folders; collect the errors of damaged ones."""
    for place in places:
        for path in sorted(place.glob(f"*/{MANIFEST}")):
            if path.parent.name.startswith("."):
                continue  # left over from an interrupted write
            try:
                yield read_model_version(path.parent)
            except ArtifactError as error:
                unreadable.append(error)


def _age(found: ModelVersion) -> tuple[datetime, list[tuple[int, str]], str]:
    """Sort key: creation time, then the version (10 is newer than 9), then the name."""
    parts = re.findall(r"\d+|[A-Za-z]+", found.manifest.version)
    number = [(int(part), "") if part.isdigit() else (-1, part) for part in parts]
    return datetime.fromisoformat(found.manifest.created_at), number, found.manifest.name
