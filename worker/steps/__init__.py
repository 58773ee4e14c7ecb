"""The steps of a run, shared by all runners."""
