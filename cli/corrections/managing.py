"""Commands for stored corrections: corrections list, undo, export, import, status."""

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from castline.library import Library
from cli.console import (
    DEFAULT_LIMIT,
    Json,
    Limit,
    answer,
    print_json,
    print_table,
    rows_wanted,
    say,
    say_if_more,
)
from cli.corrections.judging import SHOWN_KEY, Author, Reason, claim, said, when

OfEpisode = Annotated[str | None, typer.Argument(help="Only of this episode.", metavar="EPISODE")]


def add_commands(app: typer.Typer) -> None:
    """Add this group's commands."""
    group = typer.Typer(help="What people said of answers.", no_args_is_help=True)
    group.command("list")(show)
    group.command()(undo)
    group.command("export")(export)
    group.command("import")(import_)
    group.command()(status)
    app.add_typer(group, name="corrections")


def show(
    context: typer.Context,
    episode: OfEpisode = None,
    limit: Limit = DEFAULT_LIMIT,
    as_json: Json = False,
) -> None:
    """List corrections, the latest first.

    Example: castline corrections list pilot.mkv
    """
    library: Library = context.obj
    found = library.corrections(episode, limit=rows_wanted(limit))
    say_if_more(found, limit)
    if as_json:
        print_json(found.to_dicts())
        return
    if not found:
        say("Nobody corrected anything yet; castline correct --help says how.")
        return
    names = library.names()
    rows = [
        (
            one.key[:SHOWN_KEY],
            one.episode or one.sha256[:8],
            when(one),
            claim(one, names),
            one.author,
            f"{one.made_at:%Y-%m-%d %H:%M}",
            one.reason if one.stands else f"(undone) {one.reason}".strip(),
        )
        for one in found
    ]
    print_table(("key", "episode", "when", "what", "who", "made (UTC)", "reason"), rows)


def undo(
    context: typer.Context,
    keys: Annotated[list[str], typer.Argument(help="Keys, as castline corrections list has them.")],
    author: Author = None,
    reason: Reason = "",
    as_json: Json = False,
) -> None:
    """Undo corrections; undoing an undoing restores its correction.

    Example: castline corrections undo 4f2a19c0
    """
    library: Library = context.obj
    judged = library.undo_corrections(keys, author=author, reason=reason)
    if as_json:
        print_json(judged.to_dicts())
        return
    names = library.names()
    for one in judged:
        say(
            f"{said(one, names)}; to bring it back: castline corrections undo {one.key[:SHOWN_KEY]}"
        )


def export(
    context: typer.Context,
    output: Annotated[Path, typer.Option("--output", "-o", help="A .json file.")],
    episode: OfEpisode = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that exists.")] = False,
) -> None:
    """Write corrections to a file, for another library or as a backup.

    Example: castline corrections export -o corrections.json
    """
    library: Library = context.obj
    count = library.export_corrections(output, episode, force=force)
    say(f"Wrote {output}: {count} corrections")


def import_(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="That castline corrections export wrote.")],
    as_json: Json = False,
) -> None:
    """Import corrections from a file; existing ones change nothing.

    Example: castline corrections import corrections.json
    """
    library: Library = context.obj
    done = library.import_corrections(file)
    if as_json:
        print_json(done.to_dict())
        return
    line = f"{done.added} new corrections of {done.episodes} episodes, {done.known} known already"
    if done.elsewhere:
        line += f"; of {done.elsewhere} episodes that are not here they count once these are tagged"
    say(line)


def status(context: typer.Context, episode: OfEpisode = None, as_json: Json = False) -> None:
    """Compare each correction with the raw result of the shown run.

    agrees: the run found the same; needed: it did not; contradicted: another model denies a
    confirmed label, or is more confident of a wrong one; replaced: later corrections cover the
    whole range; untagged: no run of its episode is shown.

    Example: castline corrections status pilot.mkv
    """
    library: Library = context.obj
    found = library.corrections_status(episode)
    if as_json:
        print_json(found.to_dicts())
        return
    if not found:
        say("No correction stands; castline corrections list shows all.")
        return
    names = library.names()
    rows = [
        (
            one.status,
            one.correction.key[:SHOWN_KEY],
            one.correction.episode or one.correction.sha256[:8],
            when(one.correction),
            claim(one.correction, names),
            one.correction.model or "",
            one.shown_model or "",
        )
        for one in found
    ]
    columns = ("status", "key", "episode", "when", "what", "judged", "shown now")
    print_table(columns, rows)
    counts = Counter(one.status for one in found)
    answer(", ".join(f"{count} {name}" for name, count in counts.most_common()))
