"""Errors of the workers, each as one line that says what to do."""


class WorkerError(Exception):
    """The work cannot continue; the message is one line with its remedy."""


class WorkStoppedError(WorkerError):
    """The work was stopped on request; claimed chunks are offered again."""


class BrokerError(WorkerError):
    """The broker cannot be used now; unpublished messages stay in the database."""
