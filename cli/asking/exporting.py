"""The command that writes a timeline for other tools: export."""

from pathlib import Path
from typing import Annotated

import typer

from castline.asking.export import FORMAT_NAMES, FORMATS_OF_MANY
from castline.library import Library
from cli.console import OfModel, OfRun, Raw, Season, Series, SkipRepeats, say, say_if_unsearched


def add_commands(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command()(export)


def export(
    context: typer.Context,
    formats: Annotated[
        list[str],
        typer.Option(
            "--format",
            "-f",
            help=f"One or several of: {','.join(FORMAT_NAMES)}; may be given again.",
        ),
    ],
    episode: Annotated[
        str | None, typer.Argument(help="Name, part of a name, path or SHA-256.")
    ] = None,
    everything: Annotated[
        bool,
        typer.Option("--all", help=f"All episodes in one file, in {', '.join(FORMATS_OF_MANY)}."),
    ] = False,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The folder to write to.")
    ] = Path(),
    label: Annotated[
        list[str] | None, typer.Option(help="Only this character; may be repeated.")
    ] = None,
    expression: Annotated[
        str | None, typer.Option(help="Export the ranges of this expression, as for castline when.")
    ] = None,
    min_seconds: Annotated[
        str, typer.Option(metavar="SECONDS", help="Only ranges that last at least this long.")
    ] = "0",
    gap: Annotated[
        str, typer.Option(metavar="SECONDS", help="First fill gaps of at most this length.")
    ] = "0",
    chapter_seconds: Annotated[
        str, typer.Option(metavar="SECONDS", help="Chapters last at least so long.")
    ] = "0",
    season: Season = None,
    series: Series = None,
    run: OfRun = None,
    model: OfModel = None,
    raw: Raw = False,
    skip_repeats: SkipRepeats = False,
    force: Annotated[bool, typer.Option("--force", help="Replace existing files.")] = False,
) -> None:
    """Export the timeline of an episode, or of all episodes, for other tools.

    Example: castline export pilot.mkv -f vtt,otio -o exports
    """
    if (episode is None) is not everything:
        raise typer.BadParameter("give one of EPISODE and --all")
    library: Library = context.obj
    written = library.export(
        episode,
        formats,
        output,
        labels=label or (),
        expression=expression,
        min_seconds=min_seconds,
        gap=gap,
        chapter_seconds=chapter_seconds,
        season=season,
        series=series,
        run=run,
        model=model,
        raw=raw,
        skip_repeats=skip_repeats,
        force=force,
    )
    if skip_repeats:
        say_if_unsearched(
            library.unsearched(episode=episode, season=season, series=series, run=run, model=model)
        )
    if written.clips_folder:
        say(f"Wrote {len(written.clips)} clips into {written.clips_folder}")
    for path in written.files:
        say(f"Wrote {path}")
    if written.lacks_places:
        say(f"{written.model} gives no places, so the coco file has no boxes")
    if written.left_out:
        say(f"Left out, for nothing was tagged to the end: {', '.join(written.left_out)}")
