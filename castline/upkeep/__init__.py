"""Keeping a library well: checked, pruned, upgraded."""
