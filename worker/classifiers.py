"""The classifier that a process has in memory."""

from model.artifact import find_model_by_sha256
from model.classifier import Classifier
from worker.settings import Settings


class LoadedClassifiers:
    """The classifier in use; another model version takes its place, so memory holds one."""

    def __init__(self, settings: Settings, device: str) -> None:
        self._settings = settings
        self._device = device
        self._loaded: tuple[str, Classifier] | None = None

    def load(self, sha256: str) -> Classifier:
        """The classifier of the model version with this SHA-256.

        Raises:
            ModelError: It is not among the model folders, or cannot be loaded.
        """
        if self._loaded is None or self._loaded[0] != sha256:
            self._loaded = None
            version = find_model_by_sha256(sha256, [self._settings.models_folder])
            self._loaded = sha256, Classifier.load(version, device=self._device)
        return self._loaded[1]
