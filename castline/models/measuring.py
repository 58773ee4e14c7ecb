"""Measure two model versions on the same stills and the same episodes."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from castline.asking.timelines import labelled_ranges
from castline.errors import RequestError
from castline.models.gate import Measured
from db.engine import Transaction
from db.library.current import RunSelection
from db.library.runs import selected_run_of
from db.records import EpisodeRecord, RunRecord
from exact.ranges import PtsRange, clip
from model.errors import DatasetError
from model.inference.device import Device
from model.version.artifact import ModelVersion
from timeline.scoring.score import Score, frame_level_score
from timeline.scoring.truth import LabelledRange

if TYPE_CHECKING:
    from model.dataset.folder import Dataset
    from model.evaluation.predictions import Predictions

SCORED_EVERY_SECONDS = Fraction(1, 2)
"""The default sampling interval: the time between two samples was never examined."""


def predictions_of(
    version: ModelVersion, dataset: "Dataset", part: str, device: Device
) -> "Predictions":
    """Classify every still of a part with a model version.

    Raises:
        DatasetError: The dataset does not fit the model; the message names it and says why.
    """
    from model.evaluation.recogniser import Recogniser, predict_part
    from model.inference.classifier import Classifier

    recogniser = Recogniser.of(Classifier.load(version, device=device))
    try:
        return predict_part(recogniser, dataset, part)
    except DatasetError as error:
        raise DatasetError(f"{version.manifest.reference}: {error}") from error


def measured_on_dataset(
    before: ModelVersion, after: ModelVersion, dataset: "Dataset", device: Device
) -> list[Measured]:
    """Return accuracy and F1 of both models on the dataset's test set."""
    from model.evaluation.comparison import compare_predictions

    found = compare_predictions(
        predictions_of(before, dataset, "test", device),
        predictions_of(after, dataset, "test", device),
    )
    first, second = found.first.score, found.second.score
    place = str(dataset.folder)
    return [
        Measured(place, "accuracy", "", first.accuracy, second.accuracy),
        Measured(place, "macro_f1", "", first.macro_f1, second.macro_f1),
        *(
            Measured(place, "per_label_f1", each.label, each.first_f1, each.second_f1)
            for each in found.labels
            if each.first_f1 is not None and each.second_f1 is not None
        ),
    ]


def measured_on_episode(
    connection: Transaction,
    before: ModelVersion,
    after: ModelVersion,
    episode: EpisodeRecord,
    truth: Sequence[LabelledRange],
) -> list[Measured]:
    """Return F1 of both models' own runs over an episode with a truth.

    Raises:
        RequestError: One of the models has no run over it, or they examined different parts.
    """
    runs = [run_by(connection, version, episode) for version in (before, after)]
    examined = clip([runs[0].examined], *runs[1].examined)
    if not examined:
        raise RequestError(
            f"{episode.name}: runs {runs[0].id} and {runs[1].id} examined different parts of it;"
            " run: castline rerun --missing"
        )
    first, second = (
        score_at_samples(
            episode, examined[0], labelled_ranges(connection, episode, RunSelection(run.id)), truth
        )
        for run in runs
    )
    return list(_by_label(episode.name, first, second))


def run_by(connection: Transaction, version: ModelVersion, episode: EpisodeRecord) -> RunRecord:
    """Return a model's own run over an episode.

    Raises:
        RequestError: It has no run over the episode.
    """
    selection = RunSelection(model_sha256=version.sha256)
    run = selected_run_of(connection, episode.id, selection)
    if run is None:
        reference = version.manifest.reference
        raise RequestError(
            f"{episode.name}: no run by {reference} that ended; run:"
            f" castline rerun --all {episode.sha256[:8]} --model {reference}"
        )
    return run


def score_at_samples(
    episode: EpisodeRecord,
    examined: PtsRange,
    found: Sequence[LabelledRange],
    truth: Sequence[LabelledRange],
) -> Score:
    """Compare found and true ranges at two samples per second of what was examined."""
    start, end = map(episode.seconds_at, examined)
    count = int(episode.duration_seconds / SCORED_EVERY_SECONDS)
    times = [number * SCORED_EVERY_SECONDS for number in range(count)]
    return frame_level_score(truth, found, [time for time in times if start <= time < end])


def _by_label(place: str, first: Score, second: Score) -> Iterator[Measured]:
    labels = sorted({*first.per_label, *second.per_label})
    # For a model, a label that is absent from the truth and from its timeline has F1 1.
    pairs = {
        label: tuple(
            score.per_label[label].f1 if label in score.per_label else 1.0
            for score in (first, second)
        )
        for label in labels
    }
    yield Measured(place, "micro_f1", "", first.micro_f1, second.micro_f1)
    if pairs:
        macro = [sum(each) / len(pairs) for each in zip(*pairs.values(), strict=True)]
        yield Measured(place, "macro_f1", "", macro[0], macro[1])
    for label, (before, after) in pairs.items():
        yield Measured(place, "per_label_f1", label, before, after)
