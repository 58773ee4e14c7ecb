"""The recogniser: preprocessing, networks, training, the artifact, the classifier."""
