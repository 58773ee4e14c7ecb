"""Promoting a model version, and going back to the one before."""

from pathlib import Path
from typing import Annotated

import typer

from cli.console import print_table, require_episode, say
from db.engine import Transaction
from db.promotions import roll_back
from db.records import EpisodeRecord
from model.artifact import ModelVersion, find_model
from model.labels import Names
from worker.errors import WorkerError
from worker.gate import DEFAULT_REQUIREMENT, Measured, Regression
from worker.names import names_of, read_named_truth
from worker.workplace import Workplace, open_workplace


def promote(
    context: typer.Context,
    model: Annotated[str, typer.Argument(metavar="NAME[@VERSION]", help="What to promote.")],
    dataset: Annotated[
        Path | None, typer.Option(help="Measure both models on the test set of this dataset.")
    ] = None,
    episodes: Annotated[
        list[str] | None,
        typer.Option(
            metavar="EPISODE=TRUTH.csv",
            help="Measure both models' runs over this episode, too; may be given again.",
        ),
    ] = None,
    require: Annotated[
        str, typer.Option(help="The least that figures may change by.")
    ] = DEFAULT_REQUIREMENT,
    force: Annotated[
        bool, typer.Option("--force", help="Whatever the figures say; that is recorded.")
    ] = False,
    device: Annotated[str, typer.Option(help="Where to classify: auto, cpu or gpu.")] = "auto",
) -> None:
    """Make a model the one that new runs use and queries see, if it is not worse.

    It is measured against the model in use, and refused with what it loses. Its runs that are there
    are shown at once, all together; castline rerun --stale makes the others.

    Example: castline models promote springfield@8 --dataset dataset
    """
    from worker.promoting import promote as promote_version
    from worker.promoting import sha256_in_use

    version = find_model(model, [context.obj.models_folder])
    reference = version.manifest.reference
    with open_workplace(context.obj) as place:
        if sha256_in_use(place) == version.sha256:
            say(f"{reference}: is in use already")
            return
        measured = _measured(place, version, dataset, episodes or [], device)
        found = promote_version(place, version, require, measured, force=force)
        with place.database.read() as connection:
            names = Names({**names_of(connection), **version.manifest.names})
    _print_regressions(found.regressions, names)
    if not found.is_promoted:
        worse = {
            names[item.measured.label] if item.measured.label else item.measured.figure
            for item in found.regressions
        }
        raise WorkerError(
            f"{reference}: not promoted, it is worse than the model in use by more than allowed:"
            f" {', '.join(sorted(worse))}; train a better one, or promote it with --force"
        )
    say(
        f"{reference}: promoted; {found.episodes} episodes show its runs now, in place of another"
        " model's. The others: castline rerun --stale"
    )


def rollback(context: typer.Context) -> None:
    """Take the latest promotion back: queries see again what they saw before it.

    Example: castline models rollback
    """
    with open_workplace(context.obj) as place, place.database.write() as connection:
        done = roll_back(connection)
    line = (
        f"{done.in_use.model}: in use again in place of {done.withdrawn.model};"
        f" {done.episodes} episodes show the runs that they showed before"
    )
    if done.kept:
        line += f", {done.kept} still one of {done.withdrawn.model}: castline rerun --stale"
    say(line)


def _measured(
    place: Workplace,
    after: ModelVersion,
    dataset: Path | None,
    episodes: list[str],
    device: str,
) -> list[Measured]:
    from model.dataset import open_dataset
    from worker.measuring import measured_on_dataset, measured_on_episode
    from worker.promoting import model_in_use

    measured: list[Measured] = []
    if dataset is None and not episodes:
        return measured
    before = model_in_use(place)
    with place.database.read() as connection:
        scored = [_scored_episode(connection, text) for text in episodes]
        for episode, path in scored:
            truth = read_named_truth(connection, path)
            measured += measured_on_episode(connection, before, after, episode, truth)
    if dataset is not None:
        measured += measured_on_dataset(before, after, open_dataset(dataset), device)
    return measured


def _scored_episode(connection: Transaction, text: str) -> tuple[EpisodeRecord, Path]:
    episode, equals, truth = text.rpartition("=")
    if not equals or not episode:
        raise WorkerError(f"--episodes: {text!r} names no truth; write EPISODE=TRUTH.csv")
    return require_episode(connection, episode), Path(truth)


def _print_regressions(found: tuple[Regression, ...], names: Names) -> None:
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
