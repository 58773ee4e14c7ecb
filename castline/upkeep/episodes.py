"""Edit, locate and remove episodes."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from castline.asking.files import is_elsewhere, size_of
from castline.asking.names import require_episode, shown_names
from castline.asking.questions import EPISODE_COLUMNS, listed_episodes
from castline.asking.values import Episode
from castline.tables import Row, Table, columns_of
from castline.tagging.enqueue import find_episode_files
from castline.upkeep.pruning import remove_frames
from db.changes.episodes import move_episode, rename_episode
from db.changes.pruning import RunRows, count_rows
from db.changes.removing import remove_episode, runs_of_episodes
from db.library.all_runs import list_library
from db.library.corrections import list_corrections
from db.locks import lock_episodes
from ingest.errors import IngestError
from ingest.media.file import open_media
from worker.installation import Installation


@dataclass(frozen=True)
class Located(Row):
    """An episode whose file was found at another path."""

    episode: str
    """Name of the episode, as it is now."""
    episode_id: int
    """Number of the episode in this library."""
    old_path: str
    """Path before."""
    path: str
    """Path now."""


@dataclass(frozen=True, repr=False)
class Locating(Table[Located]):
    """The episodes whose files were found."""

    missing: tuple[str, ...] = ()
    """Old paths of the files that were not found."""


@dataclass(frozen=True)
class Removal(Row):
    """Episodes to remove, and what is removed with them."""

    episodes: Table[Episode]
    """The episodes."""
    runs: tuple[int, ...]
    """Numbers of their runs."""
    rows: RunRows
    """Numbers of rows of these runs."""
    frames: tuple[str, ...]
    """Names of files in the frame store."""
    frames_bytes: int
    """Size of these files."""
    corrections: int
    """Number of corrections of these episodes, which stay: they belong to the content, and count
    again once it is tagged again."""

    def to_dict(self) -> dict[str, Any]:
        """Return the fields of `castline episodes remove --json`."""
        return {
            "episodes": self.episodes.to_dicts(),
            "runs": list(self.runs),
            "tags": self.rows.tags,
            "appearances": self.rows.appearances,
            "frames": len(self.frames),
            "frames_bytes": self.frames_bytes,
            "corrections_kept": self.corrections,
        }


def edit(
    installation: Installation,
    references: Sequence[str],
    *,
    series: str | None,
    season: int | None,
    number: int | None,
    title: str | None,
) -> Table[Episode]:
    """Set the names of episodes; see `Library.edit_episodes`."""
    texts = {"series": series, "title": title}
    changed: dict[str, Any] = {
        **{name: value or None for name, value in texts.items() if value is not None},
        **{
            name: value
            for name, value in {"season": season, "number": number}.items()
            if value is not None
        },
    }
    with installation.database.write() as connection:
        found = [require_episode(connection, reference) for reference in references]
        lock_episodes(connection, [item.id for item in found])
        for item in found:
            rename_episode(connection, item.id, replace(item.called, **changed))
        return Table(listed_episodes(connection, {item.id for item in found}), EPISODE_COLUMNS)


def locate(installation: Installation, folders: Sequence[Path]) -> Locating:
    """Find files that were moved; see `Library.locate_episodes`."""
    with installation.database.read() as connection:
        known = [entry.episode for entry in list_library(connection)]
    lost = {item.sha256: item for item in known if is_elsewhere(item)}
    sizes = {item.size_bytes for item in lost.values()}
    found: dict[int, str] = {}
    old_paths: dict[int, str] = {}
    for path in find_episode_files(folders).paths if lost else ():
        if not sizes or size_of(path) not in sizes:
            continue
        seen = _look_at(path, installation.settings.readable_roots)
        if seen is None or (item := lost.pop(seen.sha256, None)) is None:
            continue
        sizes = {each.size_bytes for each in lost.values()}
        with installation.database.write() as connection:
            move_episode(connection, item, seen.path, Path(seen.path).name, seen.stamp)
        found[item.id], old_paths[item.id] = seen.path, item.uri
    with installation.database.read() as connection:
        names = shown_names(connection, {key: Path(path).name for key, path in found.items()})
    rows = tuple(Located(names[key], key, old_paths[key], path) for key, path in found.items())
    return Locating(rows, columns_of(Located), missing=tuple(item.uri for item in lost.values()))


def plan_removal(installation: Installation, references: Sequence[str]) -> Removal:
    """Return what removing episodes would remove; change nothing."""
    with installation.database.read() as connection:
        found = {
            item.id: item for item in (require_episode(connection, each) for each in references)
        }
        run_ids = runs_of_episodes(connection, list(found))
        rows = count_rows(connection, run_ids)
        episodes = listed_episodes(connection, found)
        sha256s = {item.sha256 for item in found.values()}
        corrections = len(list_corrections(connection, sha256s))
    frames = dict(_frames_of(installation, sha256s))
    return Removal(
        Table(episodes, EPISODE_COLUMNS),
        tuple(run_ids),
        rows,
        tuple(sorted(frames)),
        sum(frames.values()),
        corrections,
    )


def remove(installation: Installation, removal: Removal) -> None:
    """Remove the planned episodes one by one; idempotent.

    Raises:
        StorageUnreachable: The frame store is on storage that does not answer.
    """
    for item in removal.episodes:
        with installation.database.write() as connection:
            remove_episode(connection, item.id)
        # Listed again: a worker may have stored more in the meantime.
        remove_frames(installation, [name for name, _ in _frames_of(installation, {item.sha256})])


def _frames_of(installation: Installation, sha256s: set[str]) -> Iterator[tuple[str, int]]:
    """Yield the names and sizes of the frame store's files of some contents."""
    for file in installation.frames.kept_files.entries():
        if sha256s & set(file.name.split("/")):
            yield file.name, file.size_bytes


@dataclass(frozen=True)
class _Seen:
    """A file that was read."""

    path: str
    """Absolute path without links."""
    sha256: str
    stamp: str


def _look_at(path: Path, roots: Sequence[Path]) -> _Seen | None:
    try:
        with open_media(path, roots) as file, open(file.place, "rb") as content:  # noqa: PTH123
            digest = hashlib.file_digest(content, "sha256").hexdigest()
            return _Seen(str(file.path), digest, file.stamp)
    except (IngestError, OSError):
        return None  # it could not be tagged either
