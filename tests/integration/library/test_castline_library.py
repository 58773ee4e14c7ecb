"""A library as Python uses it: what its methods return, tell and refuse."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import FrozenInstanceError
from fractions import Fraction
from pathlib import Path

import pytest

import castline
from castline.tagging.values import RunProgress
from tests.servers.commands import castline_here, new_home
from tests.stills.models import NAME
from tests.video.clips import write_clip

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("compiles_here")]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clips") / "pilot.mp4", seconds=4)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, clip: Path) -> Path:
    """A home in which the clip was tagged."""
    home = new_home(tmp_path_factory.mktemp("home"))
    with castline.open(home) as library:
        library.tag(clip, model=NAME)
    return home


@pytest.fixture
def library(home: Path) -> Iterator[castline.Library]:
    with castline.open(home) as opened:
        yield opened


def printed(home: Path, *arguments: str | Path) -> object:
    ended = castline_here(home, *arguments, "--json")
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def test_tagging_tells_how_far_it_is_and_returns_the_runs(tmp_path: Path, clip: Path) -> None:
    told: list[RunProgress] = []

    def on_progress(runs: Sequence[RunProgress]) -> None:
        told.extend(runs)

    with castline.open(new_home(tmp_path)) as library:
        hooks = castline.Hooks(on_progress=on_progress)
        tagged = library.tag(clip, model=NAME, hooks=hooks)
        [run] = tagged
        assert (run.episode, run.state, run.frames) == ("pilot.mp4", "done", 8)
        assert run.every_seconds == Fraction(1, 2)
        assert run.is_current
        assert (told[-1].episode, told[-1].frames, told[-1].frames_total) == ("pilot.mp4", 8, 8)
        assert tagged.seconds is not None
        again = library.tag(clip, model=NAME)
        assert [one.id for one in again] == [run.id]
        assert again.seconds is None


def test_what_python_gets_is_what_the_command_prints(
    library: castline.Library, home: Path, clip: Path
) -> None:
    label = library.screen_time()[0].label
    assert library.episodes().to_dicts() == printed(home, "episodes")
    assert library.runs().to_dicts() == printed(home, "status")
    assert library.who("pilot").to_dicts() == printed(home, "who", clip)
    assert library.when(f"!{label}").to_dicts() == printed(home, "when", f"!{label}")
    assert library.screen_time(by="episode").to_dicts() == printed(
        home, "screen-time", "--by", "episode"
    )
    assert library.together().to_dicts() == printed(home, "together")
    assert library.first(label).to_dicts() == printed(home, "first", label)
    assert library.models().to_dicts() == printed(home, "models", "list")
    assert library.plan_rerun("all", model=NAME).to_dicts() == printed(
        home, "rerun", "--all", "--dry-run", "--model", NAME
    )


def test_times_are_exact_pts_and_seconds(library: castline.Library) -> None:
    [episode] = library.episodes()
    found = library.who("pilot")[0]
    match = library.when(found.label)[0]
    assert (match.start_pts, match.end_pts) == (found.start_pts, found.end_pts)
    assert isinstance(match.start_seconds, Fraction)
    assert float(match.end_seconds) == pytest.approx(found.end_seconds)
    assert episode.duration_seconds == pytest.approx(4)


def test_times_may_be_numbers_or_texts(library: castline.Library) -> None:
    rows = library.who("pilot", at="0:01").rows
    assert rows
    assert rows == library.who("pilot", at=1).rows == library.who("pilot", at=Fraction(1)).rows


def test_values_cannot_be_changed(library: castline.Library) -> None:
    [episode] = library.episodes()
    with pytest.raises(FrozenInstanceError):
        episode.name = "other"  # type: ignore[misc]


def test_limits_tell_that_there_is_more(library: castline.Library) -> None:
    every = library.screen_time()
    assert len(every) > 1
    assert not every.has_more
    assert library.screen_time(limit=1).rows == every[:1]
    assert library.screen_time(limit=1).has_more
    assert not library.screen_time(limit=len(every)).has_more


def test_a_file_that_cannot_be_used_is_raised_or_told_of(
    library: castline.Library, clip: Path, tmp_path: Path
) -> None:
    torn = tmp_path / "torn.mp4"
    torn.write_bytes(b"no video")
    with pytest.raises(castline.MediaError, match=r"torn\.mp4"):
        library.tag(torn, model=NAME)
    refused: list[castline.CastlineError] = []
    tagged = library.tag(torn, clip, model=NAME, hooks=castline.Hooks(on_refused=refused.append))
    assert [run.episode for run in tagged] == ["pilot.mp4"]
    assert tagged.refused == len(refused) == 1
    assert isinstance(refused[0], castline.MediaError)


def test_work_that_is_stopped_says_so_and_goes_on_later(tmp_path: Path, clip: Path) -> None:
    stops = 0

    @contextmanager
    def stopping(stop: object) -> Iterator[None]:
        nonlocal stops
        stops += 1
        assert callable(stop)
        stop()
        yield

    with castline.open(new_home(tmp_path)) as library:
        with pytest.raises(castline.StoppedError, match="goes on where it stopped"):
            library.tag(clip, model=NAME, hooks=castline.Hooks(stopping=stopping))
        assert stops == 1
        assert [run.state for run in library.tag(clip, model=NAME)] == ["done"]


def test_the_queue_is_filled_followed_and_worked_through(tmp_path: Path, clip: Path) -> None:
    (tmp_path / "season" / "extras").mkdir(parents=True)
    (tmp_path / "season" / "pilot.mp4").write_bytes(clip.read_bytes())
    (tmp_path / "season" / "link.mp4").symlink_to(tmp_path / "gone.mp4")
    skipped: list[str] = []
    with castline.open(new_home(tmp_path / "home")) as library:
        queue = library.enqueue(tmp_path / "season", model=NAME, on_skipped=skipped.append)
        assert [(one.episode, one.is_new, one.state) for one in queue.enqueued] == [
            ("pilot.mp4", True, "queued")
        ]
        assert (queue.refused, queue.skipped, queue.broker_error) == (0, 1, None)
        assert "link.mp4" in skipped[0]
        [run] = library.runs()
        assert library.cancel(run.id) == ("cancelled", True)
        assert library.cancel(run.id) == ("cancelled", False)
        assert library.retry(run.id) == ("queued", 1)
        assert [one.state for one in library.work()] == ["done"]
        assert library.runs()[0].state == "done"


@pytest.mark.parametrize(
    ("ask", "kind", "line"),
    [
        (lambda library: library.who("finale"), castline.NotFoundError, "finale: no such episode"),
        (lambda library: library.first("nobody"), castline.NotFoundError, "no such label"),
        (lambda library: library.when("a &"), castline.ExpressionError, "is missing here"),
        (lambda library: library.who("pilot", at="1:5"), castline.TimelineError, "is not a time"),
        (lambda library: library.cancel(99), castline.NotFoundError, "run 99: there is no such"),
        (lambda library: library.model("nobody"), castline.NotFoundError, "nobody"),
        (lambda library: library.sql("DROP TABLE tag"), castline.DatabaseError, "write one SELECT"),
        (lambda library: library.dataset("nowhere"), castline.DatasetError, "nowhere"),
        (lambda library: library.export("pilot", "doc"), castline.RequestError, "none of json"),
        (lambda library: library.plan_rerun("all", model="x"), castline.NotFoundError, "x"),
    ],
)
def test_what_goes_wrong_is_one_line_of_castlines_own(
    library: castline.Library, ask: object, kind: type[castline.CastlineError], line: str
) -> None:
    assert callable(ask)
    with pytest.raises(castline.CastlineError, match=line) as caught:
        ask(library)
    assert type(caught.value) is kind
    assert len(str(caught.value).splitlines()) == 1


def test_a_database_is_made_when_it_is_first_needed_and_opened_again_after_closing(
    tmp_path: Path,
) -> None:
    library = castline.open(tmp_path / "home")
    with pytest.raises(castline.RequestError):
        library.export("pilot", "doc")
    assert not (tmp_path / "home" / "castline.db").exists()
    assert library.episodes().rows == ()
    assert (tmp_path / "home" / "castline.db").exists()
    library.close()
    assert library.episodes().rows == ()
    library.close()


def test_a_home_that_cannot_be_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / "home").touch()
    with pytest.raises(castline.CastlineError, match="is not a folder"):
        castline.open(tmp_path / "home")


def test_answers_become_data_frames(library: castline.Library) -> None:
    pytest.importorskip("pandas")
    frame = library.screen_time().to_pandas()
    assert frame["seconds"].sum() == pytest.approx(
        sum(row.seconds for row in library.screen_time())
    )
    counted = library.sql("SELECT label, count(*) AS tags FROM tag GROUP BY label").to_pandas()
    assert set(frame["label"]) <= set(counted["label"])


def test_a_timeline_is_evaluated_drawn_and_exported(
    library: castline.Library, tmp_path: Path
) -> None:
    rows = library.who("pilot")
    truth = tmp_path / "truth.csv"
    lines = [f"{row.label},{row.start_seconds},{row.end_seconds}" for row in rows]
    truth.write_text("\n".join(["label,start_seconds,end_seconds", *lines, ""]))
    found = library.evaluate("pilot", truth)
    assert found.f1 == 1
    assert {row.label for row in found.labels} == {row.label for row in rows}
    assert library.evaluate_at_samples("pilot", truth).f1 == 1
    library.plot("pilot", tmp_path / "timeline.svg", truth=truth)
    assert (tmp_path / "timeline.svg").read_text().lstrip().startswith("<?xml")
    written = library.export("pilot", ["csv", "vtt"], tmp_path)
    assert [path.name for path in written.files] == ["pilot.csv", "pilot.vtt"]


def test_a_check_up_says_where_the_packages_lie_and_names_an_intruder(
    library: castline.Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("castline.upkeep.checkup._check_gpu", lambda _: "another test looks at it")
    first = library.check_up()[0]
    assert (first.subject, first.is_well) == ("packages", True)
    assert str(Path(castline.__file__).parents[1]) in first.text
    monkeypatch.setattr("castline.siblings.SIBLINGS", ("json",))
    first = library.check_up()[0]
    assert not first.is_well
    assert first.text.startswith(f"{Path(json.__file__).resolve()}: is imported in place of")
