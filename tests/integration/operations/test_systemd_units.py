"""The units by which systemd runs Castline: understood by systemd, true of this version."""

import configparser
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from cli.on_demand import CommandsOnDemand
from worker.cluster.celery_process import STOP_SECONDS
from worker.settings import Settings

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[3]
UNITS = sorted((ROOT / "deploy").glob("*.service"))
PROGRAM = "/opt/castline/bin/castline"


def test_there_is_a_unit_of_the_worker_and_of_the_web_server() -> None:
    assert [path.name for path in UNITS] == ["castline-web.service", "castline-worker.service"]


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_systemd_understands_the_unit(unit: Path, tmp_path: Path) -> None:
    assert complaints_about(unit.read_text(), unit.name, tmp_path) == ""
    misspelt = unit.read_text().replace("KillMode=", "KillModus=")
    assert "KillModus" in complaints_about(misspelt, unit.name, tmp_path)


def complaints_about(text: str, name: str, folder: Path) -> str:
    """What systemd-analyze says about a unit whose program lies in a folder of the test's."""
    found = shutil.which("systemd-analyze")
    if found is None:
        pytest.skip("systemd-analyze is absent: install systemd to check the units")
    program = folder / "castline"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    unit = folder / name
    unit.write_text(text.replace(PROGRAM, str(program)))
    done = subprocess.run(
        [found, "verify", "--man=no", "--recursive-errors=no", unit],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_the_unit_runs_a_command_and_lets_it_end(unit: Path) -> None:
    read = configparser.ConfigParser(strict=False, interpolation=None)
    read.optionxform = str  # type: ignore[assignment, method-assign] # the recipe of its docs
    read.read(unit)
    service = read["Service"]
    program, command, *_ = service["ExecStart"].split()
    assert program == PROGRAM
    assert command in CommandsOnDemand()
    assert service["KillMode"] == "mixed"
    assert int(service["TimeoutStopSec"]) >= STOP_SECONDS + 10
    given = dict(re.findall(r"^Environment=(\w+)=(.*)$", unit.read_text(), re.MULTILINE))
    settings = Settings.from_environment(environment=given)
    assert str(settings.home) == f"/var/lib/{service['StateDirectory']}"
    assert settings.log_format == "text"


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_the_page_says_how_to_install_the_unit(unit: Path) -> None:
    assert f"deploy/{unit.name}" in (ROOT / "docs" / "how-to" / "deploying.md").read_text()
