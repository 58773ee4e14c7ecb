"""The documentation site, built as `make docs` builds it: whole, without warnings, offline."""

import os
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import typer
from typer.core import TyperGroup

import castline
from cli.main import app

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[3]
LOADING = {
    ("script", "src"),
    ("img", "src"),
    ("link", "href"),
    ("iframe", "src"),
    ("source", "src"),
}
"""Tags and attributes whose address a browser loads when it opens a page."""


class Page(HTMLParser):
    """The anchors of a page, the addresses that it links to, and those that it loads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        for name, value in attributes:
            if name == "id" and value:
                self.anchors.add(value)
            elif tag == "a" and name == "href" and value:
                self.links.append(value)
            elif (tag, name) in LOADING and value:
                self.loads.append(value)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    ended = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    return {
        path: Page(path.read_text("utf-8"))
        for path in site.rglob("*.html")
        if path.name != "404.html"  # a server shows it at any address
    }


def local(pages: dict[Path, Page]) -> Iterator[tuple[Path, str, Path, str]]:
    """Each address that leads into the site: where it stands, itself, its file and its anchor."""
    for path, page in pages.items():
        for address in (*page.links, *page.loads):
            parts = urlsplit(address)
            if not parts.scheme:
                file = (path.parent / unquote(parts.path)).resolve() if parts.path else path
                yield path, address, file, unquote(parts.fragment)


def test_every_page_of_the_documentation_is_in_the_site(
    site: Path, pages: dict[Path, Page]
) -> None:
    written = {
        path.relative_to(ROOT / "docs").with_suffix("") for path in ROOT.glob("docs/**/*.md")
    }
    assert len(written) > 25
    assert {path.relative_to(site).with_suffix("") for path in pages} == written


def test_every_link_within_the_site_leads_somewhere(pages: dict[Path, Page]) -> None:
    links = [*local(pages)]
    assert len(links) > 1000
    lost = [
        f"{path.name}: {address}"
        for path, address, file, anchor in links
        if not file.is_file() or (anchor and file in pages and anchor not in pages[file].anchors)
    ]
    assert lost == []


def test_no_page_loads_anything_from_elsewhere(site: Path, pages: dict[Path, Page]) -> None:
    loaded = [address for page in pages.values() for address in page.loads]
    assert loaded
    assert [address for address in loaded if urlsplit(address).netloc] == []
    for style in site.rglob("*.css"):
        assert "url(http" not in style.read_text("utf-8"), style
        assert "@import" not in style.read_text("utf-8"), style
    # Material draws these diagrams by a script that it loads from elsewhere
    assert not any('class="mermaid"' in path.read_text("utf-8") for path in pages)


def test_every_command_and_option_is_in_the_reference(site: Path) -> None:
    text = (site / "reference" / "commands.html").read_text("utf-8")
    overview = (ROOT / "docs" / "reference" / "commands.md").read_text("utf-8")
    command = typer.main.get_command(app)
    assert isinstance(command, TyperGroup)
    for name in command.list_commands(typer.Context(command)):
        assert f'id="{name}"' in text, name
        assert f"castline {name}" in overview, name
    assert "--min-seconds" in text


def test_every_method_of_a_library_is_in_the_api(pages: dict[Path, Page], site: Path) -> None:
    anchors = pages[site / "reference" / "api.html"].anchors
    for name in dir(castline.Library):
        if not name.startswith("_") and name not in ("at", "elsewhere", "connect"):
            assert f"castline.library.Library.{name}" in anchors, name
    public = {getattr(castline, name) for name in dir(castline) if not name.startswith("_")}
    for kind in public:
        if isinstance(kind, type) and kind.__module__ not in ("pathlib", "typing"):
            assert any(anchor.endswith(f".{kind.__name__}") for anchor in anchors), kind
