"""A server of an empty library and a browser that visits it; both are started here."""

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.servers.commands import COMMAND, environment_of, start_castline
from tests.waiting import PATIENCE_SECONDS

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
"""Programs of Debian, of others, and of Google."""


@dataclass(frozen=True)
class Site:
    """A running server."""

    home: Path
    address: str
    media: Path

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command of the same library."""
        return start_castline(self.home, *arguments, media_roots=str(self.media))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, shared_video: Path) -> Iterator[Site]:
    """A server of an empty library; the shared clips may be added."""
    home = tmp_path_factory.mktemp("site")
    process = subprocess.Popen(
        [*COMMAND, "serve", "--port", "0"],
        env=environment_of(home, media_roots=str(shared_video)),
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    line = process.stderr.readline()
    found = re.search(r"http://\S+/", line)
    assert found, line
    try:
        yield Site(home, found[0], shared_video)
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE_SECONDS)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium without a window."""
    program = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if program is None:
        pytest.skip("Chromium is absent: install chromium to use the pages")
    expect.set_options(timeout=PATIENCE_SECONDS * 1000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program,
            args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required"],
        )
        yield browser
        browser.close()


Visit = Callable[..., Page]


@pytest.fixture
def visit(browser: Browser, site: Site) -> Iterator[Visit]:
    """Open a page as a new visitor; whatever a console complains of fails the test."""
    with ExitStack() as closing:
        complaints: list[str] = []

        def opened(path: str = "/", **options: object) -> Page:
            context = browser.new_context(base_url=site.address, **options)  # type: ignore[arg-type]
            closing.callback(context.close)
            context.set_default_timeout(PATIENCE_SECONDS * 1000)
            page = context.new_page()
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on(
                "console",
                lambda message: (
                    complaints.append(message.text) if message.type == "error" else None
                ),
            )
            page.goto(path)
            return page

        yield opened
        assert complaints == []
