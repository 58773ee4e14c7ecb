"""Compare the time of a rerun with that of the first run, for an episode of 22 minutes.

    python -m bench.rerun [CLIP] [--minutes 22] [--episodes 20]

Loops a clip by stream copy, tags it with a version of the bundled model, and reruns it with another
version, first for one episode and then for all of them in one command. Both versions are installed
by `castline models import`, which compiles them. Everything else is included: start-up of
processes, the database. With --small both models have the original task's network.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import imageio_ffmpeg
from safetensors.numpy import load_file

from bench.tag_episode import CLIP, loop_clip
from model.networks.baseline import PARAMETERS as BASELINE_PARAMETERS
from model.networks.named import build_network, weights_of
from model.pictures.regions import REGIONS
from model.version.artifact import ModelVersion, find_model, write_model_version

SMALL_SIDE = 64  # px: of `fit84_crop64`


def main() -> None:
    arguments = _arguments()
    ffmpeg = shutil.which("ffmpeg") or imageio_ffmpeg.get_ffmpeg_exe()
    with tempfile.TemporaryDirectory(prefix="castline-bench-") as name:
        folder = Path(name)
        home = folder / "home"
        first, second = _models(home, folder / "models", small=arguments.small)
        episodes = [folder / f"episode_{number}.mp4" for number in range(arguments.episodes + 1)]
        loop_clip(ffmpeg, arguments.clip, episodes[0], arguments.minutes)
        for number, episode in enumerate(episodes[1:]):
            _copy_as_another(ffmpeg, episodes[0], episode, number)
        alone, *others = episodes
        tagged = _timed(home, "tag", alone, "--model", first)
        again = _timed(home, "rerun", "--all", "--model", second)
        print(f"{arguments.minutes:g} minutes of {arguments.clip.name}, {os.cpu_count()} cores")
        print(f"first run                     {tagged:8.1f} s")
        print(f"run again                     {again:8.1f} s   {again / tagged:.2f} of the first")
        if others:
            _timed(home, "tag", *others, "--model", first)
            together = _timed(home, "rerun", "--stale", "--model", second) / len(others)
            print(
                f"{len(others)} run again together, each {together:7.1f} s"
                f"   {together / tagged:.2f} of the first"
            )
        decoded = sum(run["frames_decoded"] for run in _status(home) if run["model"] == second)
        print(f"frames decoded in runs again: {decoded}")


def _models(home: Path, folder: Path, *, small: bool) -> tuple[str, str]:
    """Return two versions of one network with different weights."""
    bundled = find_model(None)
    versions = [_variant(bundled, folder, number, small=small) for number in (1, 2)]
    for version in versions:
        _castline(home, "models", "import", version.folder)
    return versions[0].manifest.reference, versions[1].manifest.reference


def _variant(bundled: ModelVersion, folder: Path, number: int, *, small: bool) -> ModelVersion:
    version = f"bench-{number}"
    created_at = f"2026-01-0{number}T00:00:00+00:00"
    manifest = replace(
        bundled.manifest,
        version=version,
        created_at=created_at,
        weights_sha256="",
        examples_sha256="",
    )
    weights: dict[str, Any]
    if small:
        manifest = replace(
            manifest,
            network="baseline",
            network_parameters=BASELINE_PARAMETERS,
            preprocessing="fit84_crop64",
            regions=REGIONS,
            loss="",
        )
        network = build_network(
            "baseline", BASELINE_PARAMETERS, manifest.labels, (SMALL_SIDE, SMALL_SIDE), seed=number
        )
        weights = weights_of(network)
    else:
        weights = dict(load_file(bundled.weights_path))
        last = next(key for key in weights if key.endswith("logits/bias"))
        weights[last] = weights[last] + 0.01 * number
    return write_model_version(folder / f"{manifest.name}-{version}", manifest, weights)


def _copy_as_another(ffmpeg: str, episode: Path, copy: Path, number: int) -> None:
    """Write the same pictures to a file with other content, which counts as another episode."""
    command = [ffmpeg, "-v", "error", "-i", str(episode), "-c", "copy"]
    subprocess.run([*command, "-metadata", f"comment={number}", str(copy)], check=True)


def _timed(home: Path, *arguments: str | Path) -> float:
    began = time.perf_counter()
    _castline(home, *arguments)
    return time.perf_counter() - began


def _status(home: Path) -> list[dict[str, Any]]:
    runs: list[dict[str, Any]] = json.loads(_castline(home, "status", "--json"))
    return runs


def _castline(home: Path, *arguments: str | Path) -> str:
    command = [sys.executable, "-m", "cli", "--home", str(home), *map(str, arguments)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        sys.exit(f"castline {arguments[0]} ended with code {ended.returncode}: {ended.stderr}")
    return ended.stdout


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("clip", nargs="?", type=Path, default=CLIP)
    parser.add_argument("--minutes", type=float, default=22)
    parser.add_argument("--episodes", type=int, default=20, help="further episodes; 0 for none")
    parser.add_argument("--small", action="store_true", help="use the original task's network")
    return parser.parse_args()


if __name__ == "__main__":
    main()
