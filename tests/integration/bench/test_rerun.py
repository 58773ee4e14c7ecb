"""The two versions of a network that a run again is timed with."""

from pathlib import Path

import pytest

from bench.rerun import _variant
from model.inference.classifier import Classifier
from model.inference.device import Device
from model.version.artifact import find_model

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("small", [False, True])
def test_versions_differ_and_compute_whatever_network_is_bundled(
    small: bool, tmp_path: Path
) -> None:
    versions = [_variant(find_model(None), tmp_path, number, small=small) for number in (1, 2)]
    assert versions[0].sha256 != versions[1].sha256
    for version in versions:
        Classifier.load(version, device=Device.CPU)
