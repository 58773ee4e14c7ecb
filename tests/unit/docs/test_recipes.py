"""The table of recipes in the documentation, against the recipes."""

from dataclasses import asdict
from pathlib import Path

from model.recipe import RECIPES

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "recipes.md"


def test_table_of_recipes_has_each_field_as_it_is() -> None:
    rows = [
        [cell.strip(" `") for cell in line.split("|")[1:-1]]
        for line in PAGE.read_text().splitlines()
        if line.startswith("| `") and line.count("|") == 6
    ]
    for place, name in enumerate(("baseline", "regional", "strong"), start=1):
        recipe = {key: str(value) for key, value in asdict(RECIPES[name]).items()}
        del recipe["network_parameters"]  # in the manifest and the model card
        assert {row[0]: row[place] for row in rows} == recipe
