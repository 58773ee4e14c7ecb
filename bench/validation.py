"""What benches need that ask a model version about the validation stills of its dataset."""

from pathlib import Path

from model.artifact import ModelVersion
from model.dataset import open_dataset
from model.forward import ForwardPass
from model.looks import Looks
from model.networks import network_of
from model.preprocess import preprocessing_named
from model.stills import Stills
from model.versions import forward_pass


def stills_and_forward(
    version: ModelVersion, dataset: Path, looks: Looks
) -> tuple[Stills, ForwardPass]:
    """Return a dataset's validation stills as a version sees them, and its pass on a CPU."""
    preprocessing = preprocessing_named(version.manifest.preprocessing)
    stills = Stills.unpack(open_dataset(dataset), "validation", preprocessing)
    forward, _ = forward_pass(network_of(version), looks, stills)
    return stills, forward
