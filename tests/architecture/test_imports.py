"""What may be imported where, seen by interpreters that start with nothing loaded."""

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

from castline.siblings import SIBLINGS
from tests.servers.commands import environment_of

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
PACKAGES = PYPROJECT["hatch"]["build"]["targets"]["wheel"]["packages"]
TRAINED_BY = ("tensorflow", "keras", "sklearn")
OF_PICTURES = ("numpy", "cv2", "PIL")
HEAVY = (*TRAINED_BY, "av", "matplotlib", "opentimelineio", "celery", "kombu", "redis")

QUESTIONS = (
    *("--help", "tag --help", "status", "episodes", "screen-time", "who pilot", "when ned"),
    *("together", "first ned", "sql", "export --help", "evaluate --help", "snapshot --help"),
    *("dataset --help", "dataset show nowhere", "dataset propose --help", "compose --help"),
    *("correct pilot --at 1 ned --right", "corrections list", "corrections status", "review"),
    *("review --audit 3", "evaluate --audit 3", "dataset from-corrections --help"),
    *("rerun --all --dry-run", "prune --dry-run", "models rollback", "models list"),
)

ANSWERED_BY_ROWS = ("episodes", "who pilot", "when ned", "screen-time", "together", "first ned")
"""Questions that the database answers, with neither pictures nor models."""

ENVIRONMENT = ("environ", "environb", "getenv")
"""The names in `os` by which the environment is read."""

MARK = "LOADED"


def sources() -> Iterator[Path]:
    for package in PACKAGES:
        yield from sorted((ROOT / package).rglob("*.py"))


def loaded_by(code: str, home: Path, libraries: Sequence[str] = HEAVY) -> list[str]:
    """Those of some libraries that an interpreter has loaded after some code."""
    loaded = f"print({MARK!r}, *(name for name in {libraries!r} if name in sys.modules))"
    ended = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\n{loaded}"],
        cwd=ROOT,
        env=environment_of(home),
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.rpartition(MARK)[2].split()


def test_help_and_questions_never_load_a_heavy_library(tmp_path: Path) -> None:
    # Questions about an empty home end with exit code 1; what they load is the same. One
    # interpreter hears them all: what is loaded by any of them is there at the end.
    assert loaded_by(running(QUESTIONS), tmp_path / "home") == []


def test_answers_from_rows_alone_load_no_library_of_pictures(tmp_path: Path) -> None:
    code = running(ANSWERED_BY_ROWS)
    assert loaded_by(code, tmp_path / "home", (*HEAVY, *OF_PICTURES)) == []


def running(lines: Sequence[str]) -> str:
    """The code that runs some commands one after another."""
    return (
        "from cli.main import main\n"
        f"for line in {lines!r}:\n"
        "    sys.argv = ['castline', *line.split()]\n"
        "    try: main()\n"
        "    except SystemExit: pass"
    )


def test_asking_a_library_never_loads_a_heavy_library(tmp_path: Path) -> None:
    code = (
        "import castline\n"
        "with castline.open() as library:\n"
        "    for ask in (library.episodes, library.runs, library.screen_time, library.together,\n"
        "                library.models, library.plan_pruning, library.corrections,\n"
        "                library.review, library.audit, lambda: library.when('ned'),\n"
        "                lambda: library.who('pilot'), lambda: library.sql('SELECT 1')):\n"
        "        try: ask()\n"
        "        except castline.NotFoundError: pass\n"
        "assert 'pandas' not in sys.modules"
    )
    assert loaded_by(code, tmp_path / "home") == []


def test_the_pages_never_load_a_heavy_library(tmp_path: Path) -> None:
    code = (
        "import castline\n"
        "from starlette.testclient import TestClient\n"
        "from web.access import Access\n"
        "from web.app import make_app\n"
        "app = make_app(castline.open(), Access())\n"
        "client = TestClient(app, base_url='http://localhost')\n"
        "for path in ('', 'search?q=ned', 'review', 'queue', 'docs', 'api/v1/episodes'):\n"
        "    assert client.get(f'/{path}').status_code in (200, 404)\n"
    )
    assert loaded_by(code, tmp_path / "home") == []


def test_no_module_loads_tensorflow_as_it_is_imported(tmp_path: Path) -> None:
    names = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in sources()
        if "migrations" not in path.parts and path.stem not in ("__main__", "__init__")
    ]
    assert len(names) > 50
    code = f"import importlib\nfor name in {names!r}: importlib.import_module(name)"
    assert not set(TRAINED_BY) & set(loaded_by(code, tmp_path / "home"))


def test_only_settings_read_the_environment() -> None:
    readers = {
        str(path.relative_to(ROOT))
        for path in sources()
        if _reads_environment(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert readers == {"worker/settings.py"}


def test_every_place_that_lists_the_packages_lists_all_of_them() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert [name for name in PACKAGES if f"!{name}" not in ignored] == []
    assert {"castline", *SIBLINGS} == set(PACKAGES)
    assert PYPROJECT["importlinter"]["root_packages"] == PACKAGES
    assert set(PYPROJECT["mypy"]["packages"]) == {*PACKAGES, "tests", "bench"}
    found = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert found == {*PACKAGES, "tests", "bench"}


def test_no_product_module_imports_tests_or_benchmarks() -> None:
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            assert not {"tests", "bench"} & _top_levels(node), path


def _reads_environment(tree: ast.Module) -> bool:
    """Whether `os.environ` is used for anything but setting a variable for a library."""
    named, only_set = 0, 0
    for node in ast.walk(tree):
        named += _names_environment(node)
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
            only_set += _names_environment(node.value)
    return named > only_set


def _names_environment(node: ast.AST) -> bool:
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return node.value.id == "os" and node.attr in ENVIRONMENT
    if isinstance(node, ast.ImportFrom) and node.module == "os":
        return any(name.name in ENVIRONMENT for name in node.names)
    return False


def _top_levels(node: ast.AST) -> set[str]:
    if isinstance(node, ast.Import):
        return {name.name.partition(".")[0] for name in node.names}
    if isinstance(node, ast.ImportFrom) and node.module:
        return {node.module.partition(".")[0]}
    return set()
