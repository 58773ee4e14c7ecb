"""The command that scores a timeline: evaluate."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from castline.asking.scoring import Evaluation
from castline.corrections.values import Audit
from castline.library import Library
from cli.console import (
    LARGEST_INTEGER,
    Json,
    OfModel,
    OfRun,
    Raw,
    answer,
    print_json,
    print_table,
    say,
)


def add_commands(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command()(evaluate)


def evaluate(
    context: typer.Context,
    episode: Annotated[
        str | None, typer.Argument(help="Name, part of a name, path or SHA-256.")
    ] = None,
    truth: Annotated[
        Path | None,
        typer.Argument(help="A .csv (label,start_seconds,end_seconds), .rttm, .vtt, .srt or .eaf."),
    ] = None,
    collar: Annotated[
        str,
        typer.Option(
            metavar="SECONDS",
            help="Seconds around each true border that are not scored, half on each side.",
        ),
    ] = "0",
    renamed: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="OLD=NEW",
            help="Read the truth's label OLD as NEW; may be given again.",
        ),
    ] = None,
    run: OfRun = None,
    model: OfModel = None,
    audit: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=LARGEST_INTEGER,
            metavar="N",
            help="In place of a truth: how many of N moments drawn by lot people found right.",
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, max=LARGEST_INTEGER, help="Of the lot of --audit.")
    ] = 0,
    raw: Raw = False,
    as_json: Json = False,
) -> None:
    """Compare the timeline of an episode with a truth file.

    Without a truth, --audit estimates the precision of all episodes, or of one, from a sample that
    castline review --audit lists for people to judge.

    Example: castline evaluate pilot.mkv pilot.csv --collar 0.25
    """
    library: Library = context.obj
    if audit is not None:
        if truth is not None:
            raise typer.BadParameter("give one of TRUTH and --audit")
        _print_audit(library.audit(audit, episode=episode, seed=seed), as_json)
        return
    if episode is None or truth is None:
        raise typer.BadParameter("give an episode and its truth, or --audit N")
    found = library.evaluate(
        episode,
        truth,
        collar=collar,
        run=run,
        model=model,
        renamed=_changes(renamed or []),
        raw=raw,
    )
    _say_what_was_understood(found)
    if found.corrections:
        say(f"{found.corrections} corrections count in it; --raw leaves them out.")
    if as_json:
        print_json(found.to_dict())
    else:
        _print(found, library.names())


def _print_audit(found: Audit, as_json: bool) -> None:
    if as_json:
        print_json(found.to_dict())
    elif found.precision is None:
        say(
            f"None of {len(found)} moments was judged yet; castline review --audit {len(found)}"
            " lists them"
        )
    else:
        answer(
            f"precision {found.precision:.3f}, 95 % confidence {found.low:.3f} to {found.high:.3f}:"
            f" {found.right} of {found.judged} moments are right"
        )
        if left := len(found) - found.judged:
            say(f"{left} of {len(found)} moments are not judged yet and do not count")


def _changes(texts: Sequence[str]) -> dict[str, str]:
    changes = {}
    for text in texts:
        old, equals, new = text.partition("=")
        if not (old and equals and new):
            raise typer.BadParameter(f"{text!r} is not OLD=NEW", param_hint="--map")
        changes[old] = new
    return changes


def _say_what_was_understood(found: Evaluation) -> None:
    """Print possible reasons for a surprising score: labels that cannot be found."""
    for name, label in found.taken.items():
        say(f"The truth's {name} is taken for {label}")
    for label, close in found.absent_labels.items():
        hint = f"did you mean {' or '.join(close)}? " if close else ""
        say(f"No model here has the truth's {label}; {hint}--map {label}=LABEL reads it as another")
    if found.unsayable_labels:
        say(f"{found.model} cannot give {', '.join(found.unsayable_labels)}: all of it is missed")


def _print(found: Evaluation, names: Mapping[str, str]) -> None:
    print_table(
        ("character", "precision", "recall", "F1", "true (s)", "found (s)"),
        [
            (
                names[each.label],
                *map(_share, (each.precision, each.recall, each.f1)),
                f"{each.true_seconds:.1f}",
                f"{each.found_seconds:.1f}",
            )
            for each in found.labels
        ],
        numbers="precision recall F1",
    )
    say("")
    figures = found.figures
    rows = {"all, micro": figures.frames.total}
    for name, score in figures.by_number_on_screen.items():
        rows[f"{name} on screen"] = score.total
    for name, score in figures.by_shot_length.items():
        rows[f"shots of {name}"] = score.total
    print_table(
        ("frames", "precision", "recall", "F1"),
        [
            (name, *map(_share, (counts.precision, counts.recall, counts.f1)))
            for name, counts in rows.items()
        ],
        numbers="precision recall F1",
    )
    say("")
    print_table(("figure", "value"), [(name, value) for name, value in _figures(found).items()])


def _figures(found: Evaluation) -> dict[str, str]:
    result = found.figures
    frames, errors = result.frames, result.errors
    parts = (errors.confused, errors.missed, errors.false_alarm)
    confused, missed, false_alarm = (f"{float(seconds):.1f} s" for seconds in parts)
    return {
        "macro-F1": f"{frames.macro_f1:.3f}",
        "identification error rate": (
            f"{errors.rate:.3f}: {confused} confused, {missed} missed, {false_alarm} false alarm"
            f" of {float(errors.total):.1f} s"
        ),
        "average precision, IoU 0.5": _share(result.average_precision_50),
        "average precision, IoU 0.5 to 0.95": _share(result.average_precision_50_95),
        "border error": _border_error(found),
        "screen-time error": _share(result.screen_time_error),
        "false tags with nobody known on screen": (
            f"{frames.false_tag_samples} of {frames.samples_with_nobody} frames"
        ),
    }


def _border_error(found: Evaluation) -> str:
    borders = found.figures.borders
    matched = f"{len(borders.seconds)} of {borders.borders} borders matched"
    median, high = borders.median_seconds, borders.percentile_seconds(90)
    if median is None or high is None:
        return matched
    return f"{median * 1000:.0f} ms in the median, {high * 1000:.0f} ms in 90 %; {matched}"


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
