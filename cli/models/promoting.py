"""Promote a model version, or roll back to the one before."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from castline import Device
from castline.errors import RequestError
from castline.library import Library
from castline.models.gate import DEFAULT_REQUIREMENT, Regression
from cli.console import print_table, say


def promote(
    context: typer.Context,
    model: Annotated[str, typer.Argument(metavar="NAME[@VERSION]", help="The model to promote.")],
    dataset: Annotated[
        Path | None, typer.Option(help="Measure both models on the test set of this dataset.")
    ] = None,
    episodes: Annotated[
        list[str] | None,
        typer.Option(
            metavar="EPISODE=TRUTH.csv",
            help="Also measure both models' runs on this episode; may be repeated.",
        ),
    ] = None,
    require: Annotated[
        str, typer.Option(help="Least permitted change of each metric.")
    ] = DEFAULT_REQUIREMENT,
    force: Annotated[
        bool, typer.Option("--force", help="Promote regardless of the metrics; this is recorded.")
    ] = False,
    device: Annotated[Device, typer.Option(help="Device to classify on.")] = Device.AUTO,
) -> None:
    """Make a model the one for new runs and for queries, if it is not worse.

    It is measured against the model in use, and refused with a list of its losses. Its existing
    runs become current immediately, all together; castline rerun --stale makes the others.

    Example: castline models promote springfield@8 --dataset dataset
    """
    library: Library = context.obj
    found = library.promote(
        model,
        dataset=dataset,
        truths=[_episode_and_truth(text) for text in episodes or []],
        require=require,
        force=force,
        device=device,
    )
    reference = found.model
    if found.was_in_use:
        say(f"{reference}: is in use already")
        return
    _print_regressions(found.regressions, found.names)
    if not found.is_promoted:
        worse = {
            found.names[item.measured.label] if item.measured.label else item.measured.figure
            for item in found.regressions
        }
        raise RequestError(
            f"{reference}: not promoted, it is worse than the model in use by more than allowed:"
            f" {', '.join(sorted(worse))}; train a better one, or promote it with --force"
        )
    line = (
        f"{reference}: promoted; {_episodes(found.episodes)} its runs now in place of another"
        " model's; back: castline models rollback"
    )
    if found.others:
        line += f"; {_episodes(found.others)} another model's still: castline rerun --stale"
    say(line)


def rollback(context: typer.Context) -> None:
    """Undo the latest promotion: queries see again the runs that they saw before it.

    Example: castline models rollback
    """
    library: Library = context.obj
    done = library.rollback()
    line = (
        f"{done.in_use}: in use again in place of {done.withdrawn};"
        f" {_episodes(done.episodes)} another run than before;"
        f" back: castline models promote {done.withdrawn} --force"
    )
    if done.kept:
        line += f"; {_episodes(done.kept)} one of {done.withdrawn} still: castline rerun --stale"
    say(line)


def _episodes(count: int) -> str:
    return "1 episode shows" if count == 1 else f"{count} episodes show"


def _episode_and_truth(text: str) -> tuple[str, Path]:
    episode, equals, truth = text.rpartition("=")
    if not equals or not episode:
        raise RequestError(f"--episodes: {text!r} lacks a truth file; write EPISODE=TRUTH.csv")
    return episode, Path(truth)


def _print_regressions(found: tuple[Regression, ...], names: Mapping[str, str]) -> None:
    if not found:
        return
    rows = [
        (
            item.measured.figure,
            names[item.measured.label],
            item.measured.place,
            f"{item.measured.before:.3f}",
            f"{item.measured.after:.3f}",
            f"{item.measured.difference:+.3f}",
            f"{item.demand.least_difference:+g}",
        )
        for item in found
    ]
    columns = ("regressed", "character", "measured on", "before", "after", "change", "allowed")
    print_table(columns, rows, numbers="before after change allowed")
