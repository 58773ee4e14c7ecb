"""The notebook of the Python API: run on the drawn cast, and what is committed of it."""

import ast
import re
from pathlib import Path

import pytest

import castline
from castline.composing.episode_files import write_episode
from cli.drawn.cast import draw_episode, draw_stills
from tests.notebooks import NOTEBOOKS, Notebook, code_cells, read_notebook, run_notebook

pytestmark = pytest.mark.integration

NOTEBOOK = NOTEBOOKS / "timeline.ipynb"
STILLS_PER_LABEL = 60
EPISODE_SECONDS = 20


def committed() -> Notebook:
    return read_notebook(NOTEBOOK)


def texts_after(notebook: Notebook, source: str) -> str:
    """All that the cells whose source contains a text put out as text."""
    return "".join(
        output.get("text", "") or output.get("data", {}).get("text/plain", "")
        for cell in code_cells(notebook)
        if source in cell.source
        for output in cell.outputs
    )


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `castline demo` leaves behind, smaller, and not tagged yet."""
    folder = tmp_path_factory.mktemp("demo")
    draw_stills(folder / "stills", STILLS_PER_LABEL, seed=1)
    drawn = draw_episode(2, EPISODE_SECONDS)
    truth = [
        (each.label, each.start_frame / drawn.frame_rate, each.end_frame / drawn.frame_rate)
        for each in drawn.truth
    ]
    write_episode(folder / "drawn_episode.mp4", drawn.pictures, drawn.frame_rate, truth)
    with castline.open(folder / "home") as library:
        built = library.build_dataset([folder / "stills"], folder / "dataset")
        training = castline.Training(is_quick=True, name="drawn-cast")
        library.train(built.dataset.folder, training)
    return folder


@pytest.fixture(scope="module")
def ran(demo: Path) -> Notebook:
    pytest.importorskip("pandas")
    return run_notebook(NOTEBOOK, f"DEMO = {str(demo)!r}", demo)


def test_from_start_to_end_it_tags_asks_draws_and_compares(ran: Notebook) -> None:
    assert re.search(r"done +\d+ +True", texts_after(ran, "library.tag("))
    assert f"{EPISODE_SECONDS * 2} of {EPISODE_SECONDS * 2} frames" in texts_after(ran, "Hooks(")
    assert "ends at 00:00:2" in texts_after(ran, "CastlineError")
    assert re.search(r"F1 of all frames [01]\.\d{3}", texts_after(ran, "library.evaluate("))
    drawn = [
        output
        for cell in code_cells(ran)
        for output in cell.outputs
        if "image/png" in output.get("data", {})
    ]
    assert len(drawn) == 2  # the timeline, the thresholds
    counts = re.findall(r"\(0\.\d, (\d+)\)", texts_after(ran, "for threshold in thresholds"))
    assert len(counts) == 5
    assert [*map(int, counts)] == sorted(map(int, counts), reverse=True)


def test_it_imports_castline_and_nothing_below_it() -> None:
    imported = {
        name.partition(".")[0]
        for cell in code_cells(committed())
        for node in ast.walk(ast.parse(cell.source))
        for name in _names(node)
    }
    assert imported == {"castline", "matplotlib", "IPython"}


def _names(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [name.name for name in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else []


def test_committed_cells_were_run_in_order_without_an_error() -> None:
    cells = code_cells(committed())
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell.outputs]
    assert len(outputs) > 8
    assert all(output.output_type != "error" for output in outputs)
    assert all(output.get("name") != "stderr" for output in outputs)


def test_committed_notebook_tells_nothing_of_who_ran_it_where() -> None:
    assert not re.findall(r"/(?:tmp|home|root|work|Users|var|opt|usr)/", NOTEBOOK.read_text())
