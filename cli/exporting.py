"""Taking a timeline elsewhere: export."""

from pathlib import Path
from typing import Annotated

import typer

from cli.console import (
    OfModel,
    OfRun,
    require_label,
    require_shown_run,
    require_tagged_episode,
    say,
)
from cli.meeting import read_expression
from db.current import find_shown
from db.records import EpisodeRecord
from timeline.errors import TimelineError
from timeline.export import FORMATS, ExportedTimeline, export_text
from timeline.files import check_free, whole_file
from worker.answers import timeline_to_export
from worker.workplace import Workplace, open_workplace

CLIPS = "clips"
"""The format that is a folder of videos, and no text."""

COCO = "coco"
"""The format that is about places."""


def add_commands(app: typer.Typer) -> None:
    """Adds this group's commands."""
    app.command()(export)


def export(
    context: typer.Context,
    episode: Annotated[str, typer.Argument(help="Name, part of a name, path or SHA-256.")],
    formats: Annotated[
        str, typer.Option("--format", "-f", help=f"One or several of: {','.join(FORMATS)},{CLIPS}.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The folder to write to.")
    ] = Path(),
    label: Annotated[
        list[str] | None, typer.Option(help="Only this character; may be given again.")
    ] = None,
    expression: Annotated[
        str | None, typer.Option(help="The ranges in which this holds, as castline when takes it.")
    ] = None,
    run: OfRun = None,
    model: OfModel = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that exist.")] = False,
) -> None:
    """Write who is on screen when in an episode, for other tools to read.

    Example: castline export pilot.mkv -f vtt,otio -o exports
    """
    names = _format_names(formats)
    if label and expression is not None:
        raise TimelineError("--label and --expression: name the label in the expression")
    if COCO in names and expression is not None:
        raise TimelineError("--expression: coco tells where labels are; give --label")
    with open_workplace(context.obj) as place:
        with place.database.read() as connection:
            found = require_tagged_episode(connection, episode)
            shown = find_shown(connection, run, model)
            timeline = timeline_to_export(
                connection,
                found,
                require_shown_run(connection, found, shown),
                [require_label(connection, name) for name in label or ()],
                None if expression is None else read_expression(connection, expression),
            )
        stem = Path(timeline.name).stem
        clips = output / f"{stem}.clips" if CLIPS in names else None
        paths = {name: output / f"{stem}{FORMATS[name].suffix}" for name in names if name != CLIPS}
        for path in (*paths.values(), *([clips] if clips else [])):
            check_free(path, force)
        # What may be refused comes before the first file, so that then none is written.
        texts = {path: export_text(timeline, name) for name, path in paths.items()}
        if clips:
            _cut(place, found, timeline, clips)
        _write(texts)
        if COCO in names and timeline.sightings and not timeline.has_places:
            say(f"{timeline.model} tells no places, so the coco file has no boxes")


def _format_names(formats: str) -> list[str]:
    names = list(dict.fromkeys(name.strip().lower() for name in formats.split(",")))
    for name in names:
        if name not in (*FORMATS, CLIPS):
            raise TimelineError(f"--format {name!r}: is none of {', '.join((*FORMATS, CLIPS))}")
    return names


def _write(texts: dict[Path, str]) -> None:
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="")
        say(f"Wrote {path}")


def _cut(
    place: Workplace, episode: EpisodeRecord, timeline: ExportedTimeline, folder: Path
) -> None:
    from ingest.decoder import Decoder
    from worker.clips import write_clips

    with Decoder(media_roots=place.settings.readable_roots) as decoder:
        written = write_clips(place, decoder, episode, timeline, folder)
    say(f"Wrote {len(written)} clips into {folder}")
