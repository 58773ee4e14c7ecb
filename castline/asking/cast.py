"""Display names of labels, and the labels that names stand for."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Final

from castline.errors import RequestError
from db.engine import Transaction
from db.library.episodes import distinct_names
from db.questions.appearances import known_labels, written_names
from db.records import EpisodeRecord
from model.errors import LabelError
from model.labels import UNKNOWN, Names, label_of, require_label_of
from timeline.scoring.truth import LabelledRange, read_truth

NO_CHANGE: Final[Mapping[str, str]] = MappingProxyType({})


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

    def fitting(self, name: str) -> list[str]:
        """Return the labels that a name may stand for: exact matches, or else partial ones."""
        return self.called(name) or self.with_part(name)

    def with_part(self, name: str) -> list[str]:
        """Return the labels for which the name is a part of the label or of its display name."""
        asked = label_of(name)
        return [
            label
            for label in self.labels
            if asked and (asked in label_of(label) or asked in label_of(self.names[label]))
        ]

    def close_to(self, name: str) -> list[str]:
        """Return the labels with a similar spelling, the most similar first."""
        written = {label: (label_of(label), label_of(self.names[label])) for label in self.labels}
        words = {
            part: label
            for label, forms in written.items()
            for form in forms
            for part in (form, *form.split("_"))
        }
        return [
            *dict.fromkeys(words[word] for word in get_close_matches(label_of(name), words, n=3))
        ]


def names_of(connection: Transaction) -> Names:
    """Return the display names of labels."""
    return Names(written_names(connection))


def cast_of(connection: Transaction) -> Cast:
    """Return all labels with their display names."""
    known = tuple(label for label in known_labels(connection) if label != UNKNOWN)
    return Cast(known, names_of(connection))


@dataclass(frozen=True)
class NamedTruth:
    """The content of a truth file, by labels."""

    ranges: tuple[LabelledRange, ...]
    taken: Mapping[str, str]
    """The label for each name that is only a part of the label or of its name."""
    absent: tuple[str, ...]
    """The labels in the file that no installed model version has."""


def read_named_truth(
    connection: Transaction,
    path: Path,
    episode: EpisodeRecord,
    renamed: Mapping[str, str] = NO_CHANGE,
) -> NamedTruth:
    """Read a truth file, in which characters may be given as elsewhere by labels or names.

    A name without a label becomes a label of its own; `unknown` says that no known character is on
    screen.

    Args:
        connection: An open transaction.
        path: The file.
        episode: The episode; the file may cover others, too.
        renamed: Labels to use in place of names in the file.

    Returns:
        The ranges, and how names were understood.

    Raises:
        TimelineError: The file cannot be read, or one of its lines is invalid.
        LabelError: A name fits several labels, or no label can be derived from it.
        RequestError: A renamed name is not in the file, or its replacement is not a label.
    """
    distinct = distinct_names(connection, {episode.name})
    ranges = read_truth(path, distinct.get(episode.id, episode.name), episode.name)
    cast = cast_of(connection)
    written = {item.label for item in ranges if item.label}
    others = _renamed(cast, path, written, renamed)
    meant = {name: others.get(name) or _meant(cast, name, path) for name in written}
    labels = {name: "" if label == UNKNOWN else label for name, label in meant.items()}
    return NamedTruth(
        tuple(replace(item, label=labels.get(item.label, "")) for item in ranges),
        {
            name: label
            for name, label in sorted(labels.items())
            if name not in others and label in cast.labels and not cast.called(name)
        },
        tuple(sorted({*labels.values()} - {*cast.labels, ""})),
    )


def _renamed(
    cast: Cast, path: Path, written: Set[str], renamed: Mapping[str, str]
) -> dict[str, str]:
    """Return the label for each renamed name in the file."""
    found: dict[str, str] = {}
    for old, new in renamed.items():
        names = [name for name in written if name == old or label_of(name) == label_of(old)]
        if not names:
            listed = ", ".join(sorted(written)) or "nobody"
            raise RequestError(f"--map {old}={new}: {path} has no {old}; it has {listed}")
        fitting = cast.fitting(new)
        if len(fitting) != 1:
            known = ", ".join(fitting or cast.labels)
            raise RequestError(f"--map {old}={new}: {new} is none of {known}; name one")
        found.update(dict.fromkeys(names, fitting[0]))
    return found


def _meant(cast: Cast, name: str, path: Path) -> str:
    fitting = cast.fitting(name)
    if len(fitting) > 1:
        raise LabelError(
            f"{path}: several labels fit {name}: {', '.join(fitting)}; write one of them"
        )
    return fitting[0] if fitting else require_label_of(name, str(path))
