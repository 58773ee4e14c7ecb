"""The report and the model card of a model version."""
