"""Import a model version from elsewhere: validated, and copied completely or not at all."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from model.adding.examples import check_examples, read_examples
from model.errors import ArtifactError, ModelError
from model.inference.classifier import Classifier
from model.inference.compiling import compiled, compiled_here, keep_compiled
from model.inference.cpu_forward import CpuForwardPass
from model.version import manifest as manifests
from model.version.artifact import (
    EXAMPLES,
    MANIFEST,
    REPORT,
    WEIGHTS,
    ModelVersion,
    list_models,
    read_model_version,
)
from model.version.safe_files import open_folder, read_regular_file, whole_folder, write_synced_file
from model.version.weights import check_weights

_MAX_PAGE_BYTES: Final = 32 << 20  # of a report's file; a usual contact sheet has under 2 MB
_MAX_PAGES: Final = 100  # usual reports have about ten
_FRAME: Final = (144, 256)  # height and width of a 16:9 frame in the frame store


@dataclass(frozen=True)
class Imported:
    """An imported model version."""

    version: ModelVersion
    """The version in its new folder."""
    is_new: bool
    """Whether it was copied now; otherwise the same version was there already."""


def import_model_version(source: Path, models_folder: Path) -> Imported:
    """Validate a model version and copy it into a folder of model versions.

    Before anything is copied, the network is built, filled with the weights, compiled and tried.

    Args:
        source: The model version's folder, which may be untrusted.
        models_folder: The folder to copy it to, as `NAME-VERSION`.

    Raises:
        ArtifactError: The folder is damaged, unsafe or not a model version, or another model
            version has its name and version.
        MissingExtraError: The network was never compiled here, and cannot be without the extra.
        ModelError: The network cannot be built.
    """
    offered = read_model_version(source)
    there = _namesake(offered, models_folder)
    if there is not None:
        if not there.compiled_path.exists():
            keep_compiled(there, compiled(there))
        return Imported(there, is_new=False)
    folder = _free_folder(offered, models_folder)
    network = compiled_here(offered)
    _try(offered, network)
    is_new = True
    try:
        with whole_folder(folder) as unfinished:
            _copy(offered, unfinished)
    except OSError as error:
        if not _is_copy(folder, offered):  # another process may have copied it first
            raise ArtifactError(
                f"{folder}: cannot be made ({error.strerror}); look at the folder above"
            ) from error
        is_new = False
    imported = read_model_version(folder)
    keep_compiled(imported, network)
    return Imported(imported, is_new)


def _try(offered: ModelVersion, network: bytes) -> None:
    """Classify a black frame, a white one, and noise with the compiled network.

    Raises:
        ArtifactError: Weights or examples are damaged or do not fit.
        ModelError: The network cannot be built, or its outputs are not finite.
    """
    # one picture at a time is enough: weights fit any batch size or none
    classifier = Classifier(offered, CpuForwardPass(network, batch_size=1))
    noise = np.random.default_rng(0).integers(0, 256, (*_FRAME, 3), np.uint8)
    frames = [np.full_like(noise, shade) for shade in (0, 255)]
    try:
        classifier.classify([*frames, noise])
    except ModelError as error:
        raise ModelError(f"{offered.folder}: {error}") from error
    if offered.manifest.examples_sha256:
        read_examples(offered)


def copy_model_version(version: ModelVersion, models_folder: Path) -> None:
    """Copy a bundled model version with its compiled network, unless it is there already.

    Several processes may do so at the same time.

    Raises:
        ArtifactError: Another model version is in its place.
        OSError: It cannot be written.
    """
    folder = models_folder / _folder_name(version)
    if not _is_copy(folder, version):
        _free_folder(version, models_folder)
        try:
            with whole_folder(folder) as unfinished:
                _copy(version, unfinished)
        except OSError:
            if not _is_copy(folder, version):  # another process may have copied it first
                raise
    copy = read_model_version(folder)
    if not copy.compiled_path.exists():
        keep_compiled(copy, compiled(version))


def _is_copy(folder: Path, version: ModelVersion) -> bool:
    return folder.exists() and read_model_version(folder).sha256 == version.sha256


def _free_folder(version: ModelVersion, models_folder: Path) -> Path:
    folder = models_folder / _folder_name(version)
    if folder.exists():
        reference = version.manifest.reference
        raise ArtifactError(f"{folder}: exists and is not {reference}; move it away")
    return folder


def _folder_name(version: ModelVersion) -> str:
    return f"{version.manifest.name}-{version.manifest.version}"


def _namesake(offered: ModelVersion, models_folder: Path) -> ModelVersion | None:
    """Return the same model version if it is there already.

    Raises:
        ArtifactError: Another version has its name and number.
    """
    reference = offered.manifest.reference
    found, _ = list_models([models_folder])
    namesakes = [version for version in found if version.manifest.reference == reference]
    for version in namesakes:
        if version.sha256 != offered.sha256:
            raise ArtifactError(
                f"{offered.folder}: {version.folder} is another {reference}; change the version in "
                f"{offered.folder / MANIFEST}"
            )
        _check_files(version)
    return namesakes[0] if namesakes else None


def _check_files(version: ModelVersion) -> None:
    """Refuse to import a version that exists but is damaged, and say what to do."""
    try:
        check_weights(version)
        if version.manifest.examples_sha256:
            check_examples(version)
    except ArtifactError as error:
        raise ArtifactError(
            f"{version.folder}: is there already, but damaged; move it away and import it again"
        ) from error


def _copy(offered: ModelVersion, folder: Path) -> None:
    """Copy the validated content byte for byte, and nothing that replaced it since."""
    write_synced_file(folder / WEIGHTS, check_weights(offered))
    if offered.manifest.examples_sha256:
        write_synced_file(folder / EXAMPLES, check_examples(offered))
    write_synced_file(folder / MANIFEST, manifests.to_bytes(offered.manifest))
    (folder / REPORT).mkdir()
    for name, content in _pages(offered.folder):
        write_synced_file(folder / REPORT / name, content)


def _pages(source: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the names and contents of a report's files; a version without a report has none.

    The folders are opened once, so that a link that replaces them has no effect.
    """
    report = source / REPORT
    try:
        with open_folder(source) as folder, open_folder(report, folder) as opened:
            names = sorted(os.listdir(opened))  # noqa: PTH208 (Path takes no descriptor)
            if len(names) > _MAX_PAGES:
                raise ArtifactError(f"{report}: {len(names)} files; keep at most {_MAX_PAGES}")
            for name in names:
                yield name, read_regular_file(report / name, _MAX_PAGE_BYTES, opened)
    except FileNotFoundError:
        return
    except OSError as error:
        raise ArtifactError(
            f"{report}: cannot be read ({error.strerror}); fetch the model version again"
        ) from error
