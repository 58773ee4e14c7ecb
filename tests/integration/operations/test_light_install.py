"""Castline without its extras: what works, and what says which extra it needs.

The libraries of the extras are hidden from every process that a command starts.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from email.parser import Parser
from pathlib import Path
from zipfile import ZipFile

import pytest

from model import extras
from model.dataset.build import build_dataset
from model.dataset.plan import BuildOptions
from model.inference import tensorflow_runtime
from model.inference.device import Device
from model.inference.tensorflow_runtime import CPU, choose_device
from model.version.artifact import bundled_folder, models_in
from tests.servers.commands import environment_of, new_home, one_line
from tests.stills.models import LABELS, NAME
from tests.stills.still_folders import write_stills
from tests.video.clips import write_clip
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[3]

HIDING = """
import sys

sys.modules.update(dict.fromkeys(("keras", "matplotlib", "pyarrow", "sklearn", "tensorflow")))
"""
"""Python imports a `sitecustomize.py` first, in each process."""

NEEDS_AN_EXTRA = {
    "demo -o made": "training needs more; install castline[train]",
    "train dataset": "training needs more; install castline[train]",
    "dataset build stills -o made": "building a dataset needs more; install castline[train]",
    "compose dataset -o made.mp4 --seconds 2": (
        "reading the stills of a dataset needs more; install castline[train]"
    ),
    f"models import {NAME}-1": "compiling by_lot@1 needs more; install castline[train]",
    f"tag pilot.mp4 --model {NAME}": "compiling by_lot@1 needs more; install castline[train]",
    "tag pilot.mp4 --every 1 --device gpu": (
        "device gpu needs more; install castline[gpu], or use cpu or auto"
    ),
    "export pilot -f parquet -o made": "parquet needs more; install castline[parquet]",
    "plot pilot -o made.png": "drawing a timeline needs more; install castline[plot]",
}

WORK = (
    "tag pilot.mp4 --json",
    *("who pilot", "screen-time", "episodes", "status", "models list", "models show springfield"),
    *("dataset show dataset", "dataset harvest pilot.mp4 -o harvested", "prune --dry-run"),
    "export pilot -f json,vtt,eaf,iiif,matroska,graphml,otio,html,coco,clips -o exports",
    *("rerun --stale", "doctor"),
    "snapshot -o snapshot.db",
)


RUN_EACH = """
import json, sys
from pathlib import Path
from tests.servers.commands import castline_here

for line in sys.argv[1:]:
    ended = castline_here(Path("home"), *line.split())
    print(json.dumps([line, ended.returncode, ended.stdout, ended.stderr]))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an episode, a dataset, a model that was never compiled, and a home with it."""
    folder = tmp_path_factory.mktemp("light")
    write_clip(folder / "pilot.mp4", seconds=6)
    write_stills(folder / "stills", dict.fromkeys(LABELS, 12))
    build_dataset([folder / "stills"], folder / "dataset", BuildOptions(shards=1))
    new_home(folder / "home")
    shutil.copytree(folder / "home" / "models" / f"{NAME}-1", folder / f"{NAME}-1")
    return folder


@pytest.fixture(scope="module")
def ends(folder: Path) -> dict[str, tuple[int, str, str]]:
    """How each command ended: exit code, stdout and stderr."""
    (folder / "startup").mkdir()
    (folder / "startup" / "sitecustomize.py").write_text(HIDING)
    path = os.pathsep.join([str(folder / "startup"), str(ROOT)])
    ended = subprocess.run(
        [sys.executable, "-P", "-c", RUN_EACH, *WORK, *NEEDS_AN_EXTRA],
        cwd=folder,
        env=environment_of(folder / "home") | {"PYTHONPATH": path, "XDG_CACHE_HOME": str(folder)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )
    assert ended.returncode == 0, ended.stderr
    return {line: (*end,) for line, *end in map(json.loads, ended.stdout.splitlines())}


@pytest.mark.parametrize("line", NEEDS_AN_EXTRA)
def test_a_command_that_needs_an_extra_says_which_in_one_line(
    folder: Path, ends: dict[str, tuple[int, str, str]], line: str
) -> None:
    code, printed, complained = ends[line]
    assert (code, printed) == (1, ""), complained
    assert one_line(complained) == f"castline: {NEEDS_AN_EXTRA[line]}"
    assert not list(folder.glob("made*"))


@pytest.mark.parametrize("line", WORK)
def test_all_else_works(ends: dict[str, tuple[int, str, str]], line: str) -> None:
    code, _, complained = ends[line]
    assert code == 0, complained


def test_the_bundled_model_tags_without_tensorflow(ends: dict[str, tuple[int, str, str]]) -> None:
    [run] = json.loads(ends[WORK[0]][1])
    assert (run["state"], run["chunks_total"]) == ("done", 1)


def test_without_tensorflow_the_device_is_the_cpu_though_there_is_a_gpu(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tensorflow_runtime, "_has_gpu_driver", lambda: True)
    monkeypatch.setattr(extras, "find_spec", lambda _name: None)
    assert choose_device(Device.AUTO) == CPU


def test_the_wheel_requires_no_library_of_an_extra_and_holds_the_bundled_model_compiled(
    tmp_path: Path,
) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    [path] = tmp_path.iterdir()
    with ZipFile(path) as wheel:
        [metadata] = [name for name in wheel.namelist() if name.endswith("/METADATA")]
        required = Parser().parsestr(wheel.read(metadata).decode()).get_all("Requires-Dist", [])
        files = set(wheel.namelist())
    plain = {re.split(r"[<>=\[ ]", each)[0] for each in required if "extra ==" not in each}
    assert {"ai-edge-litert", "av", "sqlalchemy"} <= plain
    assert not {"keras", "matplotlib", "pyarrow", "scikit-learn", "tensorflow"} & plain
    for version in models_in(bundled_folder()):
        assert f"model/bundled/compiled/{version.compiled_path.name}" in files
