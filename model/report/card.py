"""The model card: a Markdown description of a model version."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Final

from model.dataset.folder import DatasetManifest
from model.dataset.split import PARTS
from model.evaluation.metrics import BINS, KNOWN_RECALL, UnknownScore
from model.evaluation.predictions import Figures, Overfitting
from model.labels import UNKNOWN, known_labels
from model.recipe import Recipe
from model.report.card_kinds import (
    about_confidence,
    all_labels,
    limits_of_looks,
    looks_at,
    wrong_answer,
)
from model.version.manifest import Manifest

_MARKUP: Final = re.compile(r"[\\`*_{}\[\]()<>#+!|~-]")  # characters with a meaning in Markdown


def model_card(
    manifest: Manifest,
    recipe: Recipe,
    teachers: Sequence[Manifest],
    start: Manifest | None,
    dataset: DatasetManifest,
    figures: Figures,
    overfitting: Overfitting,
    *,
    about_stills: str,
    about_thresholds: str,
    command: str,
) -> str:
    """Return the card's text.

    Args:
        manifest: The version's manifest.
        recipe: The recipe that it was trained with.
        teachers: Manifests of the teachers that it was distilled from.
        start: Manifest of the version whose weights initialised it, if any.
        dataset: The dataset that it was trained on.
        figures: Its metrics on the test stills.
        overfitting: The overfitting of the final network.
        about_stills: The source of the stills, in a sentence or two.
        about_thresholds: The choice of onset and offset, in a sentence or two.
        command: The command that made the version.
    """
    return f"""# {manifest.name} {manifest.version}

Tells which of {len(known_labels(manifest.labels))} characters a frame shows: {_in_words(manifest)}.

**Terms of use.** {manifest.licence}

## Trained on
{about_stills}

{parts_table(dataset)}

{_split(dataset)} Fingerprint of the stills: `{dataset.fingerprint_sha256}`.

## Made by
    {command}

Network `{manifest.network}` ({_inline(manifest.network_parameters)}), preprocessing
`{manifest.preprocessing}`, {looks_at(manifest)}.
Recipe: {_recipe(recipe, teachers)}.{_start(start, recipe, dataset)}

## Figures
On the test stills, which influenced no choice, each classified as a whole:

| figure | |
| --- | --- |
| accuracy | {figures.score.accuracy:.4f} |
| macro-F1 | {figures.score.macro_f1:.4f} |
| expected calibration error ({BINS} bins) | {figures.reliability.error:.4f} |
{_unknown_rows(figures.unknown)}

Accuracy on the training stills is {overfitting.train_accuracy:.4f}, on the validation stills
{overfitting.validation_accuracy:.4f}: {100 * overfitting.difference:.1f} points of overfitting.

By label, on the test stills of known characters{wrong_answer(manifest)}:

| label | test stills | precision | recall | F1 | onset | offset |
| --- | --- | --- | --- | --- | --- | --- |
{_label_rows(manifest, figures)}

## Confidence and thresholds
{about_confidence(manifest)} An appearance starts at a label's onset and ends below its
offset; labels without their own use {manifest.onset:.2f} and {manifest.offset:.2f}.
{about_thresholds}

{_about_int8(manifest)}

## Unknown
{_about_unknown(manifest, dataset)}
The score that separates known from unknown characters is the largest confidence of
{all_labels(manifest)}. Tags store the same confidence, so the threshold that starts an appearance
also rejects unknown characters. A frame in which no label reaches its onset shows no known one.

