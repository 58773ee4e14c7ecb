"""A walk through the pages in Chromium: from an empty library to corrected, exported timelines.

The tests follow one another, as a person does.
"""

import csv
import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from castline.library import Library
from tests.browser.conftest import Site, Visit
from tests.servers.commands import castline, end_of
from worker.settings import Settings

pytestmark = [pytest.mark.integration, pytest.mark.browser]

NAME = "springfield_composed_240s.mp4"
PAGES = (
    "/",
    "/episodes/1?label=moe_szyslak",
    "/search?q=moe+%26+!homer",
    "/review",
    "/queue",
    "/docs",
)


def library_of(site: Site) -> Library:
    return Library(Settings.from_environment(site.home, {}))


def test_episode_is_added_and_the_queue_tells_how_far_it_is(visit: Visit, site: Site) -> None:
    page = visit("/")
    expect(page.get_by_role("heading", name="The library is empty")).to_be_visible()
    page.get_by_label("File or folder in the media folders").fill(NAME)
    page.get_by_role("button", name="Add to the queue").click()
    expect(page.get_by_role("heading", name="Queue")).to_be_visible()
    expect(page.locator("#run-1 .badge")).to_have_text("queued")
    worker = site.start("worker", "--until-idle")
    # without a reload: the server tells
    expect(page.locator("#run-1 .badge")).to_have_text("done")
    assert end_of(worker).returncode == 0
    page.get_by_role("link", name=NAME).click()
    expect(page.get_by_role("heading", name="Timeline")).to_be_visible()


SHOWN = """(button) => new Promise((resolve) => {
  const video = document.getElementById("video");
  const ready = () => {
    video.requestVideoFrameCallback((_, shown) => { video.pause(); resolve(shown.mediaTime); });
    button.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true }));
  };
  if (video.readyState >= 2) setTimeout(ready, 200);
  else video.addEventListener("loadeddata", () => setTimeout(ready, 200), { once: true });
})"""
"""Clicks, and gives the time of the first frame that is shown then."""


def test_click_on_an_appearance_shows_its_first_frame(visit: Visit, site: Site) -> None:
    with library_of(site) as library:
        shown = library.who(1)
        half_a_frame = float(1 / library.episode(1).episode.frame_rate / 2)
    page = visit("/episodes/1")
    for found in (shown[3], shown[20], shown[-1]):
        bar = page.locator(f'#canvas a[href*="label={found.label}&t={found.start_seconds:.3f}"]')
        seconds = bar.evaluate(SHOWN)
        assert abs(seconds - found.start_seconds) <= half_a_frame
        expect(page.locator("#panel-title")).to_have_text(found.label.replace("_", " "))


def test_names_are_completed_and_answers_lead_to_their_times(visit: Visit, site: Site) -> None:
    with library_of(site) as library:
        expected = library.when("moe & !homer")
    page = visit("/search")
    field = page.get_by_label("Who is on screen")
    field.press_sequentially("mo")
    expect(page.get_by_role("option").first).to_have_text("moe szyslak")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(field).to_have_value("moe_szyslak ")
    page.keyboard.type("& !homer")
    page.keyboard.press("Enter")
    expect(page.locator("#matches li")).to_have_count(len(expected))
    page.get_by_role("button", name="Play all").click()
    expect(page.locator("#matches .playing")).to_have_count(1)
    page.locator("#matches a").last.click()
    page.wait_for_url(f"**t={float(expected[-1].start_seconds):.3f}*")


def test_appearance_is_corrected_by_keys_alone_and_stays_so(visit: Visit, site: Site) -> None:
    page = visit("/episodes/1")
    page.keyboard.press("j")
    expect(page.locator("#right")).to_be_visible()
    with library_of(site) as library:
        wrong = library.who(1)[0]
        page.keyboard.press("n")
        expect(page.get_by_role("status")).to_contain_text("is wrong")
        assert wrong not in library.who(1)
        assert castline(site.home, "rerun", "--all").returncode == 0
        assert (wrong.label, wrong.start_pts) not in starts(library)
        page.keyboard.press("u")
        expect(page.get_by_role("status")).to_have_count(0)
        expect(page.locator("#corrections")).to_contain_text("undone")
        assert (wrong.label, wrong.start_pts) in starts(library)


