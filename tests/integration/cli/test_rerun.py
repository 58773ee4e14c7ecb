"""`castline rerun`: another model over what is known, with the rows of a run from scratch."""

import json
from pathlib import Path
from typing import Any

import pytest

from ingest.decoder.parent import Decoder
from model.version.artifact import ModelVersion, find_model
from tests.rows.ended_runs import ended_run, place_of
from tests.rows.found import assert_equal_rows, found_in, rows_of
from tests.servers.commands import castline, castline_here, one_line
from tests.stills.models import write_model_by_lot
from tests.video.clips import write_clip

pytestmark = pytest.mark.integration

OLD, NEW = ("--model", "old"), ("--model", "new")


def home_in(folder: Path) -> Path:
    """A home with two models that disagree."""
    write_model_by_lot(folder / "models", "old", lot=4)
    write_model_by_lot(folder / "models", "new", lot=9, created_at="2026-02-01T00:00:00+00:00")
    return folder


def answer(home: Path, *arguments: str) -> Any:
    ended = castline_here(home, *arguments, "--json")
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def test_a_run_again_decodes_nothing_and_finds_what_a_first_run_finds(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "pilot.mp4", seconds=24)
    home, fresh = home_in(tmp_path / "home"), home_in(tmp_path / "fresh")
    assert castline(fresh, "tag", clip, *NEW, chunk_seconds=6).returncode == 0
    assert castline(home, "tag", clip, *OLD, chunk_seconds=6).returncode == 0
    shown_before = castline_here(home, "who", "pilot", "--json").stdout
    clip.unlink()

    [planned] = answer(home, "rerun", "--all", "pilot", *NEW, "--dry-run")
    assert (planned["reason"], planned["is_stored"]) == ("by old@1", True)
    assert planned["frames"] == 48
    assert planned["seconds"] > 0
    ended = castline(home, "rerun", "--all", "pilot", *NEW)
    assert ended.returncode == 0, ended.stderr
    assert "none decoded" in ended.stdout

    first, second = answer(home, "status")
    assert (second["model"], second["state"], second["frames"]) == ("new@1", "done", 48)
    assert first["frames_decoded"] > 0
    assert second["frames_decoded"] == 0
    assert_equal_rows(found_in(home, run=2), found_in(fresh))
    assert found_in(fresh).tags.keys() != found_in(home, run=1).tags.keys(), "the models disagree"

    # Nothing is shown of a model that is not in use, and all of it once it is.
    assert castline_here(home, "who", "pilot", "--json").stdout == shown_before
    assert castline_here(home, "models", "promote", "new", "--force").returncode == 0
    new = castline_here(fresh, "who", "pilot", "--json").stdout
    assert castline_here(home, "who", "pilot", "--json").stdout == new
    assert castline_here(home, "who", "pilot", *OLD, "--json").stdout == shown_before
    assert castline_here(home, "who", "pilot", "--run", "1", "--json").stdout == shown_before
    assert answer(home, "rerun", "--stale", "--dry-run") == []
    assert castline_here(home, "models", "rollback").returncode == 0
    assert castline_here(home, "who", "pilot", "--json").stdout == shown_before


def run_by_each(folder: Path, *versions: ModelVersion) -> None:
    """A run by each of an episode of two seconds, ended in this order."""
    clip = write_clip(folder / "pilot.mp4", seconds=2)
    with place_of(folder / "home") as place, Decoder() as decoder:
        for version in versions:
            ended_run(place, decoder, clip, version, {})
    with rows_of(folder / "home") as connection:
        connection.execute("UPDATE chunk SET state = 'tagged'")
        connection.commit()


def test_a_done_run_of_the_model_in_use_is_shown_in_place_of_a_withdrawn_models(
    tmp_path: Path,
) -> None:
    home = tmp_path / "home"
    versions = [
        write_model_by_lot(home / "models", name, lot, created_at=f"2199-0{lot}-01T00:00:00+00:00")
        for lot, name in enumerate(("old", "new"), start=1)
    ]
    for name in ("old", "new"):
        assert castline_here(home, "models", "promote", name, "--force").returncode == 0
    run_by_each(tmp_path, versions[1], versions[0])
    assert current_model(home) == "new@1"
    assert castline_here(home, "models", "rollback").returncode == 0
    assert current_model(home) == "old@1"
    assert answer(home, "rerun", "--stale", "--dry-run") == []


def current_model(home: Path) -> str:
    [model] = [run["model"] for run in answer(home, "status") if run["is_current"]]
    return str(model)


def test_what_an_older_version_left_shown_gives_way_to_the_run_of_the_model_in_use(
    tmp_path: Path,
) -> None:
    home = tmp_path / "home"
    newer = write_model_by_lot(home / "models", "newer", created_at="2199-01-01T00:00:00+00:00")
    run_by_each(tmp_path, newer, find_model(None))
    assert current_model(home) == "newer@1"
    [stale] = answer(home, "rerun", "--stale", "--dry-run")
    assert (stale["reason"], stale["is_done"]) == ("by newer@1", True)
    ended = castline_here(home, "rerun", "--stale")
    assert ended.returncode == 0, ended.stderr
    in_use = find_model(None).manifest.reference
    assert one_line(ended.stderr).startswith(
        f"pilot.mp4: run 2 by {in_use} is now shown, in place of run 1 by newer@1; castline who"
        " pilot.mp4 --run 1 queries that one, castline models promote newer@1 --force shows it"
    )
    assert current_model(home) == in_use


def test_an_empty_library_has_nothing_to_run_again(tmp_path: Path) -> None:
    ended = castline_here(tmp_path, "rerun", "--stale")
    assert (ended.returncode, ended.stdout) == (0, "")
    assert one_line(ended.stderr) == "Nothing to run again."


@pytest.mark.parametrize("options", [(), ("--stale", "--missing"), ("--all", "--stale")])
def test_what_to_run_again_is_said_once(options: tuple[str, ...], tmp_path: Path) -> None:
    ended = castline_here(tmp_path, "rerun", *options)
    assert ended.returncode == 2
    assert "one of --missing, --stale and --all" in " ".join(ended.stderr.split())


def test_an_episode_that_is_not_there_is_refused(tmp_path: Path) -> None:
    ended = castline_here(tmp_path, "rerun", "--all", "nowhere")
    assert ended.returncode == 1
    assert "nowhere: no such episode" in one_line(ended.stderr)
