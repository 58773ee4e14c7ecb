"""The steps of a run, as every runner does them."""
