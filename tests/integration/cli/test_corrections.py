"""The commands about corrections: what they print, as text and as JSON."""

import json
from pathlib import Path
from typing import Any

import pytest

from db.engine import Database
from db.upgrade import upgrade_database
from tests.rows.looked_at import looked_at
from tests.rows.records import made_episode
from tests.servers.commands import castline_here, one_line

pytestmark = pytest.mark.integration

SEEN = {
    "homer_simpson": [(10_000, 30_000, 0.65), (60_000, 70_000, 0.99)],
    "ned_flanders": [(40_000, 50_000, 0.97), (200_000, 202_000, 0.9)],
}
UNSURE = {"ned_flanders": [(12_000, 18_000, 0.3)], "homer_simpson": [(90_000, 93_000, 0.5)]}
CUTS = (10_000, 20_000, 40_000, 60_000)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    database = Database(f"sqlite:///{tmp_path / 'castline.db'}")
    upgrade_database(database)
    looked_at(database, SEEN, cuts=CUTS, more_tags=UNSURE)
    looked_at(database, {}, episode=made_episode("e" * 64, "empty.mkv"))
    database.dispose()
    return tmp_path


def run(home: Path, *arguments: str) -> tuple[str, str]:
    done = castline_here(home, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


def answer(home: Path, *arguments: str) -> Any:
    return json.loads(run(home, *arguments, "--json")[0])


def refused(home: Path, *arguments: str) -> str:
    done = castline_here(home, *arguments)
    assert done.returncode == 1
    return one_line(done.stderr)


def test_a_verdict_is_told_with_the_way_back(home: Path) -> None:
    _, said = run(home, "correct", "pilot", "--at", "0:12", "homer", "--is", "ned")
    line = one_line(said)
    assert line.startswith(
        "pilot.mkv, 00:00:10.000 to 00:00:20.000: not homer simpson, but ned flanders; to take it"
        " back: castline corrections undo "
    )
    key = line.rpartition(" ")[2]
    shown, _ = run(home, "who", "pilot", "--at", "0:12")
    assert "ned flanders" in shown
    assert "homer" in run(home, "who", "pilot", "--at", "0:12", "--raw")[0]
    _, undone = run(home, "corrections", "undo", key)
    assert f"takes back {key}; to bring it back" in one_line(undone)
    assert "homer" in run(home, "who", "pilot", "--at", "0:12")[0]
    listed, _ = run(home, "corrections", "list")
    assert "(undone)" in listed


def test_the_same_said_twice_is_told(home: Path) -> None:
    words = ("correct", "pilot", "--at", "0:45", "ned", "--right")
    run(home, *words)
    assert one_line(run(home, *words)[1]) == "You said so before; nothing was added."


def test_json_of_a_correction_has_all_fields(home: Path) -> None:
    [made] = answer(
        home, "correct", "pilot", "--at", "0:45", "ned", "--start", "41", "--author", "ann",
        "--reason", "comes in late",
    )  # fmt: skip
    assert answer(home, "corrections", "list") == [made]
    key, made_at = made.pop("key"), made.pop("made_at")
    assert len(key) == 32
    assert made_at.endswith("+00:00")
    assert made == {
        "episode": "pilot.mkv",
        "sha256": "a" * 64,
        "verdict": "trim",
        "label": "ned_flanders",
        "other": None,
        "start_seconds": 40.0,
        "end_seconds": 50.0,
        "start_pts": 40_000,
        "end_pts": 50_000,
        "part_start_seconds": 41.0,
        "part_end_seconds": 50.0,
        "part_start_pts": 41_000,
        "part_end_pts": 50_000,
        "author": "ann",
        "reason": "comes in late",
        "model": "cast@1",
        "confidence": 0.97,
        "supersedes": None,
        "stands": True,
    }
    [row] = answer(home, "corrections", "status")
    assert row["correction"]["key"] == key
    assert (row["status"], row["shown_model"], row["found_confidence"]) == (
        "needed",
        "cast@1",
        0.97,
    )
    shown = [one for one in answer(home, "who", "pilot") if one["label"] == "ned_flanders"]
    assert [(one["start_seconds"], one["is_corrected"]) for one in shown] == [
        (41.0, True),
        (200.0, False),
    ]


def test_corrections_go_by_file_from_home_to_home(home: Path, tmp_path: Path) -> None:
    run(home, "correct", "pilot", "--from", "1:30", "--to", "1:32", "--add", "ned")
    file = tmp_path / "said.json"
    assert "1 corrections" in run(home, "corrections", "export", "-o", str(file))[1]
    assert "--force" in refused(home, "corrections", "export", "-o", str(file))
    other = tmp_path / "other"
    assert answer(other, "corrections", "import", str(file)) == {
        "added": 1,
        "known": 0,
        "episodes": 0,
        "elsewhere": 1,
    }
    assert "1 known already" in run(home, "corrections", "import", str(file))[1]
    listed, _ = run(other, "corrections", "list")
    assert "pts 90000 to 92000" in listed
    file.write_text('{"format": 9, "corrections": []}')
    assert "is of format 9" in refused(home, "corrections", "import", str(file))
    assert "no such file" in refused(home, "corrections", "import", "nowhere.json").lower()


def test_what_is_no_key_is_refused(home: Path) -> None:
    assert "there is none" in refused(home, "corrections", "undo", "abcdef")
    assert "give 4 digits or more" in refused(home, "corrections", "undo", "a")


def test_before_anything_was_said_it_is_told_how(home: Path) -> None:
    assert "castline correct --help" in run(home, "corrections", "list")[1]
    assert "No correction stands" in run(home, "corrections", "status")[1]


def kinds(home: Path, *options: str) -> set[tuple[str, str, float]]:
    return {
        (row["kind"], row["label"], row["start_seconds"])
        for row in answer(home, "review", *options)
    }


def test_what_is_worth_a_look_goes_once_it_was_judged(home: Path) -> None:
    assert kinds(home) == {
        ("unsure", "homer_simpson", 10.0),
        ("isolated", "ned_flanders", 200.0),
        ("missed", "homer_simpson", 90.0),
    }
    assert kinds(home, "--kind", "confused", "--kind", "isolated") == {
        ("isolated", "ned_flanders", 200.0),
    }
    assert kinds(home, "empty.mkv") == set()
    shown, said = run(home, "review", "--kind", "missed")
    assert "homer simpson" in shown
    assert said.strip() == (
        "To judge the first: castline correct pilot.mkv --from 00:01:30.000 --to 00:01:33.000"
        " --add homer_simpson, or homer_simpson --wrong"
    )
    run(home, "correct", "pilot", "--from", "1:30", "--to", "1:33", "homer", "--wrong")
    run(home, "correct", "pilot", "--from", "3:20", "--to", "3:22", "ned", "--right")
    # who was nobody known once may be a stranger again
    assert kinds(home) == {("unsure", "homer_simpson", 10.0), ("stranger", "homer_simpson", 60.0)}
    run(home, "correct", "pilot", "--at", "0:12", "--whole", "homer", "--is", "ned")
    assert kinds(home, "--kind", "unsure") == set()
    # who was taken for ned once may be ned again
    assert kinds(home) == {("confused", "homer_simpson", 60.0)}
    run(home, "correct", "pilot", "--at", "1:05", "homer", "--right")
    assert "Nothing is left" in run(home, "review")[1]


def test_a_random_sample_tells_the_precision(home: Path) -> None:
    sample = answer(home, "evaluate", "--audit", "12")
    assert (sample["moments"], sample["judged"], sample["precision"]) == (12, 0, None)
    assert "None of 12 moments" in run(home, "evaluate", "--audit", "12")[1]
    moments = [(row["label"], row["at_seconds"]) for row in sample["sample"]]
    assert len(set(moments)) == 12
    assert moments == [
        (row["label"], row["at_seconds"])
        for row in answer(home, "review", "--audit", "12")["sample"]
    ]
    for label, at in moments[:10]:
        verdict = "--wrong" if (label, at) in moments[:3] else "--right"
        run(home, "correct", "pilot", "--from", str(at), "--to", str(at + 0.4), label, verdict)
    figures = answer(home, "evaluate", "--audit", "12")
    assert (figures["judged"], figures["right"], figures["precision"]) == (10, 7, 0.7)
    assert (round(figures["low"], 4), round(figures["high"], 4)) == (0.3968, 0.8922)
    printed, said = run(home, "evaluate", "--audit", "12")
    assert printed.startswith("precision 0.700, 95 % confidence 0.397 to 0.892: 7 of 10")
    assert "2 of 12 moments are not judged yet" in said
    assert "10 of 12 moments are judged, 2 are left" in run(home, "review", "--audit", "12")[1]
    others = answer(home, "evaluate", "--audit", "12", "--seed", "1")["sample"]
    assert [(row["label"], row["at_seconds"]) for row in others] != moments
    assert answer(home, "evaluate", "empty.mkv", "--audit", "12")["moments"] == 0


def test_what_goes_with_nothing_else_is_wrong_usage(home: Path) -> None:
    for words in (
        ("evaluate",),
        ("evaluate", "pilot"),
        ("evaluate", "pilot", "truth.csv", "--audit", "3"),
        ("review", "--audit", "3", "--kind", "unsure"),
        ("review", "--kind", "odd"),
    ):
        assert castline_here(home, *words).returncode == 2, words
