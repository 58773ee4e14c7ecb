"""Which model version is in use: the one that new runs take and questions see."""

from castline.errors import RequestError
from castline.tagging.enqueue import model_record
from db.changes.promotions import begin_promotions, promoted_sha256
from model.errors import ModelNotFoundError
from model.version.artifact import ModelVersion, find_model, find_model_by_sha256
from worker.installation import Installation


def sha256_in_use(installation: Installation) -> str:
    """The model version that new runs use: the promoted one, or the bundled one before any."""
    with installation.database.read() as connection:
        return promoted_sha256(connection) or find_model(None).sha256


def model_in_use(installation: Installation) -> ModelVersion:
    """The same, from its folder.

    Raises:
        RequestError: Its folder is gone or damaged.
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
    """The model version that a person names, or else the one in use.

    Raises:
        ModelError: There is none of that name, or it cannot be read.
        RequestError: The folder of the one in use is gone.
    """
    if reference is None:
        return model_in_use(installation)
    return find_model(reference, [installation.settings.models_folder])


def hold_what_is_shown(installation: Installation) -> None:
    """From now on only promotions, no other model's new runs, change which model is shown."""
    record = model_record(find_model(None))
    with installation.database.write() as connection:
        begin_promotions(connection, record)
