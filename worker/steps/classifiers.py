"""The loaded classifier of a process, with the batch size that suits its device."""

import json
import os
from pathlib import Path

from model.inference.batch_size import probe_batch_size
from model.inference.classifier import BATCH_SIZE, Classifier
from model.inference.device import Device
from model.inference.tensorflow_runtime import device_name
from model.version.artifact import ModelVersion, find_model_by_sha256
from worker.settings import Settings


class LoadedClassifiers:
    """Holds the classifier in use; another model version replaces it, so that memory holds one.

    Args:
        settings: Settings with the models' folder, and the batch size if one is configured.
        device: Device to classify on.
        probes: Whether to find the best batch size by trying. This takes seconds, which is worth it
            for a long-running worker but not for a single command.
    """

    def __init__(self, settings: Settings, device: Device, *, probes: bool = False) -> None:
        self._settings = settings
        self._device = device
        self._probes = probes
        self._loaded: tuple[str, Classifier] | None = None

    def loaded(self, sha256: str) -> Classifier | None:
        """Return the classifier of the model version with this SHA-256, if it is loaded."""
        return self._loaded[1] if self._loaded and self._loaded[0] == sha256 else None

    def load(self, sha256: str) -> Classifier:
        """Return the classifier of the model version with this SHA-256.

        Raises:
            ModelError: It is not among the model folders, or cannot be loaded.
        """
        if self._loaded is None or self._loaded[0] != sha256:
            self._loaded = None
            version = find_model_by_sha256(sha256, [self._settings.models_folder])
            self._loaded = (
                sha256,
                Classifier.load(version, device=self._device, batch_size=self._batch_size(version)),
            )
        return self._loaded[1]

    def _batch_size(self, version: ModelVersion) -> int:
        if self._settings.batch_size or not self._probes:
            return self._settings.batch_size or BATCH_SIZE
        path = self._settings.home / "batch_sizes.json"
        known = _read(path)
        key = f"{device_name(self._device)}, {version.sha256}"
        if key not in known:
            known[key] = probe_batch_size(version, self._device)
            _write(path, known)
        return known[key]


def _read(path: Path) -> dict[str, int]:
    """Return the batch sizes found before; none where the file is damaged or missing."""
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    pairs = known.items() if isinstance(known, dict) else ()
    return {key: size for key, size in pairs if isinstance(size, int) and size > 0}


def _write(path: Path, known: dict[str, int]) -> None:
    # Two workers may write concurrently: a lost entry is probed again.
    written = path.with_suffix(f".{os.getpid()}")
    written.write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8")
    written.replace(path)
