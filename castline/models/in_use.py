"""The model version in use: the one for new runs and for questions."""

from castline.errors import RequestError
from castline.tagging.enqueue import model_record
from db.changes.promotions import begin_promotions, promoted_sha256
from model.errors import ModelNotFoundError
from model.version.artifact import ModelVersion, find_model, find_model_by_sha256
from worker.installation import Installation


def sha256_in_use(installation: Installation) -> str:
    """Return the model version for new runs: the promoted one, or else the bundled one."""
    with installation.database.read() as connection:
        return promoted_sha256(connection) or find_model(None).sha256


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


def hold_what_is_shown(installation: Installation) -> None:
    """Fix the current model, so that only promotions change it and not new runs of other models."""
    record = model_record(find_model(None))
    with installation.database.write() as connection:
        begin_promotions(connection, record)
