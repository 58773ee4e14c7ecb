"""Add a label to a dense model, from a few stills of it and without stills of the other labels.

The network's weights stay unchanged, so that its predictions for other labels stay the same. The
new label gets its own output, trained on features (`model.adding.features`) of scenes composed of
its stills as positives, with examples of all others (`model.adding.examples`) as negatives.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.adding.card import added_report
from model.adding.column import Column
from model.adding.examples import Examples, distinct_places, examples_for, read_examples
from model.adding.features import DenseFeatures
from model.adding.learning import Learnt, Seen, learn_label
from model.adding.stills import AddedStills, read_added
from model.adding.views import Views, deal_out, plain_features, views_of
from model.dataset.folder import Dataset
from model.errors import ArtifactError, TrainingError
from model.inference.compiling import compile_version, keep_compiled
from model.labels import UNKNOWN, Names
from model.networks.named import network_of, weights_of
from model.pictures.preprocess import whole_frame_named
from model.progress import Progress
from model.recipe import STRONG
from model.recipe_changes import with_network_of
from model.version.artifact import ModelVersion, write_model_version
from model.version.manifest import Manifest
from model.version.provenance import Provenance

_KEPT_EXAMPLES: Final = 20
"""Number of pictures of an added label from which examples are kept, for labels that are added
later."""


def add_labels(
    start: ModelVersion,
    sources: Mapping[str, Sequence[Path]],
    output_folder: Path,
    name: str,
    version: str,
    *,
    provenance: Provenance,
    names: Names | None = None,
    dataset: Dataset | None = None,
    seed: int = 0,
    on_progress: Progress | None = None,
) -> ModelVersion:
    """Write a model version with additional labels.

    Args:
        start: The version that they are added to.
        sources: Sources of stills by label, as for `model.adding.stills.read_added`.
        output_folder: Folder of the new version; it must not exist.
        name: Name of the version's family.
        version: Version within the family.
        provenance: Texts for the manifest and the model card.
        names: Display names of the labels.
        dataset: Dataset with the start's labels, from whose train part examples are made; None to
            use the examples in the start.
        seed: Seed of scenes and folds.
        on_progress: Called while it works.

    Returns:
        The new model version.

    Raises:
        TrainingError: The start is not a dense model, has no examples, or already knows a label.
        StillsError: A folder or file does not exist, or a label has too few stills.
        DatasetError: The dataset is damaged.
        ArtifactError: The output folder exists, name, version or labels are not allowed, or the
            start is damaged.
    """
    tell = on_progress or (lambda _step, _done, _total: None)
    if output_folder.exists():
        raise ArtifactError(
            f"{output_folder}: exists, and a model version never changes; name another"
        )
    check_addition(start, list(sources), dataset)
    draft = replace(
        start.manifest,
        name=name,
        version=version,
        labels=(*start.manifest.labels, *sources),
        names=Names({**start.manifest.names, **(names or {})}),
        metrics={},
        licence=provenance.licence,
        examples_sha256="",
        weights_sha256="",
    )
    added = read_added(sources, tell)
    network = network_of(start)
    recipe = replace(with_network_of(STRONG, start.manifest), seed=seed)
    seen = DenseFeatures(network, int8=start.manifest.int8)
    if dataset is None:
        examples = read_examples(start)
    else:
        examples = examples_for(start, seen, dataset, recipe, tell)
    folds = deal_out(added, seed)
    views = views_of(added, folds, seen, recipe, tell)
    plain = plain_features(added.stills, seen, whole_frame_named(recipe.preprocessing))
    everything = Seen(added, folds, views, plain, examples, seen, start.manifest)
    learnt = {}
    for number, label in enumerate(added.labels):
        tell("Learning labels", number, len(added.labels))
        learnt[label] = learn_label(number, everything)
    tell("Learning labels", len(added.labels), len(added.labels))
    manifest = _completed(draft, added, learnt)
    report = added_report(
        manifest, start, added, {label: one.figures for label, one in learnt.items()}, provenance
    )
    made = write_model_version(
        output_folder,
        manifest,
        _extended(weights_of(network), [one.column for one in learnt.values()]),
        report,
        _with_added(examples, views, seen).to_bytes(),
    )
    keep_compiled(made, compile_version(made))
    return made


def check_addition(start: ModelVersion, labels: Sequence[str], dataset: Dataset | None) -> None:
    """Refuse labels that cannot be added.

    Raises:
        TrainingError: The start is not a dense model, has no examples and no dataset to make them,
            or already knows a label.
    """
    manifest = start.manifest
    if not manifest.is_dense:
        raise TrainingError(
            f"start {manifest.reference}: network {manifest.network} takes no further labels; "
            "train on a dataset that has them, with --start"
        )
    for label in labels:
        if label in (*manifest.labels, UNKNOWN):
            raise TrainingError(
                f"label {label}: {manifest.reference} knows it already; give the new stills in a "
                "dataset, with --start"
                if label != UNKNOWN
                else f"label {UNKNOWN}: cannot be added; it stands for all others"
            )
    if dataset is None and not manifest.examples_sha256:
        raise TrainingError(
            f"start {manifest.reference}: keeps no examples of what it knows; "
            "give the dataset that it was trained on, too"
        )


def _extended(
    weights: Mapping[str, NDArray[np.float32]], columns: Sequence[Column]
) -> dict[str, NDArray[np.float32]]:
    """Return a network's weights with outputs for additional labels."""
    kernel, bias = weights["logits/kernel"], weights["logits/bias"]
    more = np.stack([column.weights for column in columns], axis=-1)
    return {
        **weights,
        "logits/kernel": np.concatenate([kernel, more[None, None]], axis=-1).astype(np.float32),
        "logits/bias": np.append(bias, [column.bias for column in columns]).astype(np.float32),
    }


def _with_added(examples: Examples, views: Views, seen: DenseFeatures) -> Examples:
    """Return the examples with some of each added label."""
    labels = views.picture.shape[1] // 2
    chosen: list[int] = []
    for number in range(labels):
        of_label = np.flatnonzero(views.picture[:, number] > 0)
        chosen += of_label[np.linspace(0, len(of_label) - 1, _KEPT_EXAMPLES).astype(int)].tolist()
    features = views.features[sorted(set(chosen))].astype(np.float32)
    return examples.joined(distinct_places(seen, features))


def _completed(draft: Manifest, added: AddedStills, learnt: Mapping[str, Learnt]) -> Manifest:
    general = (draft.onset, draft.offset)
    thresholds: dict[str, tuple[float, float]] = {}
    metrics: dict[str, float] = {"stills_added": len(added.stills)}
    for label, one in learnt.items():
        if one.thresholds != general:
            thresholds[label] = one.thresholds
        metrics[f"{label}_recall"] = one.figures.recall
        metrics[f"{label}_false_share"] = one.figures.false_share
    data = f"{draft.training_data_sha256} {added.fingerprint}"
    return replace(
        draft,
        label_thresholds={**draft.label_thresholds, **thresholds},
        metrics=metrics,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        training_data_sha256=hashlib.sha256(data.encode()).hexdigest(),
    )
