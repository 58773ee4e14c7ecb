"""Export a timeline: files of many formats, and plots."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from castline.asking.cast import names_of, read_named_truth
from castline.asking.names import (
    asked_season,
    read_expression,
    require_label,
    require_selected_run,
    require_tagged_episode,
    shown_names,
)
from castline.asking.timelines import Wanted, labelled_ranges, timeline_to_export
from castline.asking.times import Time, exact_seconds
from castline.errors import NotFoundError, RequestError
from db.engine import Transaction
from db.library.current import RunSelection, find_selection
from db.library.episodes import get_episode, list_episodes
from db.library.runs import selected_run_of
from db.questions.appearances import Season
from db.records import EpisodeRecord
from model.labels import shortened
from timeline.export.formats import FORMATS, ExportedTimeline, exported, exported_together
from timeline.files import check_free, whole_file
from worker.installation import Installation

CLIPS = "clips"
"""The format that is a folder of video clips instead of a text file."""

COCO = "coco"
"""The format that requires places."""

FORMAT_NAMES = (*FORMATS, CLIPS)

FORMATS_OF_MANY = tuple(name for name, chosen in FORMATS.items() if chosen.of_many)
"""The formats in which one file can cover several episodes."""

ALL_STEM = "episodes"
"""Name of files of all episodes."""


@dataclass(frozen=True)
class Exported:
    """The files written by an export."""

    files: tuple[Path, ...]
    """The files, except clips."""
    clips_folder: Path | None
    """The folder of clips; None without clips."""
    clips: tuple[Path, ...]
    """The clips."""
    model: str | None
    """NAME@VERSION of the model whose timeline was exported; None for all episodes."""
    lacks_places: bool
    """Whether the coco file has no boxes because the model gives no places."""
    left_out: tuple[str, ...]
    """Episodes without any content, left out of an export of all."""


def export(
    installation: Installation,
    episode: str | None,
    formats: Sequence[str],
    output: Path,
    *,
    labels: Sequence[str],
    expression: str | None,
    min_seconds: Time,
    gap: Time,
    chapter_seconds: Time,
    season: int | None,
    series: str | None,
    run: int | None,
    model: str | None,
    raw: bool,
    skip_repeats: bool,
    force: bool,
) -> Exported:
    """Write a timeline in several formats; see `Library.export`."""
    names = _checked(formats)
    if labels and expression is not None:
        raise RequestError("--label and --expression: name the label in the expression")
    if COCO in names and expression is not None:
        raise RequestError("--expression: coco tells where labels are; give --label")
    with installation.database.read() as connection:
        wanted = Wanted(
            tuple(require_label(connection, name) for name in labels),
            None if expression is None else read_expression(connection, expression),
            exact_seconds(min_seconds),
            exact_seconds(gap),
            exact_seconds(chapter_seconds),
            sightings=COCO in names and expression is None,
        )
        if episode is None:
            _check_of_all(names, run)
            selection = find_selection(connection, run, model, raw, skip_repeats)
            within = asked_season(connection, season, series, selection)
            return _export_all(connection, names, output, wanted, within, selection, force)
        if season is not None or series is not None:
            raise RequestError("--season and --series: say which of all episodes; give --all")
        found = require_tagged_episode(connection, episode)
        selection = find_selection(connection, run, model, raw, skip_repeats)
        timeline = timeline_to_export(
            *(connection, found, require_selected_run(connection, found, selection)),
            *(wanted, names_of(connection), selection),
            name=shown_names(connection, {found.id: found.name})[found.id],
        )
    return _export_one(installation, found, timeline, names, output, force)


def _export_one(
    installation: Installation,
    episode: EpisodeRecord,
    timeline: ExportedTimeline,
    names: Sequence[str],
    output: Path,
    force: bool,
) -> Exported:
    folder = output / f"{timeline.stem}.clips" if CLIPS in names else None
    paths = _paths(names, output, timeline.stem)
    for path in (*paths.values(), *([folder] if folder else [])):
        check_free(path, force)
    # What may be refused comes before the first file, so that then none is written.
    contents = {path: list(exported(timeline, name)) for name, path in paths.items()}
    clips = _cut(installation, episode, timeline, folder) if folder else []
    _write(contents)
    lacks_places = COCO in names and bool(timeline.sightings) and not timeline.has_places
    return Exported(tuple(contents), folder, tuple(clips), timeline.model, lacks_places, ())


def _export_all(
    connection: Transaction,
    names: Sequence[str],
    output: Path,
    wanted: Wanted,
    within: Season,
    selection: RunSelection,
    force: bool,
) -> Exported:
    paths = _paths(names, output, ALL_STEM)
    for path in paths.values():
        check_free(path, force)
    written = names_of(connection)
    found = {item.id: item for item in list_episodes(connection) if within.includes(item.called)}
    shown = shown_names(connection, {number: item.name for number, item in found.items()})
    runs = {number: selected_run_of(connection, number, selection) for number in found}

    def timelines() -> Iterator[ExportedTimeline]:
        for number, run in runs.items():
            if run is not None:
                yield timeline_to_export(
                    *(connection, get_episode(connection, number), run, wanted, written, selection),
                    name=shown[number],
                )

    if not any(runs.values()):
        raise NotFoundError("--all: nothing was tagged yet; run: castline tag EPISODE")
    _write({path: exported_together(timelines(), name) for name, path in paths.items()})
    left_out = tuple(shown[number] for number, run in runs.items() if run is None)
    return Exported(tuple(paths.values()), None, (), None, False, left_out)


def _write(contents: Mapping[Path, Iterable[bytes]]) -> None:
    """Write files that all appear together once all are complete, or none."""
    with ExitStack() as files:
        for path, pieces in contents.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary = files.enter_context(whole_file(path))
            with temporary.open("wb") as file:
                file.writelines(pieces)


def _paths(names: Sequence[str], output: Path, stem: str) -> dict[str, Path]:
    return {name: output / f"{stem}{FORMATS[name].suffix}" for name in names if name != CLIPS}


def _check_of_all(names: Sequence[str], run: int | None) -> None:
    if run is not None:
        raise RequestError("--all and --run: a run is of one episode; give --model, or EPISODE")
    for name in names:
        if name not in FORMATS_OF_MANY:
            raise RequestError(
                f"--all: a file of {name} tells of one episode; give EPISODE, or one or several of"
                f" {', '.join(FORMATS_OF_MANY)}"
            )


def plot(
    installation: Installation,
    episode: str,
    output: Path,
    *,
    truth: Path | None,
    run: int | None,
    model: str | None,
    raw: bool,
    skip_repeats: bool,
) -> None:
    """Plot the timeline of an episode; see `Library.plot`."""
    from model.pictures.fonts import font_families
    from timeline.drawing.plot import plot_timeline

    with installation.database.read() as connection:
        found = require_tagged_episode(connection, episode)
        selection = find_selection(connection, run, model, raw, skip_repeats)
        missing = require_selected_run(connection, found, selection).unexamined_seconds
        ranges = labelled_ranges(connection, found, selection)
        true_ranges = None if truth is None else read_named_truth(connection, truth, found).ranges
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
    names = list(
        dict.fromkeys(name.strip().lower() for text in formats for name in text.split(","))
    )
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
