"""Texts in a CSV file that a spreadsheet may open."""

FORMULA_SIGNS = (*"=+-@", *"\uff1d\uff0b\uff0d\uff20")
"""By which formulas begin in spreadsheets; the latter four are as wide as Chinese letters."""


def cell(text: str) -> str:
    """A text that no spreadsheet computes: an apostrophe stands before what begins a formula."""
    return f"'{text}" if text.startswith(FORMULA_SIGNS) else text
