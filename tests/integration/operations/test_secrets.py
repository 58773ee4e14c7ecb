"""Passwords stay where they belong: in no answer, no error, no help and no log."""

import json
import logging
from pathlib import Path

import pytest

from db.engine import Database
from tests.servers.commands import BY_LOT, castline_here, new_home
from tests.video.clips import write_clip
from worker.telemetry.log import configure_logging, without_passwords

pytestmark = pytest.mark.integration

PASSWORD = "Tr0ub4dor-secret"
DEAD = "127.0.0.1:9"
"""The port `discard`, at which nobody listens."""

DATABASE_URL = f"postgresql+psycopg://castline:{PASSWORD}@{DEAD}/castline"
BROKER_URL = f"redis://castline:{PASSWORD}@{DEAD}/0"

COMMANDS = (
    ("--help",),
    ("worker", "--help"),
    ("doctor", "--help"),
    ("status",),
    ("episodes", "--json"),
    ("db", "upgrade"),
    ("enqueue", "absent.mp4"),
    ("worker", "--until-idle"),
    ("--log-format", "json", "worker", "--until-idle"),
    ("--log-format", "text", "status"),
)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("where", ["variables", "files"])
def test_no_command_prints_a_password(where: str, command: tuple[str, ...], tmp_path: Path) -> None:
    settings = {"database_url": DATABASE_URL, "broker_url": BROKER_URL}
    if where == "files":
        for name, url in settings.items():
            (tmp_path / name).write_text(f"{url}\n")
        settings = {f"{name}_file": str(tmp_path / name) for name in settings}
    ended = castline_here(tmp_path / "home", *command, **settings)
    assert PASSWORD not in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr
    if "--help" not in command:
        assert ended.returncode == 1
        assert f"postgresql+psycopg://castline:***@{DEAD}/castline" in ended.stderr


def test_a_password_in_the_query_of_a_url_is_hidden_too(tmp_path: Path) -> None:
    url = f"postgresql+psycopg://castline@{DEAD}/castline?password={PASSWORD}"
    for command in (("status",), ("db", "upgrade")):
        ended = castline_here(tmp_path, *command, database_url=url)
        assert ended.returncode == 1
        assert PASSWORD not in ended.stdout + ended.stderr
        assert f"{DEAD}/castline?password=***" in ended.stderr
    assert PASSWORD not in Database(url).shown_url


@pytest.mark.parametrize("command", ["enqueue", "worker", "doctor"])
def test_a_password_that_is_not_encoded_is_refused_in_one_line_and_never_shown(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("castline.upkeep.checkup._check_gpu", lambda _: "another test looks at it")
    clip = write_clip(tmp_path / "made.mp4")
    home = new_home(tmp_path / "home")
    arguments = {"enqueue": (clip, *BY_LOT), "worker": ("--until-idle",), "doctor": ()}[command]
    url = f"redis://castline:p#ss-word@{DEAD}/0"
    ended = castline_here(home, command, *arguments, broker_url=url)
    said = ended.stdout + ended.stderr
    assert ended.returncode == 1
    assert said.count("CASTLINE_BROKER_URL: cannot be read") == 1
    assert command == "doctor" or len(said.splitlines()) == 1 + (command == "worker")
    assert "ss-word" not in said
    assert "Traceback" not in said
    if command == "enqueue":
        assert castline_here(home, "episodes", "--json").stdout == "[]\n"


def test_an_empty_secret_is_not_taken_for_none(tmp_path: Path) -> None:
    empty = tmp_path / "database_url"
    empty.write_text("\n")
    ended = castline_here(tmp_path / "home", "status", database_url_file=str(empty))
    assert ended.returncode == 1
    assert f"CASTLINE_DATABASE_URL_FILE: {empty} is empty; write the value into it" in ended.stderr
    assert not (tmp_path / "home").exists()


def test_doctor_prints_no_password_and_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("castline.upkeep.checkup._check_gpu", lambda _: "another test looks at it")
    (tmp_path / "file").touch()
    ended = castline_here(
        tmp_path / "home",
        "doctor",
        "--json",
        database_url=DATABASE_URL,
        broker_url=BROKER_URL,
        frames_url=str(tmp_path / "file" / "frames"),
        media_roots=str(tmp_path / "unmounted"),
    )
    assert ended.returncode == 1
    assert PASSWORD not in ended.stdout + ended.stderr
    findings = {item["subject"]: item for item in json.loads(ended.stdout)}
    unwell = {subject for subject, item in findings.items() if not item["is_well"]}
    assert unwell == {"database", "broker", "workers", "frames", "media"}
    assert "check that the server runs" in findings["database"]["text"]
    assert "check that it runs" in findings["broker"]["text"]
    assert "name another place in CASTLINE_FRAMES_URL" in findings["frames"]["text"]
    assert "mount it, or change CASTLINE_MEDIA_ROOTS" in findings["media"]["text"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"at {BROKER_URL}: refused", f"at redis://castline:***@{DEAD}/0: refused"),
        ("redis://:pass@host", "redis://:***@host"),
        ("postgresql://u:p/a#s?s@host/0 refused", "postgresql://u:***@host/0 refused"),
        ("rediss://user:p@ss@host", "rediss://user:***@host"),
        ("rediss://a:b@h and s3://bucket/c:d@e", "rediss://a:***@h and s3://bucket/c:d@e"),
        ("no URL: a:b@c", "no URL: a:b@c"),
        ("postgresql://h/n?user=a&password=b&x=c", "postgresql://h/n?user=a&password=***&x=c"),
        ("redis://h/0?password=b refused", "redis://h/0?password=*** refused"),
        ("h/n?sslmode=require&sslpassword=b", "h/n?sslmode=require&sslpassword=***"),
    ],
)
def test_passwords_of_urls_are_hidden(text: str, shown: str) -> None:
    assert without_passwords(text) == shown


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_a_log_line_has_its_ids_and_no_password(
    log_format: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    configure_logging(log_format)
    log = logging.getLogger("worker.steps.extract_step")
    log.info("extracted from %s", BROKER_URL, extra={"run": 3, "chunk": 14})
    logging.getLogger("aiobotocore").info("chatter")
    [line] = capsys.readouterr().err.splitlines()
    assert PASSWORD not in line
    if log_format == "json":
        fields = json.loads(line)
        assert (fields["run"], fields["chunk"], fields["level"]) == (3, 14, "INFO")
        assert fields["message"] == f"extracted from redis://castline:***@{DEAD}/0"
    else:
        assert line.endswith(f"redis://castline:***@{DEAD}/0 run=3 chunk=14")
