"""Notebooks of the repository: read, and run from start to end."""

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from tests.waiting import PATIENCE_SECONDS

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"

Notebook = Any  # nbformat's attribute dictionaries have no types


def read_notebook(path: Path) -> Notebook:
    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]


def code_cells(notebook: Notebook) -> list[Notebook]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def run_notebook(path: Path, parameters: str, folder: Path) -> Notebook:
    """Run a notebook in a folder, with other parameters after those of its own."""
    notebook = read_notebook(path)
    (place,) = (
        number
        for number, cell in enumerate(notebook.cells)
        if "parameters" in cell.metadata.get("tags", ())
    )
    chosen = nbformat.v4.new_code_cell(parameters)  # type: ignore[no-untyped-call]
    notebook.cells.insert(place + 1, chosen)
    client = NotebookClient(
        notebook,
        timeout=int(PATIENCE_SECONDS),  # for a cell, which is named then
        startup_timeout=int(PATIENCE_SECONDS),
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
    )
    with pytest.MonkeyPatch.context() as patch:  # nothing in the home of who runs the tests
        for name in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR"):
            patch.setenv(name, str(folder / name.lower()))
        client.execute()
    return notebook
