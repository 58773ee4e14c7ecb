"""What can go wrong between the packages, each as one line that says what to do."""


class WorkerError(Exception):
    """The work cannot go on; the message is one line with its remedy."""


class WorkStoppedError(WorkerError):
    """Someone asked the work to stop; what was claimed is offered again."""


class BrokerError(WorkerError):
    """The broker cannot be used now; what was to be published stays in the database."""
