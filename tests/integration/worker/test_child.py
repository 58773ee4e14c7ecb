"""The classify process as its parent sees it."""

from pathlib import Path

import pytest

from model.inference.device import Device
from tests.waiting import wait_until
from worker.embedded.classify_child import ClassifyChild
from worker.embedded.classify_process import ClassifyOrder
from worker.errors import WorkerError
from worker.settings import Settings

pytestmark = pytest.mark.integration


def test_it_says_in_one_line_why_it_cannot_work_and_runs_nothing_of_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    downloads = tmp_path / "downloads"
    downloads.mkdir()
    (downloads / "numpy.py").write_text("open('was_run', 'w')")
    monkeypatch.chdir(downloads)
    settings = Settings.from_environment(tmp_path / "home", {})
    child = ClassifyChild(ClassifyOrder(settings, Device.CPU, None, model_sha256="0" * 64))

    def has_given_up() -> bool:
        try:
            child.ensure_alive()
        except WorkerError as error:
            complaints.append(str(error))
        return bool(complaints)

    complaints: list[str] = []
    try:
        wait_until(has_given_up)
    finally:
        child.stop()
    assert "000000000000" in complaints[0]
    assert "its folder is gone" in complaints[0]
    assert not (downloads / "was_run").exists()
