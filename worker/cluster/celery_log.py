"""Celery's part of the log, configured by the settings in all its processes."""

from typing import Any

from celery.app.log import Logging

from worker.settings import Settings
from worker.telemetry.log import configure_logging


class CeleryLog(Logging):  # type: ignore[misc]  # Celery has no types
    """Leaves logging to Castline where a log is configured.

    Celery calls `setup` at the start of its main process, and of each process of its pool, which is
    a new one without a log.
    """

    def setup(self, *options: Any, **more: Any) -> Any:
        """Configure the log of this process; return True if Celery shall not redirect anything."""
        log_format = Settings.from_json(self.app.conf.castline_settings).log_format
        if log_format is None:
            return super().setup(*options, **more)
        configure_logging(log_format)
        return True
