"""Show, set and reset the thresholds at which a model's appearances start and end."""

from dataclasses import dataclass, replace

from castline.asking.cast import Cast, names_of
from castline.asking.times import Time, exact_seconds
from castline.errors import NotFoundError, RequestError
from castline.models.in_use import chosen_model
from castline.models.values import Changed, LabelThresholds, Thresholds
from castline.progress import Progress
from castline.tables import columns_of
from castline.tagging.enqueue import model_record
from castline.tagging.run_models import keep_model
from castline.tagging.thresholds import own_thresholds, thresholds_in_use
from db.changes.thresholds import write_thresholds
from db.changes.writes import register_model_version
from db.engine import Transaction
from model.inference.classifier import FLOOR
from model.labels import UNKNOWN
from model.version.artifact import ModelVersion
from timeline.appearances.rules import Rules
from timeline.errors import TimelineError
from worker.installation import Installation
from worker.parameters import thresholds_json
from worker.steps.rederiving import rederive


def thresholds(installation: Installation, model: str | None) -> Thresholds:
    """Return the thresholds of a model; see `Library.thresholds`."""
    version = chosen_model(installation, model)
    with installation.database.read() as connection:
        rules = thresholds_in_use(connection, version)
    own = own_thresholds(version)
    rows = tuple(
        LabelThresholds(label, *rules.thresholds(label), *own.thresholds(label))
        for label in sorted(_labels(version))
    )
    return Thresholds(
        rows,
        columns_of(LabelThresholds),
        model=version.manifest.reference,
        min_duration_on_seconds=rules.min_duration_on_seconds,
        min_duration_off_seconds=rules.min_duration_off_seconds,
    )


@dataclass(frozen=True)
class Wish:
    """The values to change; None leaves a value unchanged."""

    label: str | None = None
    """Only for this label; None for all, including those with their own thresholds."""
    onset: float | None = None
    offset: float | None = None
    min_duration_on: Time | None = None
    min_duration_off: Time | None = None

    def __post_init__(self) -> None:
        durations = (self.min_duration_on, self.min_duration_off)
        if self.label is not None and durations != (None, None):
            raise RequestError("--label: least durations are those of all labels; leave it out")
        if (self.onset, self.offset, *durations) == (None,) * 4:
            raise RequestError("thresholds set: nothing to set; give --onset or --offset, say")
        if self.offset is not None and self.offset < FLOOR:
            raise RequestError(
                f"--offset {self.offset:g}: tags are kept from a confidence of {FLOOR:g}; give that"
                " or more"
            )


def set_thresholds(
    installation: Installation, wish: Wish, model: str | None, on_progress: Progress
) -> Changed:
    """Set thresholds, and derive all appearances again; see `Library.set_thresholds`."""
    version = chosen_model(installation, model)
    with installation.database.read() as connection:
        label = None if wish.label is None else _label(connection, version, wish.label)
        rules = thresholds_in_use(connection, version)
    try:
        after = _changed(rules, label, wish)
    except TimelineError as error:
        raise RequestError(f"{error}; give --onset and --offset together") from error
    return _change(installation, version, rules, after, on_progress)


def reset_thresholds(
    installation: Installation, label: str | None, model: str | None, on_progress: Progress
) -> Changed:
    """Restore a model's original thresholds; see `Library.reset_thresholds`."""
    version = chosen_model(installation, model)
    own = own_thresholds(version)
    with installation.database.read() as connection:
        name = None if label is None else _label(connection, version, label)
        rules = thresholds_in_use(connection, version)
    after = own if name is None else _with_label(rules, name, own.thresholds(name))
    return _change(installation, version, rules, after, on_progress)


def _change(
    installation: Installation,
    version: ModelVersion,
    before: Rules,
    after: Rules,
    on_progress: Progress,
) -> Changed:
    own = own_thresholds(version)
    rules = own if _plain(after) == _plain(own) else _plain(after)
    keep_model(installation.settings, version)
    with installation.database.write() as connection:
        key = register_model_version(connection, model_record(version))

    def write(connection: Transaction) -> None:
        if thresholds_in_use(connection, version) != before:
            raise RequestError("thresholds: somebody else set some meanwhile; look, and set again")
        write_thresholds(connection, key, None if rules is own else thresholds_json(rules))

    done = rederive(
        installation.database, key, rules, write, lambda count, of: on_progress("runs", count, of)
    )
    return Changed(version.manifest.reference, done.runs, done.appearances)


def _changed(rules: Rules, label: str | None, wish: Wish) -> Rules:
    def pair(onset: float, offset: float) -> tuple[float, float]:
        return (
            onset if wish.onset is None else wish.onset,
            offset if wish.offset is None else wish.offset,
        )

    if label is not None:
        return _with_label(rules, label, pair(*rules.thresholds(label)))
    onset, offset = pair(rules.onset, rules.offset)
    on, off = wish.min_duration_on, wish.min_duration_off
    return Rules(
        onset=onset,
        offset=offset,
        min_duration_on_seconds=rules.min_duration_on_seconds if on is None else exact_seconds(on),
        min_duration_off_seconds=(
            rules.min_duration_off_seconds if off is None else exact_seconds(off)
        ),
        label_thresholds={
            name: pair(*thresholds) for name, thresholds in rules.label_thresholds.items()
        },
    )


def _with_label(rules: Rules, label: str, pair: tuple[float, float]) -> Rules:
    return replace(rules, label_thresholds={**rules.label_thresholds, label: pair})


def _plain(rules: Rules) -> Rules:
    """Drop label thresholds that equal the common ones, so that equal rules have equal text."""
    usual = (rules.onset, rules.offset)
    kept = {label: pair for label, pair in rules.label_thresholds.items() if pair != usual}
    return replace(rules, label_thresholds=kept, shots=None)


def _labels(version: ModelVersion) -> tuple[str, ...]:
    return tuple(label for label in version.manifest.labels if label != UNKNOWN)


def _label(connection: Transaction, version: ModelVersion, reference: str) -> str:
    """Return the one label of a model that a name stands for."""
    cast = Cast(_labels(version), names_of(connection))
    fitting = cast.fitting(reference)
    if len(fitting) == 1:
        return fitting[0]
    found = f"several labels fit: {', '.join(fitting)}; name one" if fitting else "no such label"
    hint = "" if fitting else f"; {version.manifest.reference} has {', '.join(cast.labels)}"
    raise NotFoundError(f"{reference}: {found}{hint}")
