"""Thresholds that people set in place of a model version's own."""

from sqlalchemy import Connection, delete, insert, select

from db.queue.claims import database_now
from db.schema import model_thresholds, model_version


def thresholds_set(connection: Connection, sha256: str) -> str | None:
    """The thresholds that were set of the model version with this SHA-256, as JSON.

    None where its own count, as those of one that never ran here.
    """
    query = (
        select(model_thresholds.c.rules)
        .join(model_version, model_version.c.id == model_thresholds.c.model_version_id)
        .where(model_version.c.sha256 == sha256)
    )
    return connection.execute(query).scalar_one_or_none()


def write_thresholds(connection: Connection, model_version_id: int, rules: str | None) -> None:
    """Sets the thresholds of a model version; None: its own count again."""
    key = model_thresholds.c.model_version_id == model_version_id
    connection.execute(delete(model_thresholds).where(key))
    if rules is not None:
        connection.execute(
            insert(model_thresholds).values(
                model_version_id=model_version_id, rules=rules, set_at=database_now(connection)
            )
        )
