"""Model versions that benches train once, resume after an interruption, and reuse."""

import io
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

from model.training.batches import processes_to_spare
from model.training.history import Epoch
from model.training.plan import TrainingPlan
from model.version.artifact import ModelVersion, read_model_version
from model.versions import train_model_version


def trained_version(
    plan: TrainingPlan, output: Path, on_epoch: Callable[[tuple[Epoch, ...]], None]
) -> ModelVersion:
    """Return OUTPUT/NAME-VERSION, trained if it does not exist; see `train_model_version`."""
    folder = output / f"{plan.name}-{plan.version}"
    if folder.exists():
        return read_model_version(folder)
    return train_model_version(
        plan,
        folder,
        work_folder=output / "training" / folder.name,
        processes=processes_to_spare(),
        resume=True,
        on_epoch=on_epoch,
    )


def version_of_history(commit: str, name: str, output: Path) -> ModelVersion:
    """Return a model version that was bundled at a commit of this repository.

    Args:
        commit: Commit of this repository.
        name: Name of its folder, such as `springfield-8`.
        output: Folder in which it is placed, if it is not there.
    """
    path = f"model/bundled/{name}"
    if not (output / path).exists():
        packed = subprocess.run(
            ["git", "archive", commit, path], check=True, stdout=subprocess.PIPE
        ).stdout
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            archive.extractall(output, filter="data")
    return read_model_version(output / path)


def strangers_in(output: Path) -> Path:
    """Return the output folder's pictures without known characters; make them if needed."""
    folder = output / "strangers"
    if not (folder / "SOURCES.md").exists():  # written last
        subprocess.run([sys.executable, "-m", "bench.strangers", "-o", str(folder)], check=True)
    return folder


def print_epoch(history: tuple[Epoch, ...]) -> None:
    """Print the last epoch."""
    print(history[-1], flush=True)
