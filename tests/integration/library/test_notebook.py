"""The notebook of the reference task: run on the drawn cast, and what is committed of it.

Its outputs are read as what they are, JSON and PNG files.
"""

import ast
import base64
import re
from collections.abc import Iterator
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from cli.drawn.cast import CAST, draw_stills
from tests.notebooks import NOTEBOOKS, Notebook, code_cells, read_notebook, run_notebook

pytestmark = pytest.mark.integration

NOTEBOOK = NOTEBOOKS / "reference_task.ipynb"
CHOSEN = CAST[:3]
PER_LABEL = 10
PARTS = (7, 2, 1)  # of 10: test ceil(1), validation ceil(0.2 * 9), train the rest

PARAMETERS = f"""
from dataclasses import replace
STILLS = Path("stills")
LABELS = {CHOSEN!r}
RECIPE = replace(BASELINE, epochs=2)
"""


def committed() -> Notebook:
    return read_notebook(NOTEBOOK)


def output_after(notebook: Notebook, source: str, mime: str) -> str:
    """What the one cell whose source contains a text put out, of one kind."""
    (cell,) = (cell for cell in code_cells(notebook) if source in cell.source)
    found = [output.data[mime] for output in cell.outputs if mime in output.get("data", {})]
    assert found, cell.source
    return str(found[-1])


def printed(notebook: Notebook) -> str:
    return "".join(
        output.text
        for cell in code_cells(notebook)
        for output in cell.outputs
        if output.output_type == "stream"
    )


def pictures(notebook: Notebook) -> Iterator[Image.Image]:
    for cell in code_cells(notebook):
        for output in cell.outputs:
            if "image/png" in output.get("data", {}):
                content = base64.b64decode(output.data["image/png"])
                yield Image.open(BytesIO(content), formats=["PNG"])


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Notebook:
    folder = tmp_path_factory.mktemp("notebook")
    draw_stills(folder / "stills", PER_LABEL, seed=3)
    return run_notebook(NOTEBOOK, PARAMETERS, folder)


def test_from_start_to_end_the_split_is_the_tasks(ran: Notebook) -> None:
    table = output_after(ran, "parts_table(", "text/markdown").splitlines()
    for label in CHOSEN:
        assert f"| {label} | {PER_LABEL} | {' | '.join(map(str, PARTS))} |" in table
    assert not any(other in line for other in CAST[3:] for line in table)
    totals = [len(CHOSEN) * count for count in (PER_LABEL, *PARTS)]
    assert f"| total | {' | '.join(map(str, totals))} |" in table


def test_from_start_to_end_there_are_curves_matrices_and_a_report(ran: Notebook) -> None:
    drawn = list(pictures(ran))
    assert len(drawn) == 6  # counts, preprocessing, curves, two matrices, reliability
    for picture in drawn:
        assert min(picture.size) > 200
        assert np.asarray(picture.convert("L")).std() > 5
    for name in ("curves.png", "confusion.png", "confusion_normalised.png"):
        assert output_after(ran, f'"{name}"', "image/png")
    text = printed(ran)
    assert re.findall(r"epoch +(\d+)/2 ", text) == ["1", "2"]
    assert re.search(rf"^ *{CHOSEN[0]}( +\d\.\d+){{3}} +{PARTS[2]}$", text, re.MULTILINE)


def test_from_start_to_end_figures_stand_beside_the_tasks(ran: Notebook) -> None:
    table = output_after(ran, "figures_of(answers)", "text/markdown")
    (accuracy,) = re.findall(r"\| test accuracy \| 0\.87 \| (\d\.\d+) \|", table)
    assert 0 <= float(accuracy) <= 1
    (reported,) = re.findall(r"^ *accuracy +(\d\.\d+) ", printed(ran), re.MULTILINE)
    assert accuracy == reported


def test_committed_cells_were_run_in_order_without_an_error() -> None:
    cells = code_cells(committed())
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell.outputs]
    assert len(outputs) > 10
    assert all(output.output_type != "error" for output in outputs)
    assert all(output.get("name") != "stderr" for output in outputs)


def test_committed_outputs_show_figures_of_the_task_and_no_still() -> None:
    notebook = committed()
    source = "\n".join(cell.source for cell in code_cells(notebook))
    for page in ("mistakes", "contact_sheet", "near_duplicates", "CONTACT_SHEET", "imshow"):
        assert page not in source
    assert len(list(pictures(notebook))) == 6
    # the only pictures of characters in it are those drawn by code
    assert len(re.findall(r"read_still\(", source)) == len(
        re.findall(r'read_still\(WORK / "drawn/', source)
    )
    table = output_after(notebook, "figures_of(answers)", "text/markdown")
    (accuracy,) = re.findall(r"\| test accuracy \| 0\.87 \| (\d\.\d+) \|", table)
    assert 0.87 <= float(accuracy) <= 0.90


def test_committed_notebook_tells_nothing_of_who_ran_it_where() -> None:
    text = NOTEBOOK.read_text()
    outside = re.findall(r"/(?:tmp|home|root|work|Users|var|opt|usr)/", text)
    assert not outside


def test_notebook_has_no_logic_of_its_own() -> None:
    choices = (ast.If, ast.For, ast.While, ast.Try, ast.With, ast.FunctionDef, ast.ClassDef)
    for cell in code_cells(committed()):
        tree = ast.parse(cell.source)
        assert not [node for node in ast.walk(tree) if isinstance(node, choices)], cell.source
        assert len(tree.body) <= 7 or "import" in cell.source, cell.source