def starts(library: Library) -> set[tuple[str, int]]:
    return {(row.label, row.start_pts) for row in library.who(1)}


def test_edges_follow_the_shown_frame(visit: Visit, site: Site) -> None:
    page = visit("/episodes/1")
    page.keyboard.press("j")
    expect(page.locator("#right")).to_be_visible()
    before = float(page.locator("#end").input_value())
    page.wait_for_function("document.getElementById('video').readyState >= 2")
    page.keyboard.press("ArrowRight")
    page.evaluate("document.getElementById('video').pause()")
    page.keyboard.press("]")
    expect(page.get_by_role("status")).to_contain_text("other edges")
    assert float(page.locator("#end").input_value()) < before
    page.keyboard.press("u")
    expect(page.get_by_role("status")).to_have_count(0)


def test_doubts_are_reviewed_by_keys(visit: Visit, site: Site) -> None:
    page = visit("/review")
    with library_of(site) as library:
        first, second, *_ = library.review(1)
        question = page.locator("#question")
        expect(question).to_contain_text(first.label.replace("_", " "))
        page.keyboard.press("s")
        expect(page).to_have_url(re.compile("skip=1"))
        page.keyboard.press("n")
        expect(page.get_by_role("status")).to_contain_text("is wrong")
        assert second not in library.review(1)
        page.keyboard.press("u")
        expect(page.get_by_role("status")).to_have_count(0)
        assert second in library.review(1)


def test_timeline_is_zoomed_and_shows_frames_under_the_pointer(visit: Visit) -> None:
    page = visit("/episodes/1", viewport={"width": 1200, "height": 2000})
    width = page.locator("#canvas").bounding_box()
    page.get_by_role("button", name="Zoom in").click()
    wider = page.locator("#canvas").bounding_box()
    assert width
    assert wider
    assert wider["width"] == pytest.approx(2 * width["width"], rel=0.01)
    page.locator("#canvas").hover(position={"x": 120, "y": 30})
    page.mouse.move(wider["x"] + 200, wider["y"] + 40)
    page.mouse.move(wider["x"] + 210, wider["y"] + 40)
    page.wait_for_timeout(100)
    page.mouse.move(wider["x"] + 220, wider["y"] + 40)
    expect(page.locator("#preview")).to_be_visible()


def test_timeline_is_exported(visit: Visit, site: Site, tmp_path: Path) -> None:
    page = visit("/episodes/1")
    with page.expect_download() as started:
        page.get_by_role("link", name="csv", exact=True).click()
    started.value.save_as(tmp_path / "timeline.csv")
    with library_of(site) as library, (tmp_path / "timeline.csv").open() as file:
        assert len(list(csv.reader(file))) == len(library.who(1)) + 1


def test_pages_work_without_scripts(visit: Visit, site: Site) -> None:
    page = visit("/", java_script_enabled=False)
    page.get_by_label("Find").fill("no such episode")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("heading", name="No episode fits")).to_be_visible()
    page.get_by_role("link", name="Show all episodes").click()
    page.get_by_role("link", name=NAME).first.click()
    page.locator("#canvas a").first.focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Wrong").click()
    expect(page.get_by_role("status")).to_contain_text("is wrong")
    page.locator("#undo").click()
    expect(page.get_by_role("status")).to_have_count(0)


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1440, "light")])
def test_axe_finds_nothing_and_nothing_is_cut_off(visit: Visit, width: int, scheme: str) -> None:
    page = visit("/", viewport={"width": width, "height": 900}, color_scheme=scheme)
    for path in PAGES:
        page.goto(path)
        page.wait_for_load_state("networkidle" if path != "/queue" else "load")
        assert_accessible(page, path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def assert_accessible(page: Page, path: str) -> None:
    found = Axe().run(page)
    assert found.violations_count == 0, f"{path}\n{found.generate_report()}"
