"""Comparing two model versions on the stills of one dataset, or on episodes."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.comparing_episodes import compare_episodes
from cli.console import Json, print_json, print_table, say
from model.artifact import find_model
from model.errors import DatasetError
from model.split import PARTS
from worker.workplace import open_workplace

if TYPE_CHECKING:
    from model.answers import Figures
    from model.artifact import ModelVersion
    from model.comparison import Change, Comparison
    from model.dataset import Dataset
    from model.labels import Names


def compare(
    context: typer.Context,
    first: Annotated[str, typer.Argument(metavar="A", help="NAME or NAME@VERSION.")],
    second: Annotated[str, typer.Argument(metavar="B", help="The one that may replace it.")],
    dataset: Annotated[
        Path | None, typer.Argument(help="Made by castline dataset build.", show_default=False)
    ] = None,
    episodes: Annotated[
        list[str] | None,
        typer.Option(help="Compare their runs over this episode instead; may be given again."),
    ] = None,
    html: Annotated[
        Path | None, typer.Option(help="With --episodes: write a page with pictures, too.")
    ] = None,
    part: Annotated[
        str | None, typer.Option(help="Of the dataset: test, the default; validation or train.")
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(help="Where to classify the dataset: auto, the default; cpu or gpu."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Compare two models on one dataset, or on episodes that both were run over.

    On a dataset: F1 per label, and which stills B answers right and A does not, or the other way
    round. On episodes: the seconds of each character that B gains, loses and leaves unchanged.

    Example: castline models compare springfield@7 springfield@8 dataset
    """
    if (dataset is None) == (not episodes):
        raise typer.BadParameter("give a dataset or --episodes")
    if dataset is None:
        if part is not None or device is not None:
            raise typer.BadParameter("--part and --device are for a dataset, not for --episodes")
        with open_workplace(context.obj) as place:
            names = episodes or []
            compare_episodes(place, first, second, names, page=html, as_json=as_json)
        return
    if html is not None:
        raise typer.BadParameter("--html is for --episodes, not for a dataset")
    from model.comparison import compare_answers
    from model.dataset import open_dataset
    from worker.measuring import answers_of

    part = "test" if part is None else part
    device = "auto" if device is None else device
    if part not in PARTS:
        raise DatasetError(f"--part {part!r}: is none of {', '.join(PARTS)}")
    folders = [context.obj.models_folder]
    versions = find_model(first, folders), find_model(second, folders)
    opened = open_dataset(dataset)
    found = compare_answers(*(answers_of(version, opened, part, device) for version in versions))
    if as_json:
        print_json(_comparison_json(found, versions, opened, part))
    else:
        _print_comparison(found, versions, opened.manifest.names)


def _print_comparison(
    found: "Comparison", versions: tuple["ModelVersion", "ModelVersion"], names: "Names"
) -> None:
    rows = [
        (
            names[each.label],
            str(each.stills),
            _share(each.first_f1),
            _share(each.second_f1),
            _difference(each.difference),
            str(each.gained),
            str(each.lost),
        )
        for each in found.labels
    ]
    columns = ("F1 of character", "stills", "A", "B", "B-A", "gained", "lost")
    print_table(columns, rows, numbers="stills A B B-A gained lost")
    say("")
    _print_figures(found)
    for letter, version in zip("AB", versions, strict=True):
        say(f"{letter} is {version.manifest.reference}, {version.folder}")
    say(
        f"B gains {len(found.gained)} stills and loses {len(found.lost)}; were both equally good,"
        f" so uneven a change would come about with probability {found.chance:.2g}."
    )


def _print_figures(found: "Comparison") -> None:
    figures = [_figures(each) for each in (found.first, found.second)]
    rows = [
        (name, _share(a), _share(b), _difference(None if a is None or b is None else b - a))
        for (name, a), b in zip(figures[0].items(), figures[1].values(), strict=True)
        if a is not None or b is not None
    ]
    print_table(("figure", "A", "B", "B-A"), rows, numbers="A B B-A")


def _figures(figures: "Figures") -> dict[str, float | None]:
    unknown = figures.unknown
    return {
        "accuracy": figures.score.accuracy,
        "macro-F1": figures.score.macro_f1,
        "calibration error": figures.reliability.error,
        "unknown: AUROC": unknown.auroc if unknown else None,
        "unknown: false positives at 95 % recall": (
            unknown.false_positive_rate if unknown else None
        ),
    }


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _difference(value: float | None) -> str:
    return "" if value is None else f"{value:+.3f}"


def _comparison_json(
    found: "Comparison",
    versions: tuple["ModelVersion", "ModelVersion"],
    dataset: "Dataset",
    part: str,
) -> dict[str, Any]:
    first, second = versions
    sources = _sources(dataset, part, (*found.gained, *found.lost))
    return {
        "dataset": str(dataset.folder),
        "part": part,
        "first": _model_json(first, found.first),
        "second": _model_json(second, found.second),
        "labels": [
            {
                "label": each.label,
                "stills": each.stills,
                "first_f1": each.first_f1,
                "second_f1": each.second_f1,
                "difference": each.difference,
                "gained": each.gained,
                "lost": each.lost,
            }
            for each in found.labels
        ],
        "gained": [_change_json(each, sources) for each in found.gained],
        "lost": [_change_json(each, sources) for each in found.lost],
        "chance": found.chance,
    }


def _model_json(version: "ModelVersion", figures: "Figures") -> dict[str, Any]:
    unknown = figures.unknown
    return {
        "model": version.manifest.reference,
        "sha256": version.sha256,
        "accuracy": figures.score.accuracy,
        "macro_f1": figures.score.macro_f1,
        "calibration_error": figures.reliability.error,
        "unknown": {
            "stills": unknown.stills,
            "auroc": unknown.auroc,
            "false_positive_rate_at_95_recall": unknown.false_positive_rate,
        }
        if unknown
        else None,
    }


def _change_json(change: "Change", sources: dict[int, str]) -> dict[str, str]:
    return {
        "source": sources[change.index],
        "label": change.truth,
        "first_answer": change.first_answer,
        "second_answer": change.second_answer,
    }


def _sources(dataset: "Dataset", part: str, changes: tuple["Change", ...]) -> dict[int, str]:
    """The files that the changed stills came from, by the stills' places in the part."""
    from model.shards import read_part

    wanted = {change.index for change in changes}
    records = enumerate(read_part(dataset.shard_paths(part)))
    return {index: record.source for index, record in records if index in wanted}
