"""`import castline`: what it loads, whose packages it takes for its own, and its errors."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import castline
from castline.errors import CastlineError, as_castline_errors
from db.errors import DatabaseBusyError, DatabaseError, NotFoundError
from ingest.errors import IngestError, VideoError
from model.errors import DatasetError, ModelError, ModelNotFoundError
from timeline.errors import ExpressionError, TimelineError
from worker.errors import WorkerError, WorkStoppedError

ROOT = Path(__file__).parents[3]


def python(folder: Path, *arguments: str, path: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Starts Python in a folder, where castline is found by PYTHONPATH."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(path), "CASTLINE_HOME": str(folder / "home")},
        capture_output=True,
        text=True,
        check=False,
    )


def test_importing_castline_loads_nothing_that_is_installed_beside_python(tmp_path: Path) -> None:
    code = (
        "import sys; before = set(sys.modules); import castline\n"
        "loaded = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "print(*sorted(loaded - sys.stdlib_module_names))"
    )
    ended = python(tmp_path, "-c", code)
    assert (ended.stdout.split(), ended.stderr) == (["castline"], "")


@pytest.mark.parametrize(
    ("name", "start"), [("model", "castline"), ("cli", "castline"), ("model", "cli"), ("db", "cli")]
)
def test_a_file_with_the_name_of_a_package_is_named_in_one_line(
    tmp_path: Path, name: str, start: str
) -> None:
    (tmp_path / f"{name}.py").touch()
    ended = python(tmp_path, "-m", start, "doctor")
    line = (
        f"castline: {tmp_path / name}.py: is imported in place of Castline's own package {name};"
        " rename it, or start in another folder\n"
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (1, "", line)


def test_importing_castline_beside_an_intruder_raises_an_import_error(tmp_path: Path) -> None:
    (tmp_path / "worker").mkdir()
    (tmp_path / "worker" / "__init__.py").touch()
    code = "try: import castline\nexcept ImportError as error: print(error)"
    ended = python(tmp_path, "-c", code)
    assert ended.stderr == ""
    assert f"{tmp_path}/worker/__init__.py: is imported in place of" in ended.stdout


def test_a_module_that_was_imported_before_is_an_intruder_too(tmp_path: Path) -> None:
    code = (
        "import sys, types; sys.modules['model'] = types.ModuleType('model')\n"
        "try: import castline\nexcept ImportError as error: print(error)"
    )
    assert "Castline's own package model" in python(tmp_path, "-c", code).stdout


def test_a_package_that_is_missing_is_named(tmp_path: Path) -> None:
    (tmp_path / "castline").symlink_to(ROOT / "castline")
    code = (
        "import castline.siblings as siblings; siblings.SIBLINGS = ('no_such_package',)\n"
        "siblings.check_siblings()"
    )
    assert (
        "no_such_package: is missing; install castline again" in python(tmp_path, "-c", code).stderr
    )


def test_python_m_castline_is_the_command(tmp_path: Path) -> None:
    ended = python(tmp_path, "-m", "castline", "--version")
    assert ended.stdout.startswith("castline ")
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (DatabaseError("a"), castline.DatabaseError),
        (DatabaseBusyError("a"), castline.DatabaseError),
        (NotFoundError("a"), castline.NotFoundError),
        (IngestError("a"), castline.MediaError),
        (VideoError("a"), castline.MediaError),
        (ModelError("a"), castline.ModelError),
        (ModelNotFoundError("a"), castline.NotFoundError),
        (DatasetError("a"), castline.DatasetError),
        (TimelineError("a"), castline.TimelineError),
        (WorkerError("a"), castline.WorkError),
        (WorkStoppedError("a"), castline.StoppedError),
    ],
)
def test_errors_of_the_packages_below_become_castlines_own(
    error: Exception, kind: type[CastlineError]
) -> None:
    with pytest.raises(kind, match=r"^a$") as caught, as_castline_errors():
        raise error
    assert type(caught.value) is kind
    assert caught.value.__cause__ is error


def test_an_expressions_error_keeps_the_place_that_it_blames() -> None:
    with pytest.raises(castline.ExpressionError) as caught, as_castline_errors():
        raise ExpressionError("cannot be read", "ned &", 5)
    assert caught.value.marked == ("ned &", 5)


def test_other_errors_stay_what_they_are() -> None:
    with pytest.raises(ValueError, match="a") as caught, as_castline_errors():
        raise ValueError("a")
    assert type(caught.value) is ValueError
