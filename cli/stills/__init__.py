"""Commands for datasets and the stills in them."""
