"""The pages. Each works without scripts, which only add to it."""
