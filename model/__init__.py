"""The classifier: preprocessing, networks, training, model versions and inference."""
