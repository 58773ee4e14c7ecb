"""The model version in use: the one for new runs and for questions."""

from castline.errors import RequestError
from castline.tagging.enqueue import model_record
from db.changes.promotions import sha256_in_use as recorded_in_use
from db.changes.promotions import use_bundled
from model.errors import ModelNotFoundError
from model.version.artifact import ModelVersion, find_model, find_model_by_sha256
from worker.installation import Installation


def sha256_in_use(installation: Installation) -> str:
    """Return the model version for new runs: the promoted one, or else the bundled one."""
    with installation.database.read() as connection:
        return recorded_in_use(connection, find_model(None).sha256)


def model_in_use(installation: Installation) -> ModelVersion:
    """Return the model version in use, read from its folder.

    Raises:
        RequestError: The folder is missing or damaged.
    """
    try:
        return find_model_by_sha256(
            sha256_in_use(installation), [installation.settings.models_folder]
        )
    except ModelNotFoundError as error:
        raise RequestError(
            "the folder of the model in use is gone; put it back, or go on with another:"
            " castline models promote MODEL --force"
        ) from error


def chosen_model(installation: Installation, reference: str | None) -> ModelVersion:
    """Return the model version with this reference, or the one in use for None.

    Raises:
        ModelError: There is no such model version, or it cannot be read.
        RequestError: The folder of the model in use is missing.
    """
    if reference is None:
        return model_in_use(installation)
    return find_model(reference, [installation.settings.models_folder])


def record_bundled(installation: Installation) -> None:
    """Record that the bundled model is in use, if it is, before another is promoted."""
    record = model_record(find_model(None))
    with installation.database.write() as connection:
        use_bundled(connection, record)


def prepare_runs(installation: Installation, version: ModelVersion) -> None:
    """Record that the bundled model is in use before the first run of it is created."""
    if version.sha256 == find_model(None).sha256:
        record_bundled(installation)
