"""The pages without scripts: every word of them, every form, in each language."""

import re
from html.parser import HTMLParser

import pytest
from jinja2.ext import extract_from_ast
from starlette.testclient import TestClient

from castline.library import Library
from db.engine import Database
from db.upgrade import upgrade_database
from tests.integration.web.conftest import NAMES, client_of
from tests.rows.records import end_run, made_appearance, made_episode, make_run
from web.languages import languages
from web.pages.rendering import HERE, environment
from worker.settings import Settings

pytestmark = pytest.mark.integration

PATHS = (
    "/",
    "/?text=arrival",
    "/?text=nothing+has+this+name",
    "/episodes/1",
    "/episodes/1?label=apple",
    "/episodes/1?label=apple&t=1",
    "/episodes/1?t=2&to=3",
    "/search",
    "/search?q=apple+%7C+birch",
    "/search?q=apple+%26+%26",
    "/search?q=nobody_here",
    "/review",
    "/review?episode=2&skip=1",
    "/review?skip=9999",
    "/queue",
    "/docs",
)
HTML = {"accept": "text/html"}


class Page(HTMLParser):
    """Notes what the content security policy would block, and what is needed to use the page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.blocked: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.open: list[str] = []
        self.fields: list[dict[str, str]] = []
        self.forms: list[tuple[dict[str, str], dict[str, str]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "style" or "style" in values or any(name.startswith("on") for name in values):
            self.blocked.append(f"<{tag} {values}>")
        if tag == "script" and not values.get("src", "").startswith("/static/"):
            self.blocked.append(f"<{tag} {values}>")
        if tag == "a":
            self.links.append(values["href"])
        if "id" in values:
            self.ids.append(values["id"])
        if tag == "form":
            self.forms.append((values, {}))
        if tag == "input" and self.forms and "name" in values:
            self.forms[-1][1][values["name"]] = values.get("value", "")

    def form(self, **wanted: str) -> tuple[str, dict[str, str]]:
        """Return the address and the fields of the first form with these values."""
        for about, fields in self.forms:
            if about.get("method") == "post" and wanted.items() <= fields.items():
                return about["action"], fields
        raise AssertionError(f"no form with {wanted}")


@pytest.mark.parametrize("code", list(languages()))
@pytest.mark.parametrize("path", PATHS)
def test_page_holds_no_inline_script_or_style(client: TestClient, path: str, code: str) -> None:
    answer = client.get(path, headers={**HTML, "accept-language": code})
    assert answer.status_code in (200, 404, 422)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert f'<html lang="{code}">' in answer.text
    page = Page(answer.text)
    assert page.blocked == []
    assert len(page.ids) == len(set(page.ids))
    assert "%(" not in answer.text


def test_every_link_of_every_page_leads_somewhere(library: Library) -> None:
    client = client_of(library)  # which keeps the cookies of links to other languages
    seen: set[str] = set()
    for path in PATHS:
        for link in Page(client.get(path, headers=HTML).text).links:
            seen.add(path.partition("?")[0] + link if link.startswith("?") else link)
    for link in sorted(seen):
        if not link.startswith("#"):
            assert client.get(link, headers=HTML).status_code in (200, 404, 422), link


def test_catalogues_hold_every_text_of_the_templates_and_no_other() -> None:
    templates = environment(languages()["en"])
    texts: set[str] = set()
    for path in (HERE / "templates").glob("*.html"):
        for _, _, found in extract_from_ast(templates.parse(path.read_text())):
            texts.add(found if isinstance(found, str) else str((found or [None])[0]))
    for code, language in languages().items():
        if code != "en":
            assert set(language.texts) == texts, code
            for text, translated in language.texts.items():
                forms = [translated] if isinstance(translated, str) else translated
                for form in forms:
                    assert set(re.findall(r"%\(\w+\)s", form)) == set(
                        re.findall(r"%\(\w+\)s", text)
                    )


def test_chosen_language_is_kept_in_a_cookie(library: Library) -> None:
    client = client_of(library)
    assert "Biblioteca" in client.get("/?lang=es", headers=HTML).text
    assert "Biblioteca" in client.get("/", headers=HTML).text
    assert "Biblioteca" not in client.get("/?lang=en", headers=HTML).text


def test_library_leads_to_each_episode(client: TestClient) -> None:
    text = client.get("/").text
    for number, title in ((1, "Arrival"), (2, "Departure")):
        assert re.search(rf'<a href="/episodes/{number}">[^<]*{title}</a>', text)


def test_bar_plays_and_judges_its_appearance(client: TestClient, library: Library) -> None:
    shown = library.who(1, places=False)
    page = Page(client.get("/episodes/1").text)
    bars = [link for link in page.links if re.search(r"&t=[0-9.]+&to=", link)]
    assert len(bars) == len(shown)
    text = client.get(bars[0]).text
    t, to = re.findall(r"[&?](?:t|to)=([0-9.]+)", bars[0])
    assert f"/api/v1/episodes/1/video#t={t},{to}" in text
    assert text.count(" selected") == 1


def test_appearance_is_judged_and_undone_by_forms_alone(
    own_client: TestClient, own_library: Library
) -> None:
    wrong = own_library.who(1)[0]
    place = f"/episodes/1?label={wrong.label}&t={wrong.start_seconds:.3f}"
    action, fields = Page(own_client.get(place).text).form(verdict="wrong")
    answer = own_client.post(action, data=fields)
    assert answer.status_code == 303
    assert wrong not in own_library.who(1)
    after = own_client.get(answer.headers["location"]).text
    assert "is wrong" in after
    undo, fields = next(
        (about["action"], fields)
        for about, fields in Page(after).forms
        if "undo" in about["action"]
    )
    assert own_client.post(undo, data=fields).status_code == 303
    assert wrong in own_library.who(1)


@pytest.mark.parametrize("verdict", ["right", "is", "trim", "add"])
def test_each_verdict_has_a_form(
    own_client: TestClient, own_library: Library, verdict: str
) -> None:
    shown = own_library.who(1)[0]
    place = f"/episodes/1?label={shown.label}&t={shown.start_seconds:.3f}"
    action, fields = Page(own_client.get(place).text).form(verdict=verdict)
    end = shown.end_seconds - 0.25
    more = {
        "right": {},
        "is": {"other": "Somebody New", "new": "true"},
        "trim": {"end": f"{end:.3f}"},
        "add": {"other": "Somebody New", "new": "true", "to": f"{end:.3f}"},
    }[verdict]
    answer = own_client.post(action, data=fields | more)
    assert answer.status_code == 303
    [said] = own_library.corrections(1)
    assert said.verdict == {"is": "relabel"}.get(verdict, verdict)
    assert own_client.get(answer.headers["location"], headers=HTML).status_code == 200


def test_doubts_are_judged_one_after_the_other_and_undone(
    own_client: TestClient, own_library: Library
) -> None:
    first, second, *_ = own_library.review(1)
    place = "/review?episode=1"
    verdict = "add" if first.kind == "missed" else "right"
    action, fields = Page(own_client.get(place).text).form(label=first.label, verdict=verdict)
    answer = own_client.post(action, data=fields)
    assert answer.status_code == 303
    assert first not in own_library.review(1)
    after = own_client.get(answer.headers["location"]).text
    assert "Saved:" in after
    undo = next(about["action"] for about, _ in Page(after).forms if "undo" in about["action"])
    assert own_client.post(undo).headers["location"] == place
    assert list(own_library.review(1))[:2] == [first, second]
    skipped = Page(own_client.get(f"{place}&skip=1").text)
    assert skipped.form(label=second.label, verdict="wrong")[0] == "/review/1?skip=1"


def test_what_makes_no_sense_gets_a_page_that_says_so(own_client: TestClient) -> None:
    fields = {"verdict": "right", "label": "apple", "from": "5", "to": "4"}
    answer = own_client.post("/episodes/1/corrections", data=fields, headers=HTML)
    assert answer.status_code == 422
    assert "the range must end after its start" in answer.text
    assert own_client.post("/episodes/1/corrections", data={}, headers=HTML).status_code == 422


def test_search_shows_ranges_and_where_a_mistake_is(client: TestClient, library: Library) -> None:
    expected = library.when("apple | birch")
    text = client.get("/search", params={"q": "apple | birch"}).text
    assert text.count('data-video="') == len(expected)
    mistake = client.get("/search", params={"q": "apple & & birch"})
    assert mistake.status_code == 422
    assert 'apple &amp; &amp; birch\n        <b aria-hidden="true">^</b>' in mistake.text


def test_queue_tells_the_truth_about_runs_and_workers(client: TestClient) -> None:
    text = client.get("/queue").text
    assert "castline worker" in text
    assert "Nothing is waiting." in text
    for name in NAMES:
        assert name in text


def test_file_is_enqueued_by_a_form(own_client: TestClient) -> None:
    action, _ = Page(own_client.get("/").text).form(path="")
    answer = own_client.post(action, data={"path": "no_such_file.mp4"}, headers=HTML)
    assert answer.status_code == 422
    assert "no such file or folder in the media folders" in answer.text
    assert own_client.post(action, data={"path": NAMES[0]}).headers["location"] == "/queue"


HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(1)>\x1b]0;x\x07\u202e{{ 7*7 }}'


@pytest.fixture
def hostile(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    """A library in which all that can be named was named by an attacker."""
    settings = Settings.from_environment(tmp_path_factory.mktemp("hostile"), {})
    database = Database(settings.database_url)
    upgrade_database(database)
    run_id = make_run(database, made_episode(name=f"{HOSTILE}.mkv"))
    end_run(database, run_id, [made_appearance(HOSTILE)], state="partial", error=HOSTILE)
    database.dispose()
    library = Library(settings)
    library.correct(1, add="Somebody", new=True, from_=2, to=3, author=HOSTILE, reason=HOSTILE)
    return client_of(library)


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/episodes/1", "/queue", "/search", f"/?text={HOSTILE}", f"/?label={HOSTILE}"),
        *(f"/search?q={HOSTILE}", f"/search?q='{HOSTILE}'", f"/episodes/1?label={HOSTILE}"),
        *(f"/episodes/1?label={HOSTILE}&t=2&to=3", f"/episodes/{HOSTILE}", f"/?after={HOSTILE}"),
    ],
)
def test_foreign_text_is_shown_and_never_obeyed(hostile: TestClient, path: str) -> None:
    text = hostile.get(path.replace("\x1b", "%1b").replace("\x07", "%07"), headers=HTML).text
    assert "<script>alert" not in text
    assert "<img src=x" not in text
    assert "49" not in re.sub(r"\?v=[0-9a-f]+", "", text) or "{{" in text
    assert not set("\x1b\x07\u202e") & set(text)
    assert Page(text).blocked == []
