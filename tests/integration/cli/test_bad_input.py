"""What the command says to files and words that it cannot use: one line, and no row."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from db.errors import DatabaseError
from tests.rows.found import table_counts
from tests.servers.commands import (
    BY_LOT,
    castline,
    castline_here,
    end_of,
    new_home,
    one_line,
    start_castline,
)
from tests.video.clips import write_clip
from tests.video.media import run_ffmpeg, tone
from tests.video.witness import packets_of

pytestmark = pytest.mark.integration

WHOLE_SECONDS = 20


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which nothing was ever tagged."""
    return new_home(tmp_path_factory.mktemp("refusals") / "home")


@pytest.fixture(scope="module")
def bad_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of files that are no episodes."""
    folder = tmp_path_factory.mktemp("bad")
    (folder / "folder").mkdir()
    (folder / "empty.mkv").touch()
    (folder / "letter.mp4").write_text("Dear Sir or Madam,\n" * 200)
    run_ffmpeg(*tone(2), "-c:a", "aac", folder / "song.mp4")
    whole = write_clip(folder / "whole.mp4", seconds=10).read_bytes()
    # Its index comes last, and is lost with the end.
    (folder / "without_index.mp4").write_bytes(whole[: len(whole) // 2])
    os.mkfifo(folder / "pipe.mp4")
    (folder / "playlist.mp4").write_text("#EXTM3U\n#EXTINF:5,\nwhole.mp4\n#EXT-X-ENDLIST\n")
    return folder


CAUSES = {
    "missing.mp4": "no such file",
    "folder": "no video file in this folder",
    "empty.mkv": "empty",
    "letter.mp4": "not a video",
    "song.mp4": "no video stream",
    "without_index.mp4": "index",
    "pipe.mp4": "not a regular file",
    "playlist.mp4": "not a video",
}
"""What the line on each file must say; the words are those of the person who wrote this table."""


@pytest.fixture(scope="module")
def refusals(home: Path, bad_files: Path) -> dict[str, subprocess.CompletedProcess[str]]:
    """How a command on each of the files ended; all of them ran at the same time."""
    started = {name: start_castline(home, "tag", bad_files / name, *BY_LOT) for name in CAUSES}
    return {name: end_of(process) for name, process in started.items()}


@pytest.mark.parametrize("name", CAUSES)
def test_a_bad_file_is_refused_in_one_line_and_leaves_no_row(
    name: str,
    refusals: dict[str, subprocess.CompletedProcess[str]],
    home: Path,
    bad_files: Path,
) -> None:
    ended = refusals[name]
    line = one_line(ended.stderr)
    assert ended.returncode == 1
    assert line.startswith(f"castline: {bad_files / name}: ")
    assert CAUSES[name] in line
    assert table_counts(home, "episode", "run", "chunk") == {"episode": 0, "run": 0, "chunk": 0}


LONG = "a" * 300  # no file system takes more than 255
NOT_UTF_8 = os.fsdecode(b"caf\xe9.mp4")

WORDS = {
    "unknown model": (("tag", "CLIP", "--model", "sprngfield"), "sprngfield", "springfield@9"),
    "no such version": (("tag", "CLIP", "--model", "by_lot@9"), "by_lot@9", "by_lot@1"),
    "interval in words": (("tag", "CLIP", "--every", "often"), "--every", "0.5"),
    "interval of nothing": (("tag", "CLIP", "--every", "0"), "--every", "0.001"),
    "endless interval": (("tag", "CLIP", "--every", "1e400"), "--every", "0.5"),
    "interval that fills memory": (("tag", "CLIP", "--every", "1e999999999"), "--every", "0.5"),
    "interval that is no number": (("tag", "CLIP", "--every", "nan"), "--every", "0.5"),
    "name of 300 letters": (("who", LONG), LONG, "castline episodes"),
    "file name of 300 letters": (("tag", LONG), LONG, "check the name"),
    "name that is not UTF-8": (("who", NOT_UTF_8), r"caf\udce9.mp4", "castline episodes"),
    "demo into a file": (("demo", "-o", "CLIP"), "CLIP", "-o"),
    "demo under a file": (("demo", "-o", "UNDER"), "UNDER", "-o"),
    "home of nobody": (("--home", "~nosuch/x", "episodes"), "~nosuch/x", "home folder"),
    "negative interval": (("tag", "CLIP", "--every", "-1"), "--every", "0.001"),
    "division by zero": (("tag", "CLIP", "--every", "1/0"), "--every", "1/3"),
    "unknown episode": (("who", "pilot"), "pilot", "castline episodes"),
    "unknown label": (("when", "ned_flanders"), "ned_flanders", "castline tag"),
    "unknown run": (("cancel", "7"), "run 7", "castline status"),
    "unknown run again": (("retry", "7"), "run 7", "castline status"),
    "folder without episodes": (("enqueue", "FOLDER"), "FOLDER", ".mkv"),
}
"""Arguments, what the line names, and a part of what it advises."""


@pytest.mark.parametrize("case", WORDS)
def test_a_bad_word_is_refused_in_one_line_with_advice(
    case: str, home: Path, bad_files: Path
) -> None:
    places = {
        "CLIP": str(bad_files / "whole.mp4"),
        "FOLDER": str(bad_files / "folder"),
        "UNDER": str(bad_files / "whole.mp4" / "demo"),
    }
    arguments, names, advises = WORDS[case]
    if "--model" not in arguments and arguments[0] == "tag":
        arguments = (*arguments, *BY_LOT)
    ended = castline_here(home, *(places.get(word, word) for word in arguments))
    line = one_line(ended.stderr)
    assert ended.returncode == 1
    assert places.get(names, names) in line
    assert advises in line
    assert table_counts(home, "episode", "run", "chunk") == {"episode": 0, "run": 0, "chunk": 0}


def test_a_file_whose_name_is_not_utf_8_is_refused_in_one_line(home: Path, bad_files: Path) -> None:
    path = bad_files / NOT_UTF_8
    path.write_bytes((bad_files / "whole.mp4").read_bytes())
    ended = castline_here(home, "tag", path, *BY_LOT)
    assert ended.returncode == 1
    assert r"caf\xe9.mp4: its name is not UTF-8; rename it" in one_line(ended.stderr)
    assert table_counts(home, "episode") == {"episode": 0}


def test_what_the_system_refuses_is_said_with_what_to_do(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from cli import main as command

    for error, line in (
        (FileExistsError(17, "File exists", "/dev/null"), "/dev/null: File exists; check the name"),
        (OSError(28, "No space left on device"), "No space left on device; run: castline doctor"),
        (OSError("of a library"), "of a library; run: castline doctor"),
        (MemoryError(), "no memory is left; end other programs"),
        (DatabaseError("a" * 10**7 + "; do this"), "a" * 900),
    ):
        monkeypatch.setattr(command, "app", lambda error=error: raised(error))
        with pytest.raises(SystemExit, match="1"):
            command.main()
        said = one_line(capsys.readouterr().err)
        assert said.startswith(f"castline: {line}")
        assert len(said) < 2100
    assert said.endswith("; do this")


def raised(error: Exception) -> None:
    raise error


def test_a_home_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "home").touch()
    ended = castline_here(tmp_path / "home", "episodes")
    assert ended.returncode == 1
    assert "--home" in one_line(ended.stderr)


def test_a_database_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "castline.db").write_text("this is no database\n" * 100)
    ended = castline_here(tmp_path, "episodes")
    assert ended.returncode == 1
    assert "castline.db" in one_line(ended.stderr)


def test_a_database_url_that_is_none_is_refused_without_its_password(tmp_path: Path) -> None:
    ended = castline(tmp_path, "episodes", database_url="mysql://someone:secret@host/name")
    assert ended.returncode == 1
    assert "secret" not in one_line(ended.stderr)


@pytest.mark.parametrize(
    "arguments",
    [
        ("tag",),
        ("tagg", "pilot.mkv"),
        ("who",),
        ("cancel", "the last one"),
        ("when", "ned", "--limit", "-1"),
        ("when", "ned", "--limit", "9" * 20),
        ("screen-time", "--limit", str(2**63 - 1)),
        ("screen-time", "--season", "9" * 20),
        ("first", "ned", "--run", "9" * 20),
        ("who", "pilot", "--run", "-" + "9" * 20),
        ("cancel", "9" * 20),
        ("retry", "9" * 20),
        ("tag", "pilot.mkv", "--workers", "0"),
        ("tag", "pilot.mkv", "--device", "abacus"),
        ("episodes", "--jsn"),
    ],
    ids=" ".join,
)
def test_wrong_usage_exits_with_2(arguments: tuple[str, ...], tmp_path: Path) -> None:
    ended = castline_here(tmp_path, *arguments)
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert "Usage" in ended.stderr


def test_a_good_file_is_tagged_beside_a_bad_one_which_is_named(
    bad_files: Path, tmp_path: Path
) -> None:
    home = new_home(tmp_path / "home")
    ended = castline(home, "enqueue", bad_files / "song.mp4", bad_files / "whole.mp4", *BY_LOT)
    assert ended.returncode == 1
    assert len([line for line in ended.stderr.splitlines() if "song.mp4" in line]) == 1
    assert table_counts(home, "episode", "run") == {"episode": 1, "run": 1}


def test_a_truncated_mkv_ends_partial_and_says_what_is_missing(
    clip_as_mkv: Path, tmp_path: Path
) -> None:
    home = new_home(tmp_path / "home")
    whole = clip_as_mkv.read_bytes()
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole[: len(whole) * 6 // 10])
    left = packets_of(cut)
    last_seconds = float(max(left.pts) * left.time_base)

    ended = castline(home, "tag", cut, *BY_LOT)
    assert ended.returncode == 3
    [run] = json.loads(castline_here(home, "status", "--json").stdout)
    assert run["state"] == "partial"
    [[start, end]] = run["missing_seconds"]
    assert start == pytest.approx(last_seconds, abs=1.0)
    assert end == pytest.approx(WHOLE_SECONDS, abs=0.5)
    assert "missing" in ended.stdout
    # Done is done: it does not begin again, and does not pretend to be whole.
    assert castline_here(home, "tag", cut, *BY_LOT).returncode == 3


@pytest.fixture(scope="module")
def clip_as_mkv(bad_files: Path) -> Path:
    """The whole clip in a container that can be read without its end."""
    path = bad_files.parent / f"{bad_files.name}_whole.mkv"
    made = write_clip(bad_files.parent / f"{bad_files.name}_20s.mp4", seconds=WHOLE_SECONDS)
    run_ffmpeg("-i", made, "-c", "copy", path)
    return path
