"""Export a timeline: files of many formats, and plots."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from castline.asking.cast import names_of, read_named_truth
from castline.asking.names import (
    read_expression,
    require_label,
    require_selected_run,
    require_tagged_episode,
)
from castline.asking.timelines import labelled_ranges, timeline_to_export
from castline.errors import RequestError
from db.library.current import find_selection
from db.records import EpisodeRecord
from model.labels import shortened
from timeline.export.formats import FORMATS, ExportedTimeline, export_text
from timeline.files import check_free, whole_file
from worker.installation import Installation

CLIPS = "clips"
"""The format that is a folder of video clips instead of a text file."""

COCO = "coco"
"""The format that requires places."""

FORMAT_NAMES = (*FORMATS, CLIPS)


@dataclass(frozen=True)
class Exported:
    """The files written by an export."""

    files: tuple[Path, ...]
    """The files, except clips."""
    clips_folder: Path | None
    """The folder of clips; None without clips."""
    clips: tuple[Path, ...]
    """The clips."""
    model: str
    """NAME@VERSION of the model whose timeline was exported."""
    lacks_places: bool
    """Whether the coco file has no boxes because the model gives no places."""


def export(
    installation: Installation,
    episode: str,
    formats: Sequence[str],
    output: Path,
    *,
    labels: Sequence[str],
    expression: str | None,
    run: int | None,
    model: str | None,
    raw: bool,
    force: bool,
) -> Exported:
    """Write a timeline in several formats; see `Library.export`."""
    names = _checked(formats)
    if labels and expression is not None:
        raise RequestError("--label and --expression: name the label in the expression")
    if COCO in names and expression is not None:
        raise RequestError("--expression: coco exports places of labels; give --label")
    with installation.database.read() as connection:
        found = require_tagged_episode(connection, episode)
        selection = find_selection(connection, run, model, raw)
        timeline = timeline_to_export(
            connection,
            found,
            require_selected_run(connection, found, selection),
            [require_label(connection, name) for name in labels],
            None if expression is None else read_expression(connection, expression),
            raw=raw,
        )
    stem = Path(timeline.name).stem
    folder = output / f"{stem}.clips" if CLIPS in names else None
    paths = {name: output / f"{stem}{FORMATS[name].suffix}" for name in names if name != CLIPS}
    for path in (*paths.values(), *([folder] if folder else [])):
        check_free(path, force)
    # All texts are made before the first file is written, so that an error leaves no file.
    texts = {path: export_text(timeline, name) for name, path in paths.items()}
    clips = _cut(installation, found, timeline, folder) if folder else []
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="")
    lacks_places = COCO in names and bool(timeline.sightings) and not timeline.has_places
    return Exported(tuple(texts), folder, tuple(clips), timeline.model, lacks_places)


def plot(
    installation: Installation,
    episode: str,
    output: Path,
    *,
    truth: Path | None,
    run: int | None,
    model: str | None,
    raw: bool,
) -> None:
    """Plot the timeline of an episode; see `Library.plot`."""
    from model.pictures.fonts import font_families
    from timeline.drawing.plot import plot_timeline

    with installation.database.read() as connection:
        found = require_tagged_episode(connection, episode)
        selection = find_selection(connection, run, model, raw)
        missing = require_selected_run(connection, found, selection).missing_seconds
        ranges = labelled_ranges(connection, found, selection)
        true_ranges = None if truth is None else read_named_truth(connection, truth)
        written = names_of(connection)
    names = {item.label: shortened(written[item.label]) for item in (*ranges, *(true_ranges or ()))}
    plot_timeline(
        ranges,
        found.duration_seconds,
        output,
        found.name,
        true_ranges,
        missing,
        names=names,
        fonts=font_families([found.name, *names.values()]),
    )


def _checked(formats: Sequence[str]) -> list[str]:
    names = list(dict.fromkeys(name.strip().lower() for name in formats))
    for name in names:
        if name not in FORMAT_NAMES:
            raise RequestError(f"--format {name!r}: is none of {', '.join(FORMAT_NAMES)}")
    return names


def _cut(
    installation: Installation, episode: EpisodeRecord, timeline: ExportedTimeline, folder: Path
) -> list[Path]:
    from castline.asking.clips import write_clips
    from ingest.decoder.parent import Decoder

    with Decoder(media_roots=installation.settings.readable_roots) as decoder:
        return write_clips(installation, decoder, episode, timeline, folder)
