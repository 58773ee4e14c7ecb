"""What is made once for all tests of the folder."""

import pytest

from tests.trained_shapes import TrainedShapes, train_shapes


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> TrainedShapes:
    """A model version of drawn shapes, and how it was trained."""
    return train_shapes(tmp_path_factory.mktemp("trained_shapes"))
