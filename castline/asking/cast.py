"""What people call labels, and which label they mean."""

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
        """The labels that a name means: the very label, a label written otherwise, or a name.

        Labels of the first models may have hyphens, so that two may be written alike.
        """
        if name in self.labels:
            return [name]
        asked = label_of(name)
        by_label = [label for label in self.labels if asked and label_of(label) == asked]
        return by_label or [
            label for label in self.labels if asked and label_of(self.names[label]) == asked
        ]

    def with_part(self, name: str) -> list[str]:
        """The labels of which a name is a part, or a part of their names."""
        asked = label_of(name)
        return [
            label
            for label in self.labels
            if asked and (asked in label_of(label) or asked in label_of(self.names[label]))
        ]


def names_of(connection: Transaction) -> Names:
    """What people call labels."""
    return Names(written_names(connection))


def cast_of(connection: Transaction) -> Cast:
    """All labels that are known, and what people call them."""
    known = tuple(label for label in known_labels(connection) if label != UNKNOWN)
    return Cast(known, names_of(connection))


def read_named_truth(connection: Transaction, path: Path) -> list[LabelledRange]:
    """Read a truth file, whose characters may be written as labels or by their names.

    Raises:
        TimelineError: The file cannot be read, or one of its lines cannot be used.
        LabelError: A name fits several labels, or no label can be made of it.
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
