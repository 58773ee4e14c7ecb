"""Files of the repository that the documentation names are there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
NAMED = re.compile(r"`((?:[a-z_]+/)+[a-z_0-9]+\.(?:py|yml|toml|service))`")


def test_every_file_that_the_documentation_names_is_there() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *ROOT.glob("CONTRIBUTING.md")]
    named = {(page.name, path) for page in pages for path in NAMED.findall(page.read_text("utf-8"))}
    assert named
    assert not [one for one in sorted(named) if not (ROOT / one[1]).exists()]
