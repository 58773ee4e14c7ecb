"""README, CONTRIBUTING and CHANGELOG: short enough, and every link and path in them exists."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PACKAGES = "bench|castline|cli|db|docs|exact|ingest|model|tests|timeline|worker"
MOST_WORDS = 800


def anchors_of(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub and the site make them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {
        re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings
    }


def test_the_readme_is_read_in_three_minutes() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").split()) <= MOST_WORDS


def test_the_readme_gives_the_commands_that_the_whole_check_runs() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    for command in re.findall(
        r"^make (?:-j 2 )?(\w+)$", (ROOT / ".ci/run").read_text(), re.MULTILINE
    ):
        assert f"make {command}" in readme


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_every_link_in_the_repositorys_pages_leads_somewhere(name: str) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", (ROOT / name).read_text("utf-8"))
    assert links
    for link in links:
        path, _, anchor = link.partition("#")
        if path.startswith("http"):
            continue
        assert (ROOT / path).is_file(), link
        assert not anchor or anchor in anchors_of(ROOT / path), link


@pytest.mark.parametrize(
    "page", [ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))], ids=lambda p: p.stem
)
def test_every_file_that_a_page_names_exists(page: Path) -> None:
    named = re.findall(rf"`((?:{PACKAGES})/[\w/.-]+)`", page.read_text("utf-8"))
    assert [path for path in named if not (ROOT / path).exists() and "NAME" not in path] == []


def test_the_tour_of_the_rooms_is_complete() -> None:
    tour = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    packages = ["exact", "ingest", "model", "timeline", "db", "worker", "castline", "web", "cli"]
    rooms = [path.parent for name in packages for path in (ROOT / name).glob("*/__init__.py")]
    assert len(rooms) > 30
    for room in [*(ROOT / name for name in packages), *rooms]:
        assert f"`{room.relative_to(ROOT)}/`" in tour, room
