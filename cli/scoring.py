"""How good a timeline is: evaluate."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.console import Json, print_json, print_table, require_tagged_episode, say
from model.labels import Names
from timeline.times import parse_time
from worker.workplace import open_workplace

if TYPE_CHECKING:
    from timeline.evaluation import Evaluation
    from timeline.score import LabelScore, Score


def add_commands(app: typer.Typer) -> None:
    """Adds this group's commands."""
    app.command()(evaluate)


def evaluate(
    context: typer.Context,
    episode: Annotated[str, typer.Argument(help="Name, part of a name, path or SHA-256.")],
    truth: Annotated[
        Path, typer.Argument(help="A .csv (label,start_seconds,end_seconds) or .rttm.")
    ],
    collar: Annotated[
        str,
        typer.Option(
            metavar="SECONDS",
            help="Leave so much around each true border out of the score, half of it on each side.",
        ),
    ] = "0",
    as_json: Json = False,
) -> None:
    """Compare the timeline of an episode with what is known to be true.

    Example: castline evaluate pilot.mkv pilot.csv --collar 0.25
    """
    from timeline.evaluation import evaluate_timeline
    from worker.answers import detections
    from worker.names import names_of, read_named_truth

    collar_seconds = parse_time(collar)
    with open_workplace(context.obj) as place, place.database.read() as connection:
        known = require_tagged_episode(connection, episode)
        ranges = read_named_truth(connection, truth)
        found = detections(connection, known)
        names = names_of(connection)
    result = evaluate_timeline(
        ranges, found, known.duration_seconds, known.frame_rate, collar_seconds
    )
    if as_json:
        print_json(
            {"episode": known.name, "collar_seconds": float(collar_seconds), **_json(result)}
        )
    else:
        _print(result, names)


def _print(result: "Evaluation", names: Names) -> None:
    print_table(
        ("character", "precision", "recall", "F1", "true (s)", "found (s)"),
        [
            (
                *_row(names[each.label], result.frames.per_label.get(each.label)),
                f"{float(each.true_seconds):.1f}",
                f"{float(each.found_seconds):.1f}",
            )
            for each in result.screen_time
        ],
        numbers="precision recall F1",
    )
    say("")
    rows = {"all, micro": result.frames.total}
    for name, score in result.by_number_on_screen.items():
        rows[f"{name} on screen"] = score.total
    for name, score in result.by_shot_length.items():
        rows[f"shots of {name}"] = score.total
    print_table(
        ("frames", "precision", "recall", "F1"),
        [_row(name, counts) for name, counts in rows.items()],
        numbers="precision recall F1",
    )
    say("")
    print_table(("figure", "value"), [(name, value) for name, value in _figures(result).items()])


def _row(name: str, counts: "LabelScore | None") -> tuple[str, str, str, str]:
    if counts is None:  # the collar covers all of it
        return name, "", "", ""
    return name, f"{counts.precision:.3f}", f"{counts.recall:.3f}", f"{counts.f1:.3f}"


def _figures(result: "Evaluation") -> dict[str, str]:
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
        "screen-time error": _share(result.screen_time_error),
        "false tags with nobody known on screen": (
            f"{frames.false_tag_samples} of {frames.samples_with_nobody} frames"
        ),
    }


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _json(result: "Evaluation") -> dict[str, Any]:
    errors = result.errors
    return {
        **_score_json(result.frames),
        "macro_precision": result.frames.macro_precision,
        "macro_recall": result.frames.macro_recall,
        "macro_f1": result.frames.macro_f1,
        "labels": {label: counts_json(counts) for label, counts in result.frames.per_label.items()},
        "by_number_on_screen": {
            name: _score_json(score) for name, score in result.by_number_on_screen.items()
        },
        "by_shot_length": {
            name: _score_json(score) for name, score in result.by_shot_length.items()
        },
        "identification": {
            "error_rate": errors.rate,
            "total_seconds": float(errors.total),
            "correct_seconds": float(errors.correct),
            "confused_seconds": float(errors.confused),
            "missed_seconds": float(errors.missed),
            "false_alarm_seconds": float(errors.false_alarm),
        },
        "average_precision_50": result.average_precision_50,
        "average_precision_50_95": result.average_precision_50_95,
        "screen_time_error": result.screen_time_error,
        "screen_time": [
            {
                "label": each.label,
                "true_seconds": float(each.true_seconds),
                "found_seconds": float(each.found_seconds),
            }
            for each in result.screen_time
        ],
    }


def _score_json(score: "Score") -> dict[str, Any]:
    return {
        "frames": score.samples,
        **counts_json(score.total),
        "frames_with_nobody": score.samples_with_nobody,
        "false_tag_frames": score.false_tag_samples,
    }


def counts_json(counts: "LabelScore") -> dict[str, Any]:
    """Return what was counted of labels, and the shares that follow, as `--json` has them."""
    return {
        "true_positives": counts.true_positives,
        "false_positives": counts.false_positives,
        "false_negatives": counts.false_negatives,
        "precision": counts.precision,
        "recall": counts.recall,
        "f1": counts.f1,
    }
