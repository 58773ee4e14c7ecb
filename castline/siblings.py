"""Whether Castline's other packages are its own.

They have plain names, as `model` and `worker`. A file of such a name in the folder in which Python
was started would be imported in their place.
"""

from importlib.util import find_spec
from pathlib import Path

from castline.errors import IntruderError

SIBLINGS = ("exact", "ingest", "model", "timeline", "db", "worker", "cli")
"""The packages that are installed beside this one."""

HOUSE = Path(__file__).resolve().parents[1]
"""The folder in which all of them lie."""


def check_siblings() -> None:
    """Refuses packages that do not come from beside this one.

    Raises:
        IntruderError: Names the first that does not.
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
    """The file of a package or module as an import finds it; the folder if it has no file."""
    try:
        spec = find_spec(name)
    except ValueError:  # a module that no import made is there already
        return Path(name)
    if spec is None:
        return None
    if spec.origin:
        return Path(spec.origin).resolve()
    places = list(spec.submodule_search_locations or ())
    return Path(places[0]).resolve() if places else None


def _refusal(name: str, line: str) -> IntruderError:
    return IntruderError(line, name="castline", path=name)
