"""`castline train --add`: add labels to a model, from few stills of each."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from castline.errors import ModelError
from castline.library import Library
from castline.models.training import Training
from castline.models.values import Trained
from cli.console import say
from cli.progress import step_bars


def add(
    library: Library, dataset: Path | None, additions: Sequence[str], training: Training
) -> None:
    """Add labels to a model, and print how well each is recognised.

    Args:
        library: The library with the model.
        dataset: The model's training dataset, needed where the model keeps no examples of it.
        additions: LABEL=FOLDER each.
        training: Only its start, seed, name and texts count.
    """
    if training.start is None:
        raise ModelError("--add: no model to add to; name it with --start MODEL")
    sources = _sources(additions)
    with step_bars() as show_step:
        made = library.add_labels(sources, training, dataset=dataset, on_progress=show_step)
    _say_what_was_made(made)


def refuse_without_use(options: Mapping[str, object]) -> None:
    """Refuse options of ordinary training, which have no effect on adding a label.

    Raises:
        ModelError: One of them was given.
    """
    given = [name for name, value in options.items() if value]
    if given:
        raise ModelError(
            f"{', '.join(given)}: not allowed with --add, which keeps the network; leave it out"
        )


def _sources(additions: Sequence[str]) -> dict[str, list[Path]]:
    """Return folders by the labels' names as they were written."""
    sources: dict[str, list[Path]] = {}
    for addition in additions:
        end = addition.find("=", 1)  # a name may begin with an equals sign
        name, folder = addition[: max(end, 0)], addition[end + 1 :]
        if not (name and folder):
            raise ModelError(f"--add {addition}: is not LABEL=FOLDER, such as otto=stills/otto")
        sources.setdefault(name, []).append(Path(folder))
    return sources


def _say_what_was_made(made: Trained) -> None:
    metrics = made.metrics
    for label in made.added:
        recall, false = metrics[f"{label}_recall"], metrics[f"{label}_false_share"]
        say(
            f"{made.names[label]}: found in {100 * recall:.0f} % of its stills when held "
            f"out, in {100 * false:.1f} % of the examples of others"
        )
    say(f"Model card: {made.folder / 'report'}")
    say(f"Use it: castline tag EPISODE --model {made.model}")
