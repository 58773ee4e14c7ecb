"""Flower's configuration: the broker from its secret, and Castline's part of it."""

from pathlib import Path

broker_url = Path("/run/secrets/broker_url").read_text().strip()
broker_transport_options = {"global_keyprefix": "castline:"}
