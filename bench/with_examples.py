"""Add examples of its labels to a dense model version, for labels added later.

    python -m bench.with_examples VERSION DATASET -o FOLDER

`castline train` keeps examples itself; this is for versions that were trained before it did. FOLDER
becomes the new version, with the same weights, metrics and report.
"""

import argparse
from dataclasses import replace
from pathlib import Path

from model.adding.examples import examples_for
from model.adding.features import DenseFeatures
from model.dataset.folder import Dataset, open_dataset
from model.networks.named import network_of, weights_of
from model.recipe import STRONG
from model.recipe_changes import with_network_of
from model.version.artifact import REPORT, ModelVersion, read_model_version, write_model_version


def with_examples(version: ModelVersion, dataset: Dataset, folder: Path) -> ModelVersion:
    """Write a version with examples of the train stills of a dataset that it knows."""
    manifest = version.manifest
    network = network_of(version)
    seen = DenseFeatures(network, int8=manifest.int8)
    recipe = with_network_of(STRONG, manifest)
    examples = examples_for(version, seen, dataset, recipe, lambda _step, _done, _total: None)
    report = version.folder / REPORT
    pages = {path.name: path.read_bytes() for path in report.iterdir()} if report.is_dir() else {}
    return write_model_version(
        folder,
        replace(manifest, weights_sha256=""),
        weights_of(network),
        pages,
        examples.to_bytes(),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("version", type=Path, help="folder of a dense model version")
    parser.add_argument("dataset", type=Path, help="dataset that it was trained on")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the folder to make")
    arguments = parser.parse_args()
    version = read_model_version(arguments.version)
    made = with_examples(version, open_dataset(arguments.dataset), arguments.output)
    print(f"{made.folder}: {made.manifest.reference} {made.sha256}")


if __name__ == "__main__":
    main()
