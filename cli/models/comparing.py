"""Compare two model versions on the stills of one dataset, or on episodes."""

from pathlib import Path
from typing import Annotated

import typer

from castline import Device
from castline.library import Library
from castline.models.comparison import Comparison, ModelFigures
from cli.console import Json, print_json, print_table, say
from cli.models.comparing_episodes import print_comparison


def compare(
    context: typer.Context,
    first: Annotated[str, typer.Argument(metavar="A", help="NAME or NAME@VERSION.")],
    second: Annotated[str, typer.Argument(metavar="B", help="The model that may replace A.")],
    dataset: Annotated[
        Path | None,
        typer.Argument(help="A dataset from castline dataset build.", show_default=False),
    ] = None,
    episodes: Annotated[
        list[str] | None,
        typer.Option(help="Compare their runs on this episode instead; may be repeated."),
    ] = None,
    html: Annotated[
        Path | None, typer.Option(help="With --episodes: also write a page with pictures.")
    ] = None,
    part: Annotated[
        str | None, typer.Option(help="Set of the dataset: test (default), validation or train.")
    ] = None,
    device: Annotated[
        Device | None,
        typer.Option(help="Device to classify the dataset on; default auto."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Compare two models on one dataset, or on episodes with runs of both.

    On a dataset: F1 per label, and the stills that only A or only B classifies correctly. On
    episodes: the seconds of each character that B gains, loses and leaves unchanged.

    Example: castline models compare springfield@7 springfield@8 dataset
    """
    if (dataset is None) == (not episodes):
        raise typer.BadParameter("give a dataset or --episodes")
    library: Library = context.obj
    if dataset is None:
        if part is not None or device is not None:
            raise typer.BadParameter("--part and --device are for a dataset, not for --episodes")
        changes = library.compare_on_episodes(first, second, episodes or [], page=html)
        if html is not None:
            say(f"Wrote {html}")
        if as_json:
            print_json(changes.to_dict())
        else:
            print_comparison(changes, library.names())
        return
    if html is not None:
        raise typer.BadParameter("--html is for --episodes, not for a dataset")
    part = "test" if part is None else part
    device = Device.AUTO if device is None else device
    found = library.compare(first, second, dataset, part=part, device=device)
    if as_json:
        print_json(found.to_dict())
    else:
        _print_comparison(found)


def _print_comparison(found: Comparison) -> None:
    rows = [
        (
            found.names[each.label],
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
    for letter, model in (("A", found.first), ("B", found.second)):
        say(f"{letter} is {model.model}, {model.folder}")
    say(
        f"B gains {len(found.gained)} stills and loses {len(found.lost)}; were both equally good,"
        f" so uneven a change would come about with probability {found.chance:.2g}."
    )


def _print_figures(found: Comparison) -> None:
    figures = [_figures(each) for each in (found.first, found.second)]
    rows = [
        (name, _share(a), _share(b), _difference(None if a is None or b is None else b - a))
        for (name, a), b in zip(figures[0].items(), figures[1].values(), strict=True)
        if a is not None or b is not None
    ]
    print_table(("figure", "A", "B", "B-A"), rows, numbers="A B B-A")


def _figures(model: ModelFigures) -> dict[str, float | None]:
    unknown = model.unknown
    return {
        "accuracy": model.accuracy,
        "macro-F1": model.macro_f1,
        "calibration error": model.calibration_error,
        "unknown: AUROC": unknown.auroc if unknown else None,
        "unknown: false positives at 95 % recall": (
            unknown.false_positive_rate_at_95_recall if unknown else None
        ),
    }


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _difference(value: float | None) -> str:
    return "" if value is None else f"{value:+.3f}"
