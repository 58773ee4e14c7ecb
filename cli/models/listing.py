"""Commands for model versions: list, show, import."""

from pathlib import Path
from typing import Annotated

import typer

from castline.library import Library
from castline.models.values import Model, Promotion
from cli.console import (
    DryRun,
    Json,
    Yes,
    confirm_removal,
    megabytes,
    print_json,
    print_table,
    say,
    say_error,
)
from cli.models.comparing import compare
from cli.models.promoting import promote, rollback
from cli.tagging.report import EXIT_PARTIAL

Reference = Annotated[
    str, typer.Argument(metavar="NAME[@VERSION]", help="A model; NAME is its newest version.")
]


def add_commands(app: typer.Typer) -> None:
    """Add this group's commands."""
    group = typer.Typer(help="Show and manage model versions.", no_args_is_help=True)
    group.command("list")(list_all)
    group.command()(show)
    group.command("import")(import_folder)
    group.command()(compare)
    group.command()(promote)
    group.command()(rollback)
    group.command()(remove)
    app.add_typer(group, name="models")


def list_all(context: typer.Context, as_json: Json = False) -> None:
    """List the installed model versions, the newest first.

    Example: castline models list
    """
    library: Library = context.obj
    found = library.models()
    if as_json:
        print_json(found.to_dicts())
    else:
        print_table(
            ("model", "labels", "accuracy", "macro-F1", "created", "promoted", "default", "folder"),
            [
                (
                    each.model,
                    str(len(each.labels)),
                    _figure(each, "accuracy"),
                    _figure(each, "macro_f1"),
                    each.created_at[:10],
                    _promoted(each.promotions),
                    "yes" if each.is_default else "",
                    str(each.folder),
                )
                for each in found
            ],
            numbers="labels accuracy macro-F1",
        )
    for error in found.unreadable:
        say_error(error)
    raise typer.Exit(EXIT_PARTIAL if found.unreadable else 0)


def show(context: typer.Context, model: Reference, as_json: Json = False) -> None:
    """Show a model version: its labels, thresholds, metrics and the path of its report.

    Example: castline models show springfield
    """
    library: Library = context.obj
    found = library.model(model)
    if as_json:
        print_json(found.to_dict())
        return
    rows = [
        ("sha256", found.sha256),
        ("created", found.created_at),
        ("folder", str(found.folder)),
        ("report", str(found.report or "none")),
        ("model card", str(found.model_card or "none")),
        ("network", f"{found.network}, weights of {found.weights_bytes / 1e6:.1f} MB"),
        *((f"  {name}", str(value)) for name, value in found.network_parameters.items()),
        ("preprocessing", found.preprocessing),
        ("regions", ", ".join(found.regions)),
        ("closer view", f"{found.closer_view:g} of the side" if found.closer_view else "none"),
        (
            "glance",
            f"at {found.glance_side} px, {found.glance_clear:g} is enough"
            if found.glance_side
            else "none",
        ),
        ("loss", found.loss or "not written down"),
        ("temperature", f"{found.temperature:.3f}"),
        ("training data", f"sha256 {found.training_data_sha256}"),
        ("terms", found.licence),
        *((name, f"{value:.6g}") for name, value in found.metrics.items()),
    ]
    rows += [("promoted", _describe(each)) for each in found.promotions]
    heading = "used by default" if found.is_default else ""
    print_table((found.model, heading), rows)
    say("")
    _print_thresholds(found)


def import_folder(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="A model version's folder.", show_default=False)],
) -> None:
    """Check a model version's folder and copy it into the library.

    Example: castline models import downloads/springfield-4
    """
    library: Library = context.obj
    imported = library.import_model(folder)
    reference, place = imported.model, imported.folder
    if imported.is_new:
        say(f"{reference}: imported to {place}; use it with --model {reference}")
    else:
        say(f"{reference}: is there already, in {place}")


def remove(
    context: typer.Context,
    model: Reference,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Remove a model version with its runs, after showing them.

    Example: castline models remove springfield@7 --dry-run
    """
    library: Library = context.obj
    removal = library.plan_model_removal(model)
    if as_json:
        print_json(removal.to_dict())
    else:
        rows = [
            (f"{removal.model}, {removal.folder}", "1", megabytes(removal.size_bytes)),
            ("runs", str(len(removal.runs)), ""),
            ("  their tags", str(removal.tags), ""),
            ("  their appearances", str(removal.appearances), ""),
            ("  episodes that show them", str(removal.episodes_shown), ""),
        ]
        print_table(("removed", "count", "size"), rows, numbers="count size")
    if dry_run:
        return
    confirm_removal("models remove", yes=yes)
    library.remove_model(removal.model)
    say("Removed.")


def _promoted(promotions: tuple[Promotion, ...]) -> str:
    standing = [each for each in promotions if each.withdrawn_at is None]
    if not standing:
        return ""
    return f"{standing[-1].promoted_at:%Y-%m-%d}{' by force' if standing[-1].is_forced else ''}"


def _describe(promotion: Promotion) -> str:
    parts = [f"{promotion.promoted_at:%Y-%m-%d %H:%M} UTC"]
    if promotion.requirement:
        parts.append(f"required {promotion.requirement}")
    if promotion.is_forced:
        parts += ["by force", *promotion.regressions]
    if promotion.withdrawn_at:
        parts.append(f"rolled back {promotion.withdrawn_at:%Y-%m-%d %H:%M} UTC")
    return "; ".join(parts)


def _figure(model: Model, name: str) -> str:
    value = model.metrics.get(name)
    return "" if value is None else f"{value:.3f}"


def _print_thresholds(model: Model) -> None:
    rows = []
    for label in model.known_labels:
        onset, offset = model.thresholds(label)
        own = "own" if label in model.label_thresholds else ""
        rows.append((model.names[label], label, f"{onset:.3f}", f"{offset:.3f}", own))
    print_table(("character", "label", "onset", "offset", ""), rows, numbers="onset offset")
