"""The thresholds by which a model's runs tell appearances: its own, or those that people set."""

from dataclasses import replace

from db.changes.thresholds import thresholds_set
from db.engine import Transaction
from db.library.current import lock_model_versions
from model.version.artifact import ModelVersion
from timeline.appearances.rules import Rules
from worker.parameters import RunParameters, thresholds_from_json


def own_thresholds(version: ModelVersion) -> Rules:
    """The thresholds that a model version has by itself."""
    return replace(RunParameters.for_model(version.manifest).rules, shots=None)


def thresholds_in_use(connection: Transaction, version: ModelVersion) -> Rules:
    """The thresholds of a model version's runs, those of now and those to come."""
    text = thresholds_set(connection, version.sha256)
    if text is None:
        return own_thresholds(version)
    return thresholds_from_json(text)


def with_thresholds_in_use(
    connection: Transaction, version: ModelVersion, parameters: RunParameters
) -> RunParameters:
    """Parameters with the thresholds in use in place of the model's own."""
    return parameters.with_thresholds(thresholds_in_use(connection, version))


def parameters_of_new_run(
    connection: Transaction, version: ModelVersion, parameters: RunParameters
) -> RunParameters:
    """The same for a run that is made in this transaction, before which thresholds stay."""
    lock_model_versions(connection, shared=True)
    return with_thresholds_in_use(connection, version, parameters)
