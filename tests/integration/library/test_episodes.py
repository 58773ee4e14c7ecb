"""Episodes as people keep them: twins, two shows, moved folders, renamed files, links."""

import json
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import pytest

import castline
from castline.library import Library
from castline.tagging.values import Moved
from tests.servers.commands import castline_here, new_home, one_line
from tests.servers.databases import new_postgresql_url
from tests.stills.models import NAME, write_model_by_lot
from tests.video.clips import write_clip
from worker.settings import Settings

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("compiles_here")]

SQL_PAGE = (Path(__file__).parents[3] / "docs" / "how-to" / "sql.md").read_text("utf-8")

Open = Callable[[Path], Library]


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("clips")
    return [write_clip(folder / f"{seed}.mp4", seconds=4, seed=seed) for seed in (1, 2, 3)]


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of 20 seconds, with a key frame every two."""
    return write_clip(tmp_path_factory.mktemp("long") / "long.mp4", seconds=20)


@pytest.fixture(params=["sqlite", "postgresql"])
def open_library(request: pytest.FixtureRequest) -> Iterator[Open]:
    """Opens a new library in a folder, with its rows in either database."""
    opened: list[Library] = []

    def open_in(folder: Path) -> Library:
        settings = {}
        if request.param == "postgresql":
            url = new_postgresql_url(request.getfixturevalue("postgresql_base_url"))
            settings["CASTLINE_DATABASE_URL"] = url
        home = new_home(folder / "home")
        opened.append(Library(Settings.from_environment(home, settings)))
        return opened[-1]

    yield open_in
    for library in opened:
        library.close()


def placed(clip: Path, place: Path) -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copy(clip, place))


def command(library: Library, *arguments: str | Path) -> tuple[int, str, str]:
    ended = castline_here(library.home, *arguments, database_url=library.settings.database_url)
    return ended.returncode, ended.stdout, ended.stderr


def test_twins_of_two_shows_are_told_apart_everywhere(
    open_library: Open, tmp_path: Path, clips: list[Path]
) -> None:
    library = open_library(tmp_path)
    for show, clip in zip("AB", clips, strict=False):
        placed(clip, tmp_path / "lib" / show / "S01E01.mp4")
    assert len(library.tag(tmp_path / "lib", model=NAME)) == 2

    twins = {"A/S01E01.mp4", "B/S01E01.mp4"}
    listed = library.episodes()
    assert {(item.name, item.called) for item in listed} == {
        ("A/S01E01.mp4", "A S01E01"),
        ("B/S01E01.mp4", "B S01E01"),
    }
    ids = {item.name: item.id for item in listed}
    label = library.screen_time()[0].label
    lists = [
        library.runs(),
        library.first(label),
        library.when(f"!{label}"),
        library.screen_time(by="episode"),
        library.plan_rerun("all", model=NAME),
    ]
    for rows in lists:
        named = {(row["episode"], row["episode_id"]) for row in rows.to_dicts()}
        assert named <= {(name, ids[name]) for name in twins}
    for asked in ("status", "episodes", "rerun --all --dry-run --model by_lot"):
        code, shown, _ = command(library, *asked.split())
        assert code == 0
        assert all(name in shown for name in twins), asked

    for name, key in ids.items():
        show = name[0]
        ways = [
            *(name, f"{show}/S01E01", f"{show} S01E01", f"{show} s1e1", f"{show.lower()} 1x01"),
            *(str(key), str(tmp_path / "lib" / name)),
        ]
        for way in ways:
            assert {row.episode_id for row in library.who(way)} == {key}, way
    with pytest.raises(castline.NotFoundError) as caught:
        library.who("S01E01")
    assert "A/S01E01.mp4 (A S01E01, " in str(caught.value)
    assert "B/S01E01.mp4 (B S01E01, " in str(caught.value)
    code, _, complained = command(library, "who", "S01E01")
    assert code == 1
    assert one_line(complained)


def test_seasons_of_two_shows_are_never_added_together(
    open_library: Open, tmp_path: Path, clips: list[Path]
) -> None:
    library = open_library(tmp_path)
    for place, clip in zip(("A/S01E01", "A/S01E02", "B/S01E01"), clips, strict=True):
        placed(clip, tmp_path / "lib" / f"{place}.mp4")
    library.tag(tmp_path / "lib", model=NAME)

    by_episode: dict[tuple[str, str], float] = {}
    for row in library.screen_time(by="episode"):
        key = (str(row.episode)[0] if "/" in str(row.episode) else "A", row.label)
        by_episode[key] = by_episode.get(key, 0) + row.seconds
    by_season = library.screen_time(by="season")
    assert {(row.series, row.season) for row in by_season} == {("A", 1), ("B", 1)}
    assert {(str(row.series), row.label): row.seconds for row in by_season} == pytest.approx(
        by_episode
    )
    top = library.screen_time(by="season", top=1)
    assert [row.series for row in top] == ["A", "B"]
    for row in top:
        assert row.seconds == max(one.seconds for one in by_season if one.series == row.series)
    for add_up in (library.screen_time, library.together):
        with pytest.raises(castline.NotFoundError, match=r"is one of several series.*A, B"):
            add_up(season=1)
        assert add_up(season=1, series="a").rows == add_up(series="A").rows
    with pytest.raises(castline.NotFoundError, match="known are A, B"):
        library.screen_time(series="C")
    with pytest.raises(castline.NotFoundError, match="--season 2: no episode of it"):
        library.when(by_season[0].label, season=2)


def test_a_name_follows_its_file_and_the_old_one_is_understood(
    open_library: Open, tmp_path: Path, clips: list[Path]
) -> None:
    library = open_library(tmp_path)
    old = placed(clips[0], tmp_path / "lib" / "A" / "S01E01.mp4")
    library.tag(old, model=NAME)
    [before] = library.episodes()
    new = tmp_path / "lib" / "The Town" / "The Town S02E03.mp4"
    new.parent.mkdir()
    old.rename(new)

    moved: list[Moved] = []
    [run] = library.tag(new, model=NAME, hooks=castline.Hooks(on_moved=moved.append))
    assert moved == [Moved("The Town S02E03.mp4", str(old), str(new))]
    assert run.episode == "The Town S02E03.mp4"
    [after] = library.episodes()
    assert (after.id, after.path, after.called) == (before.id, str(new), "The Town S02E03")
    for name in ("S01E01.mp4", "S01E01", "A/S01E01.mp4", str(old), "the town s02e03", "Town"):
        assert library.who(name), name
    placed(clips[1], tmp_path / "lib" / "B" / "S01E01.mp4")
    library.tag(tmp_path / "lib" / "B", model=NAME)
    assert {row.episode_id for row in library.who("S01E01.mp4")} != {after.id}, "now another's"
    new.rename(old)
    code, _, said = command(library, "enqueue", old, "--model", NAME)
    assert code == 0
    assert f"A/S01E01.mp4: was {new}" in said or f"S01E01.mp4: was {new}" in said


def test_a_copy_leaves_the_episode_where_it_is(
    open_library: Open, tmp_path: Path, clips: list[Path]
) -> None:
    library = open_library(tmp_path)
    first = placed(clips[0], tmp_path / "A" / "S01E01.mp4")
    copy = placed(clips[0], tmp_path / "B" / "S09E09.mp4")
    moved: list[Moved] = []
    hooks = castline.Hooks(on_moved=moved.append)
    runs = [library.tag(path, model=NAME, hooks=hooks)[0].id for path in (first, copy)]
    assert len(set(runs)) == 1
    assert not moved
    [episode] = library.episodes()
    assert (episode.path, episode.called) == (str(first), "A S01E01")


def test_moved_folders_and_renamed_files_are_located(
    open_library: Open, tmp_path: Path, clips: list[Path]
) -> None:
    library = open_library(tmp_path)
    for place, clip in zip(("A/S01E01", "A/S01E02", "B/S01E01"), clips, strict=True):
        placed(clip, tmp_path / "lib" / f"{place}.mp4")
    library.tag(tmp_path / "lib", model=NAME)
    assert command(library, "episodes", "locate", tmp_path)[0] == 0, "nothing is lost"
    (tmp_path / "lib" / "A").rename(tmp_path / "lib" / "The Town")
    (tmp_path / "lib" / "The Town" / "S01E02.mp4").rename(tmp_path / "lib" / "The Town" / "x.mp4")
    (tmp_path / "lib" / "B" / "S01E01.mp4").unlink()

    with pytest.raises(castline.RequestError, match="castline episodes locate"):
        library.export("A/S01E01", "clips", tmp_path / "out")
    found = library.locate_episodes(tmp_path / "lib")
    assert {(row.old_path, row.path) for row in found} == {
        (str(tmp_path / "lib/A/S01E01.mp4"), str(tmp_path / "lib/The Town/S01E01.mp4")),
        (str(tmp_path / "lib/A/S01E02.mp4"), str(tmp_path / "lib/The Town/x.mp4")),
    }
    assert found.missing == (str(tmp_path / "lib/B/S01E01.mp4"),)
    # The first takes the folder's name; the second path tells nothing, so what was known stays.
    assert {(row.path[-10:], row.called) for row in library.episodes()} == {
        ("S01E01.mp4", "The Town S01E01"),
        ("Town/x.mp4", "A S01E02"),
        ("S01E01.mp4", "B S01E01"),
    }
    assert library.export("A/S01E01", "clips", tmp_path / "out").clips
    code, _, said = command(library, "episodes", "locate", tmp_path / "lib")
    assert code == 3
    assert "B/S01E01.mp4: not found there" in one_line(said)


def test_rerunning_a_lost_file_without_frames_says_how_to_find_it(
    open_library: Open, tmp_path: Path, clips: list[Path]
) -> None:
    library = open_library(tmp_path)
    file = placed(clips[0], tmp_path / "lib" / "A" / "S01E01.mp4")
    placed(clips[1], tmp_path / "lib" / "A" / "S01E02.mp4")
    library.tag(tmp_path / "lib", model=NAME)
    shutil.rmtree(library.home / "frames")
    file.unlink()
    write_model_by_lot(library.home / "models", name="other")
    code, shown, _ = command(library, "rerun", "--all", "--dry-run", "--model", "other")
    assert code == 0
    assert "gone: castline episodes locate FOLDER" in shown
    with pytest.raises(castline.RequestError, match="run: castline episodes locate FOLDER"):
        library.rerun("all", model="other")
    code, shown, complained = command(library, "rerun", "--all", "--model", "other")
    assert code == 1
    assert f"castline: {file}: the episode's file is not there any more" in complained
    assert "S01E02.mp4: done" in shown
    assert "S01E01.mp4: " not in shown


def test_links_are_taken_as_the_files_that_they_lead_to(
    open_library: Open, tmp_path: Path, clips: list[Path]
) -> None:
    library = open_library(tmp_path)
    stored = placed(clips[0], tmp_path / "pool" / "Town S01E01.mp4")
    (tmp_path / "lib").mkdir()
    for name in ("one.mp4", "two.mp4"):
        (tmp_path / "lib" / name).symlink_to(stored)
    (tmp_path / "lib" / "gone.mp4").symlink_to(tmp_path / "nowhere.mp4")
    skipped: list[str] = []
    [run] = library.tag(tmp_path / "lib", model=NAME, on_skipped=skipped.append)
    assert run.episode == "Town S01E01.mp4"
    assert len(skipped) == 1
    assert "gone.mp4: skipped, what the link leads to" in skipped[0]
    assert library.who(str(tmp_path / "lib" / "one.mp4"))


def test_what_people_set_is_kept_and_asked_by(
    open_library: Open, tmp_path: Path, clips: list[Path]
) -> None:
    library = open_library(tmp_path)
    file = placed(clips[0], tmp_path / "pilot.mp4")
    library.tag(file, model=NAME)
    assert library.episodes()[0].called == ""
    code, shown, _ = command(
        library,
        *("episodes", "edit", "pilot", "--series", "The Town", "--season", "1", "--number", "2"),
        *("--title", "Pilot"),
    )
    assert code == 0
    assert "The Town S01E02 Pilot" in shown
    assert library.who("town s01e02")
    [edited] = library.edit_episodes("pilot", title="")
    assert (edited.series, edited.title) == ("The Town", None)
    file.rename(tmp_path / "A S03E04.mp4")
    library.tag(tmp_path / "A S03E04.mp4", model=NAME)
    assert library.episodes()[0].called == "The Town S01E02"
    assert command(library, "episodes", "edit", "pilot")[0] == 2


def test_an_episode_is_removed_with_all_that_belongs_to_it_and_its_file_stays(
    open_library: Open, tmp_path: Path, clips: list[Path]
) -> None:
    library = open_library(tmp_path)
    first = placed(clips[0], tmp_path / "lib" / "A" / "S01E01.mp4")
    placed(clips[1], tmp_path / "lib" / "A" / "S01E02.mp4")
    runs = library.tag(tmp_path / "lib", model=NAME)
    library.correct("A S01E01", add="moe_szyslak", from_=0, to=1, new=True)
    code, shown, complained = command(library, "episodes", "remove", "A S01E01")
    assert code == 1
    assert "1 correction stays, and counts again if the same content is tagged again." in complained
    assert "--yes" in complained
    assert "S01E01.mp4" in shown
    assert len(library.episodes()) == 2
    removal = library.plan_episode_removal("A S01E01")
    assert removal.runs == (runs[0].id,)
    assert removal.rows.tags > 0
    assert removal.frames_bytes > 0
    assert removal.to_dict()["corrections_kept"] == 1
    assert command(library, "episodes", "remove", "A S01E01", "--yes")[0] == 0
    [left] = library.episodes()
    assert left.name == "S01E02.mp4"
    assert [run.episode for run in library.runs()] == ["S01E02.mp4"]
    assert first.is_file()
    frames = list((library.home / "frames").rglob("*.zip"))
    assert frames
    assert all(left.sha256 in str(path) for path in frames)
    library.remove_episodes(removal)
    [again] = library.tag(first, model=NAME)
    assert (again.state, again.frames) == ("done", 8)
    assert [one.start_seconds for one in library.when("moe_szyslak")] == [0]


def test_the_documented_select_of_a_pair_answers_rightly_for_twins(
    open_library: Open, tmp_path: Path, clips: list[Path]
) -> None:
    library = open_library(tmp_path)
    for show, clip in zip("AB", clips, strict=False):
        placed(clip, tmp_path / "lib" / show / "S01E01.mp4")
    library.tag(tmp_path / "lib", model=NAME)
    together = library.together()[0]
    pair = f"a.label = '{together.label}' AND b.label = '{together.other}'"
    selects = re.findall(r"    SELECT .*?;", SQL_PAGE, re.DOTALL)
    [asked] = [text for text in selects if "JOIN timeline" in text]
    asked = re.sub(r"a\.label = '\w+' AND b\.label = '\w+'", pair, asked).rstrip(";")
    if library.settings.database_url.startswith("postgresql"):
        asked = asked.replace("max(a.", "greatest(a.").replace("min(a.", "least(a.")
        library.upgrade_database()  # which makes the role that asks
    found = library.sql(asked)
    assert found.columns == ("episode", "start_seconds", "end_seconds")
    seconds = sum(end - start for _, start, end in found.rows)
    assert seconds == pytest.approx(together.seconds)


def test_a_snapshot_tells_twins_apart(tmp_path: Path, clips: list[Path]) -> None:
    with Library(Settings.from_environment(new_home(tmp_path / "home"), {})) as library:
        for show, clip in zip("AB", clips, strict=False):
            placed(clip, tmp_path / "lib" / show / "S01E01.mp4")
        library.tag(tmp_path / "lib", model=NAME)
        library.snapshot(tmp_path / "timeline.db")
        ids = {item.series: item.id for item in library.episodes()}
    with closing(sqlite3.connect(tmp_path / "timeline.db")) as connection:
        rows = connection.execute(
            "SELECT DISTINCT series, season, number, title, episode_id FROM timeline"
        ).fetchall()
    assert sorted(rows) == [(show, 1, 1, None, ids[show]) for show in "AB"]


def test_a_part_is_examined_and_the_rest_is_neither_missing_nor_absent(
    open_library: Open, tmp_path: Path, long_clip: Path
) -> None:
    library = open_library(tmp_path)
    file = placed(long_clip, tmp_path / "A" / "S01E01.mp4")
    code, shown, _ = command(library, "tag", file, "--from", "5", "--to", "9", "--model", NAME)
    assert code == 0
    assert "done, 10 frames; examined 00:00:04.000 to 00:00:09.000" in shown
    [run] = library.runs()  # from the key frame at 4 s on
    assert (run.examined_seconds, run.missing_seconds) == ((4, 9), ())
    found = library.who("A S01E01")
    assert found
    assert list(found.unexamined) == [(0, 4), (9, 20)]
    assert all(row.start_seconds >= 4 and row.end_seconds <= 9 for row in found)
    nobody = library.when(" & ".join(f"!{row.label}" for row in library.screen_time()))
    everybody = [(row.start_seconds, row.end_seconds) for row in (*found, *nobody)]
    assert min(start for start, _ in everybody) == 4
    assert max(end for _, end in everybody) == 9
    _, _, said = command(library, "who", "A S01E01", "--at", "12")
    assert "Not examined: 00:00:09.000 to 00:00:20.000." in said
    again = library.tag(file, model=NAME, from_=5, to=9)
    assert ([one.id for one in again], again.seconds) == ([run.id], None)
    code, shown, _ = command(library, "rerun", "--missing", "--dry-run", "--model", NAME)
    assert "only a part was examined" in shown


def test_a_part_scores_and_exports_what_it_examined(
    open_library: Open, tmp_path: Path, long_clip: Path
) -> None:
    library = open_library(tmp_path)
    library.tag(long_clip, model=NAME, from_=4, to=9)
    found = library.who(long_clip.name)
    truth = tmp_path / "truth.csv"
    lines = [f"{row.label},{row.start_seconds},{row.end_seconds}" for row in found]
    outside = [f"{found[0].label},10,20", f"{found[0].label},0,3"]
    truth.write_text("\n".join(["label,start_seconds,end_seconds", *lines, *outside, ""]))
    score = library.evaluate(long_clip.name, truth)
    assert score.f1 == 1
    assert score.figures.frames.samples == 5 * 12
    assert score.figures.screen_time_error == 0
    assert library.evaluate_at_samples(long_clip.name, truth).f1 == 1
    [path] = library.export(long_clip.name, "json", tmp_path).files
    exported = json.loads(path.read_text())
    assert exported["missing_pts"] == []
    start, end = exported["examined_pts"]
    assert (end - start) * Fraction(exported["time_base"]) == 5
    [path] = library.export(long_clip.name, "chapters", tmp_path).files
    assert path.read_text().count("title=not examined") == 2


def test_a_run_over_the_whole_takes_the_place_of_one_over_a_part_and_keeps_it(
    open_library: Open, tmp_path: Path, long_clip: Path
) -> None:
    library = open_library(tmp_path)
    [part] = library.tag(long_clip, model=NAME, from_=4, to=9)
    seen = {row.label: row.start_pts for row in library.who(long_clip.name)}
    [whole] = library.tag(long_clip, model=NAME)
    assert seen
    assert not library.who(long_clip.name).unexamined
    library.tag(long_clip, model=NAME, from_=10)
    code, _, said = command(library, "tag", long_clip, "--to", "3", "--model", NAME)
    assert code == 0
    assert "examined only a part: castline who" in said
    assert [run.id for run in library.runs() if run.is_current] == [whole.id]
    assert library.who(long_clip.name, run=part.id).unexamined == ((0, 4), (9, 20))


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (("--from", "20"), "ends at 00:00:20.000; name a part before that"),
        (("--from", "5", "--to", "5"), "the part must end after its start"),
        (("--to", "0"), "the part must end after its start"),
        (("--from", "x"), "is not a time"),
    ],
)
def test_a_part_that_is_none_is_one_line(
    tmp_path: Path, long_clip: Path, options: tuple[str, ...], line: str
) -> None:
    ended = castline_here(new_home(tmp_path), "tag", long_clip, *options, "--model", NAME)
    assert ended.returncode == 1
    assert line in one_line(ended.stderr)


def test_a_model_is_removed_with_its_runs_and_episodes_show_what_is_left(
    open_library: Open, tmp_path: Path, clips: list[Path]
) -> None:
    library = open_library(tmp_path)
    write_model_by_lot(library.home / "models", name="other", lot=5)
    [first] = library.tag(clips[0], model=NAME)
    [second] = library.tag(clips[0], model="other")
    library.tag(clips[1], model="other")
    shown = [run.id for run in library.runs() if run.is_current]
    assert first.id in shown
    code, printed, complained = command(library, "models", "remove", "other")
    assert code == 1
    assert "--yes" in complained
    removal = library.plan_model_removal("other")
    assert (len(removal.runs), removal.episodes_shown) == (2, 1)
    assert "other@1" in printed
    assert second.id in removal.runs
    assert command(library, "models", "remove", "other", "--yes")[0] == 0
    assert [run.id for run in library.runs()] == [first.id]
    assert not removal.folder.exists()
    library.promote(NAME, force=True)
    with pytest.raises(castline.RequestError, match="is in use"):
        library.plan_model_removal(NAME)
    with pytest.raises(castline.RequestError, match="comes with Castline"):
        library.plan_model_removal("springfield")


def test_an_episode_that_shows_a_removed_models_run_shows_another_one(
    open_library: Open, tmp_path: Path, clips: list[Path]
) -> None:
    library = open_library(tmp_path)
    write_model_by_lot(library.home / "models", name="other", lot=5)
    [first] = library.tag(clips[0], model=NAME)
    [second] = library.tag(clips[0], model="other")
    assert [run.id for run in library.runs() if run.is_current] == [first.id]
    library.remove_model(NAME)
    assert [run.id for run in library.runs() if run.is_current] == [second.id]


def test_a_part_stays_one_when_thresholds_change(
    open_library: Open, tmp_path: Path, long_clip: Path
) -> None:
    library = open_library(tmp_path)
    [part] = library.tag(long_clip, model=NAME, from_=4, to=9)
    library.promote(NAME, force=True)
    library.set_thresholds(onset=0.3, offset=0.2)
    again = library.tag(long_clip, from_=4, to=9)
    assert ([run.id for run in again], again.seconds) == ([part.id], None)
    found = library.who(long_clip.name)
    assert all(row.start_seconds >= 4 and row.end_seconds <= 9 for row in found)
    [whole] = library.tag(long_clip)
    assert whole.id != part.id
