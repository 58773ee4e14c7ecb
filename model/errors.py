"""Errors of the package. Imports nothing else of it."""


class ModelError(Exception):
    """Base of all errors of this package, each a line that says what, where and what to do."""


class ArtifactError(ModelError):
    """A model version's folder is damaged, unsafe, or not a model version."""


class ModelNotFoundError(ModelError):
    """No model version matches the reference."""


class MissingExtraError(ModelError):
    """A library is not installed that only an extra of Castline brings."""


class DeviceError(ModelError):
    """The requested device does not exist or cannot hold the batch."""


class LabelError(ModelError):
    """A name has no characters for a label."""


class StillsError(ModelError):
    """A folder of labelled stills cannot be used for training."""


class BoxError(StillsError):
    """A box is empty, leaves its picture, or has no label."""


class DatasetError(ModelError):
    """A dataset cannot be written, is damaged, or is not a dataset."""


class TrainingError(ModelError):
    """A network cannot be trained as requested."""
