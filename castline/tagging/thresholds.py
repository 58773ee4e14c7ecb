"""The thresholds of a model's runs: its original ones, or those that users set."""

from dataclasses import replace

from db.changes.thresholds import thresholds_set
from db.engine import Transaction
from db.locks import lock_model_versions
from model.version.artifact import ModelVersion
from timeline.appearances.rules import Rules
from worker.parameters import RunParameters, thresholds_from_json


def own_thresholds(version: ModelVersion) -> Rules:
    """Return the original thresholds of a model version."""
    return replace(RunParameters.for_model(version.manifest).rules, shots=None)


def thresholds_in_use(connection: Transaction, version: ModelVersion) -> Rules:
    """Return the thresholds of a model version's existing and future runs."""
    text = thresholds_set(connection, version.sha256)
    if text is None:
        return own_thresholds(version)
    return thresholds_from_json(text)


def parameters_of_new_run(
    connection: Transaction, version: ModelVersion, parameters: RunParameters
) -> RunParameters:
    """Return the parameters of a run that this transaction creates, with the thresholds in use.

    The thresholds stay the same until the transaction ends.
    """
    lock_model_versions(connection, shared=True)
    return parameters.with_thresholds(thresholds_in_use(connection, version))
