"""Trains the bundled first model, so that anyone can make it again.

    python -m bench.first_model ../shared/data/simpsons -o model/bundled/springfield-1

Prints a line per epoch and the figures of the model card.
"""

import argparse
from pathlib import Path

from model.recipe import VARIED
from model.training import Epoch
from model.versions import train_model_version

ABOUT_STILLS = (
    "15,618 labelled colour stills of 17 characters of one animated series, from the public Kaggle "
    "set by A. Attia, shrunk to 176 pixels on the longest side. Not part of this repository."
)
LICENCE = (
    "The stills are under CC BY-NC-SA 4.0, and so is the use of these weights: with attribution, "
    "not for commercial purposes, and shared alike. Castline's own code is under Apache-2.0."
)


def main() -> None:
    arguments = _arguments()
    command = f"python -m bench.first_model {arguments.stills} -o {arguments.output}"
    made = train_model_version(
        arguments.stills,
        arguments.output,
        name="springfield",
        version="1",
        recipe=VARIED,
        on_epoch=_print_epoch,
        licence=LICENCE,
        about_stills=ABOUT_STILLS,
        command=command,
    )
    for name, value in made.manifest.metrics.items():
        print(f"{name:>20} {value:.4g}")
    print(f"{made.folder}: {made.manifest.reference} {made.sha256}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("stills", type=Path, help="folder of LABEL/PICTURE files")
    parser.add_argument("-o", "--output", type=Path, required=True, help="becomes the version")
    return parser.parse_args()


def _print_epoch(epoch: Epoch) -> None:
    print(
        f"epoch {epoch.number:3}/{epoch.epochs}  loss {epoch.loss:.3f}  "
        f"validation accuracy {epoch.validation_accuracy:.3f}  {epoch.seconds:.1f} s",
        flush=True,
    )


if __name__ == "__main__":
    main()
