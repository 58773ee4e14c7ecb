"""What is made once for all tests of the folder."""

from collections.abc import Iterator

import pytest

from model.inference import compiling
from tests.servers.object_storage import ObjectStorage, object_storage
from tests.stills.trained_shapes import TrainedShapes, train_shapes


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> TrainedShapes:
    """A model version of drawn shapes, and how it was trained."""
    return train_shapes(tmp_path_factory.mktemp("trained_shapes"))


@pytest.fixture(scope="module")
def compiles_here() -> Iterator[None]:
    """Networks are compiled in this process, which has TensorFlow soon, not each in another."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiling, "_compile_in_child", compiling.compile_version)
        yield


@pytest.fixture(scope="session")
def storage() -> Iterator[ObjectStorage]:
    """An S3 server, which this process and those that it starts find by their environment."""
    with object_storage() as running, pytest.MonkeyPatch.context() as patch:
        for name, value in running.environment.items():
            patch.setenv(name, value)
        yield running
