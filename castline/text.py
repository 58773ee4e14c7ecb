"""Escape text and format times for a terminal, a page or a log."""

from timeline.times import format_clock, format_time
from worker.telemetry.log import configure_logging, without_passwords
from worker.visible import visible, visible_json

__all__ = [
    "configure_logging",
    "format_clock",
    "format_time",
    "visible",
    "visible_json",
    "without_passwords",
]
