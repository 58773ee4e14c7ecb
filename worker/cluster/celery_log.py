"""Celery's part of the log: in all its processes, as the settings say."""

from typing import Any

from celery.app.log import Logging

from worker.log import configure_logging
from worker.settings import Settings


class CeleryLog(Logging):  # type: ignore[misc]  # Celery has no types
    """Leaves the log to Castline where one is asked for.

    Celery calls `setup` at the start of its main process, and of each process of its pool, which
    is a fresh one and knows of no log yet.
    """

    def setup(self, *options: Any, **more: Any) -> Any:
        """Sets the log of this process up; true where Celery shall not redirect anything."""
        log_format = Settings.from_json(self.app.conf.castline_settings).log_format
        if log_format is None:
            return super().setup(*options, **more)
        configure_logging(log_format)
        return True
