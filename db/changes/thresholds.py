"""Thresholds that users set in place of a model version's original ones."""

from sqlalchemy import Connection, delete, insert, select

from db.queue.claims import database_now
from db.schema import model_thresholds, model_version


def thresholds_set(connection: Connection, sha256: str) -> str | None:
    """Return the thresholds set for the model version with this SHA-256, as JSON.

    None where the original ones apply, as for a model that never ran here.
    """
    query = (
        select(model_thresholds.c.rules)
        .join(model_version, model_version.c.id == model_thresholds.c.model_version_id)
        .where(model_version.c.sha256 == sha256)
    )
    return connection.execute(query).scalar_one_or_none()


def write_thresholds(connection: Connection, model_version_id: int, rules: str | None) -> None:
    """Set the thresholds of a model version; None restores the original ones."""
    key = model_thresholds.c.model_version_id == model_version_id
    connection.execute(delete(model_thresholds).where(key))
    if rules is not None:
        connection.execute(
            insert(model_thresholds).values(
                model_version_id=model_version_id, rules=rules, set_at=database_now(connection)
            )
        )
