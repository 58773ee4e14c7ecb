"""The validation stills of a dataset, and a model version's forward pass for them."""

from pathlib import Path

from model.dataset.folder import open_dataset
from model.dataset.stills import Stills
from model.inference.forward import ForwardPass
from model.inference.sight import Sight
from model.networks.named import network_of
from model.pictures.preprocess import Preprocessing
from model.version.artifact import ModelVersion
from model.versions import forward_pass


def stills_and_forward(
    version: ModelVersion, dataset: Path, sight: Sight
) -> tuple[Stills, ForwardPass]:
    """Return a dataset's validation stills for a version, and its forward pass on a CPU."""
    fitted_by = sight.rule if isinstance(sight.rule, Preprocessing) else None
    stills = Stills.unpack(open_dataset(dataset), "validation", fitted_by)
    forward, _ = forward_pass(network_of(version), sight, stills)
    return stills, forward
