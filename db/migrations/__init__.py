"""Steps from one schema to the next; run on first use, or by `castline db upgrade`."""
