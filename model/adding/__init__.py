"""Labels added to a model that is there."""
