"""Check that Castline's other packages are its own.

They have plain names, such as `model` and `worker`. A file with such a name in the working
directory would be imported in their place.
"""

from importlib.util import find_spec
from pathlib import Path

from castline.errors import IntruderError

SIBLINGS = ("exact", "ingest", "model", "timeline", "db", "worker", "cli", "web")
"""The packages that are installed beside this one."""

HOUSE = Path(__file__).resolve().parents[1]
"""The folder that contains all of them."""


def check_siblings() -> None:
    """Refuse packages that are not in the same folder as this one.

    Raises:
        IntruderError: Names the first package that is elsewhere.
    """
    for name in SIBLINGS:
        place = _place_of(name)
        if place is None:
            raise _refusal(name, f"{HOUSE / name}: is missing; install castline again")
        if place not in (HOUSE / name, HOUSE / name / "__init__.py"):
            raise _refusal(
                name,
                f"{place}: is imported in place of Castline's own package {name}; rename it, or"
                " start in another folder",
            )


def _place_of(name: str) -> Path | None:
    """Return the file that an import of a name finds; the folder of a package without a file."""
    try:
        spec = find_spec(name)
    except ValueError:  # an existing module that was not made by an import
        return Path(name)
    if spec is None:
        return None
    if spec.origin:
        return Path(spec.origin).resolve()
    places = list(spec.submodule_search_locations or ())
    return Path(places[0]).resolve() if places else None


def _refusal(name: str, line: str) -> IntruderError:
    return IntruderError(line, name="castline", path=name)
