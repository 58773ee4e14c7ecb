"""What can go wrong with a recogniser. Imports nothing of the package."""


class ModelError(Exception):
    """Base of all errors of this package: one line that says what, where and what to do."""


class ArtifactError(ModelError):
    """A model version's folder is damaged, hostile or not one at all."""


class ModelNotFoundError(ModelError):
    """No model version answers to the reference that was asked for."""


class MissingExtraError(ModelError):
    """A library is not installed that only an extra of Castline brings."""


class DeviceError(ModelError):
    """The device that was asked for is not there or cannot hold the batch."""


class LabelError(ModelError):
    """A name has nothing that a label can be made of."""


class StillsError(ModelError):
    """A folder of labelled stills cannot be trained from."""


class BoxError(StillsError):
    """A box is empty, leaves its picture, or is nobody's."""


class DatasetError(ModelError):
    """A dataset cannot be written, or its folder is damaged or not one at all."""


class TrainingError(ModelError):
    """A network cannot be trained as asked."""
