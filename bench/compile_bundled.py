"""Compile the bundled model for CPUs, as the wheel contains it, after it was replaced.

    python -m bench.compile_bundled

An installation without TensorFlow uses the files in `model/bundled/compiled`. The same version
gives the same bytes with the same TensorFlow; a test compares the outputs of both.
"""

import shutil
import sys

from model.inference.compiling import compile_version, keep_compiled
from model.version.artifact import COMPILED, bundled_folder, models_in


def main() -> int:
    """Compile the network of each bundled version, and remove all other compiled ones."""
    shutil.rmtree(bundled_folder() / COMPILED, ignore_errors=True)
    for version in models_in(bundled_folder()):
        keep_compiled(version, compile_version(version))
        kept = version.compiled_path
        print(f"{version.manifest.reference}: {kept}, {kept.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