## Limits
{_limits(manifest, dataset)}
{limits_of_looks(manifest)}
- Labels with few stills are recognised less well: see the table.
"""


def _in_words(manifest: Manifest) -> str:
    """Return the names of the labels, as plain text in Markdown."""
    names = (manifest.names[label] for label in known_labels(manifest.labels))
    return ", ".join(_MARKUP.sub(r"\\\g<0>", name) for name in names)


def parts_table(dataset: DatasetManifest) -> str:
    """Return a Markdown table of the number of stills of each label, in total and in each part."""
    by_label = zip(*(dataset.counts[part] for part in PARTS), strict=True)
    rows = [*zip(dataset.labels, by_label, strict=True)]
    rows.append(("total", tuple(sum(dataset.counts[part]) for part in PARTS)))
    lines = [f"| {name} | {_cells((sum(counts), *counts))} |" for name, counts in rows]
    head = [f"| label | stills | {_cells(PARTS)} |", "| --- |" + " --- |" * (1 + len(PARTS))]
    return "\n".join([*head, *lines])


def _cells(values: Iterable[object]) -> str:
    return " | ".join(map(str, values))


def _split(dataset: DatasetManifest) -> str:
    if dataset.split == "grouped":
        return (
            "Split by groups of near-duplicates (a 256-bit difference hash, within 24 bits), so "
            "that no test\nstill has a near-duplicate in training."
        )
    return (
        f"Split at random: {dataset.test_with_train_twin} of the {sum(dataset.counts['test'])} "
        "test stills have a near-duplicate in training,\nwhich makes the figures too good."
    )


def _inline(values: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())


def _recipe(recipe: Recipe, teachers: Sequence[Manifest]) -> str:
    """Return the recipe's fields except those at 0 and the network, which stands above."""
    if not recipe.epochs:
        return _inline({"epochs": 0, "closer_view": recipe.closer_view, "seed": recipe.seed})
    told = {"network", "network_parameters", "preprocessing"}
    if teachers:
        named = f". Teachers: {', '.join(teacher.reference for teacher in teachers)}"
    else:
        told, named = told | {"taught"}, ""
    done = {
        name: value
        for name, value in asdict(recipe).items()
        if name == "seed" or (value and name not in told)
    }
    return _inline(done) + named


def _start(start: Manifest | None, recipe: Recipe, dataset: DatasetManifest) -> str:
    if start is None:
        return ""
    weights = "weights" if start.network == recipe.network else "first layers' weights"
    began = (
        f"It began with the {weights}"
        if recipe.epochs
        else "It was not trained: its weights are those"
    )
    said = f" {began} of {start.reference}"
    if start.training_data_sha256 == dataset.fingerprint_sha256:
        return (
            f"{said}, which was trained on the same stills:\n"
            "if they were split differently there, the figures are too good."
        )
    return (
        f"{said}, which was trained on other stills:\n"
        "if some of these are test stills here, the figures are too good."
    )


def _unknown_rows(unknown: UnknownScore | None) -> str:
    if unknown is None:
        return "| detection of unknown | not measured: no test still shows anybody else |"
    return (
        f"| AUROC of known against {unknown.stills} stills of others | {unknown.auroc:.4f} |\n"
        f"| of those, accepted where {KNOWN_RECALL:.0%} of the known are "
        f"| {unknown.false_positive_rate:.4f} |"
    )


def _label_rows(manifest: Manifest, figures: Figures) -> str:
    general = (manifest.onset, manifest.offset)
    rows = []
    for row in figures.score.per_label:
        onset, offset = manifest.label_thresholds.get(row.label, general)
        rows.append(
            f"| {row.label} | {row.stills} | {row.precision:.3f} | {row.recall:.3f} "
            f"| {row.f1:.3f} | {onset:.2f} | {offset:.2f} |"
        )
    return "\n".join(rows)


def _stills_of_others(manifest: Manifest, dataset: DatasetManifest) -> int:
    """Return the number of training stills of others."""
    if UNKNOWN not in manifest.labels and not manifest.is_dense:
        return 0
    return dict(zip(dataset.labels, dataset.counts["train"], strict=True)).get(UNKNOWN, 0)


def _about_unknown(manifest: Manifest, dataset: DatasetManifest) -> str:
    stills = _stills_of_others(manifest, dataset)
    if manifest.is_dense and stills:
        return (
            f"It was trained with {stills} stills of others, as negatives. It has no output for "
            "them: where\nno label is likely, there is no known character."
        )
    if UNKNOWN not in manifest.labels:
        return "It was never trained with anybody else, and has no output for others."
    return (
        f"`{UNKNOWN}` is one of its outputs, trained with {stills} stills of others; "
        "it takes confidence\naway from the labels where no known character is, and is never a tag."
    )


def _about_int8(manifest: Manifest) -> str:
    agreement = manifest.metrics.get("int8_agreement", 0.0)
    same = f"{100 * agreement:.2f} % of the validation stills get the same label as in 32"
    if manifest.int8:
        return f"CPUs compute it in 8 bits: {same}. These figures were measured in 8 bits."
    return f"CPUs compute it in 32 bits: in 8 bits only {same}."


def _limits(manifest: Manifest, dataset: DatasetManifest) -> str:
    known = len(manifest.labels) - (UNKNOWN in manifest.labels)
    rest = (
        "Characters unlike any among the stills of others\n  can still be mistaken for one of them."
        if _stills_of_others(manifest, dataset)
        else "It makes most mistakes on characters without\n  a label and on pictures of other "
        "series: it can show doubt by low confidence only."
    )
    return f"- It knows its {known} characters and no others. {rest}"
