"""The command that writes a timeline for other tools: export."""

from pathlib import Path
from typing import Annotated

import typer

from castline.asking.export import FORMAT_NAMES
from castline.library import Library
from cli.console import OfModel, OfRun, Raw, say


def add_commands(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command()(export)


def export(
    context: typer.Context,
    episode: Annotated[str, typer.Argument(help="Name, part of a name, path or SHA-256.")],
    formats: Annotated[
        str, typer.Option("--format", "-f", help=f"One or several of: {','.join(FORMAT_NAMES)}.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The folder to write to.")
    ] = Path(),
    label: Annotated[
        list[str] | None, typer.Option(help="Only this character; may be repeated.")
    ] = None,
    expression: Annotated[
        str | None, typer.Option(help="Export the ranges of this expression, as for castline when.")
    ] = None,
    run: OfRun = None,
    model: OfModel = None,
    raw: Raw = False,
    force: Annotated[bool, typer.Option("--force", help="Replace existing files.")] = False,
) -> None:
    """Export the timeline of an episode for other tools.

    Example: castline export pilot.mkv -f vtt,otio -o exports
    """
    library: Library = context.obj
    written = library.export(
        episode,
        formats,
        output,
        labels=label or (),
        expression=expression,
        run=run,
        model=model,
        raw=raw,
        force=force,
    )
    if written.clips_folder:
        say(f"Wrote {len(written.clips)} clips into {written.clips_folder}")
    for path in written.files:
        say(f"Wrote {path}")
    if written.lacks_places:
        say(f"{written.model} gives no places, so the coco file has no boxes")
