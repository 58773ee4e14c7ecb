"""Display names of labels, and the labels that names stand for."""

from dataclasses import dataclass, replace
from pathlib import Path

from db.engine import Transaction
from db.questions.appearances import known_labels, written_names
from model.errors import LabelError
from model.labels import UNKNOWN, Names, label_of, require_label_of
from timeline.scoring.truth import LabelledRange, read_truth


@dataclass(frozen=True)
class Cast:
    """The labels that model versions can give, without `unknown`, and their names."""

    labels: tuple[str, ...]
    names: Names

    def called(self, name: str) -> list[str]:
        """Return the labels that a name stands for: a label, in any spelling, or a display name.

        Labels of the first models may have hyphens, so two labels may have the same spelling.
        """
        if name in self.labels:
            return [name]
        asked = label_of(name)
        by_label = [label for label in self.labels if asked and label_of(label) == asked]
        return by_label or [
            label for label in self.labels if asked and label_of(self.names[label]) == asked
        ]

    def with_part(self, name: str) -> list[str]:
        """Return the labels for which the name is a part of the label or of its display name."""
        asked = label_of(name)
        return [
            label
            for label in self.labels
            if asked and (asked in label_of(label) or asked in label_of(self.names[label]))
        ]


def names_of(connection: Transaction) -> Names:
    """Return the display names of labels."""
    return Names(written_names(connection))


def cast_of(connection: Transaction) -> Cast:
    """Return all labels with their display names."""
    known = tuple(label for label in known_labels(connection) if label != UNKNOWN)
    return Cast(known, names_of(connection))


def read_named_truth(connection: Transaction, path: Path) -> list[LabelledRange]:
    """Read a truth file, in which characters may be given as labels or by display names.

    Raises:
        TimelineError: The file cannot be read, or one of its lines is invalid.
        LabelError: A name fits several labels, or no label can be derived from it.
    """
    ranges = read_truth(path)
    cast = cast_of(connection)
    labels = {name: _meant(cast, name, path) for name in {item.label for item in ranges} if name}
    return [replace(item, label=labels.get(item.label, "")) for item in ranges]


def _meant(cast: Cast, name: str, path: Path) -> str:
    fitting = cast.called(name)
    if len(fitting) > 1:
        raise LabelError(
            f"{path}: several labels fit {name}: {', '.join(fitting)}; write one of them"
        )
    return fitting[0] if fitting else require_label_of(name, str(path))
