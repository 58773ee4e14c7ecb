"""`castline train --add`: labels more for a model, from few stills of each."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cli.console import say
from cli.progress import step_bars
from model.labels import Names, require_label_of

if TYPE_CHECKING:
    from model.artifact import ModelVersion
    from worker.settings import Settings


def add(
    settings: "Settings",
    dataset: Path | None,
    start: str | None,
    additions: Sequence[str],
    *,
    seed: int,
    name: str | None,
    texts: Mapping[str, str],
) -> None:
    """Adds labels to a model and says how well each is told apart.

    Args:
        settings: where models are.
        dataset: of what the start knows, where it keeps no examples of that.
        start: the model.
        additions: LABEL=FOLDER each.
        seed: of scenes.
        name: of the version's family; None for the start's.
        texts: fields of `model.testing.Words`; its licence is the start's unless one is given.
    """
    from model.adding import add_labels
    from model.artifact import find_model, next_version
    from model.dataset import open_dataset
    from model.errors import TrainingError
    from model.testing import Words

    if start is None:
        raise TrainingError("--add: no model to add to; name it with --start MODEL")
    sources, names = _sources(additions)
    begun = find_model(start, [settings.models_folder])
    family = begun.manifest.name if name is None else name
    version = next_version(family, [settings.models_folder])
    with step_bars() as show_step:
        made = add_labels(
            begun,
            sources,
            settings.models_folder / f"{family}-{version}",
            family,
            version,
            dataset=None if dataset is None else open_dataset(dataset),
            seed=seed,
            names=names,
            words=Words(**{"licence": begun.manifest.licence, **texts}),
            on_progress=show_step,
        )
    _say_what_was_made(made, list(sources))


def refuse_without_use(options: Mapping[str, object]) -> None:
    """Refuses options that say how a network learns, of which adding a label has no use.

    Raises:
        TrainingError: one of them was given.
    """
    from model.errors import TrainingError

    given = [name for name, value in options.items() if value]
    if given:
        raise TrainingError(
            f"{', '.join(given)}: of no use with --add, which leaves the network as it is; "
            "leave it out"
        )


def _sources(additions: Sequence[str]) -> tuple[dict[str, list[Path]], Names]:
    """Folders by label, and the labels' names as they were written."""
    from model.errors import TrainingError

    sources: dict[str, list[Path]] = {}
    names = Names()
    for addition in additions:
        end = addition.find("=", 1)  # a name may begin with one
        name, folder = addition[: max(end, 0)], addition[end + 1 :]
        if not (name and folder):
            raise TrainingError(f"--add {addition}: is not LABEL=FOLDER, such as otto=stills/otto")
        sources.setdefault(require_label_of(name, "--add"), []).append(Path(folder))
        names.note(name)
    return sources, names


def _say_what_was_made(made: "ModelVersion", labels: Sequence[str]) -> None:
    metrics = made.manifest.metrics
    for label in labels:
        recall, false = metrics[f"{label}_recall"], metrics[f"{label}_false_share"]
        say(
            f"{made.manifest.names[label]}: found in {100 * recall:.0f} % of its stills when held "
            f"out, in {100 * false:.1f} % of the examples of others"
        )
    say(f"Model card: {made.folder / 'report'}")
    say(f"Use it: castline tag EPISODE --model {made.manifest.reference}")
