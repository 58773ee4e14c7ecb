"""Texts in a CSV file that a spreadsheet may open."""

FORMULA_SIGNS = (*"=+-@", *"\uff1d\uff0b\uff0d\uff20")
"""Characters that begin formulas in spreadsheets; the last four are full-width forms."""


def cell(text: str) -> str:
    """Prefix text that a spreadsheet would evaluate as a formula with an apostrophe."""
    return f"'{text}" if text.startswith(FORMULA_SIGNS) else text
