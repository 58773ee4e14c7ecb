"""The report of a model version with added labels."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Final

from model.adding.stills import AddedStills
from model.errors import ArtifactError
from model.version.artifact import MODEL_CARD, REPORT, ModelVersion
from model.version.manifest import Manifest
from model.version.provenance import Provenance
from model.version.safe_files import read_regular_file

START_CARD: Final = "start_model_card.md"
"""The model card of the version that labels were added to."""

_MAX_CARD_BYTES: Final = 1 << 20  # a usual one has 10 kB
_OFTEN: Final = 0.05
"""Share of a label's stills from which a false prediction in them is reported."""


@dataclass(frozen=True)
class AddedFigures:
    """The metrics of an added label, by cross-validation."""

    stills: int
    """Number of stills that it was trained on."""
    groups: int
    """Number of groups of near-duplicates among them."""
    boxed: int
    """Number of them with a box of the label."""
    recall: float
    """Share of its stills in which it is predicted."""
    scene_recall: float
    """Share of its scenes in which it is predicted: zoomed in, small, beside others."""
    false_share: float
    """Share of the examples of others in which it is predicted."""
    taken_for: Mapping[str, float]
    """Share of its stills in which each earlier label is predicted."""

    @property
    def often_taken_for(self) -> dict[str, float]:
        """The labels that are predicted in too many of its stills."""
        return {label: share for label, share in self.taken_for.items() if share >= _OFTEN}


def added_report(
    manifest: Manifest,
    start: ModelVersion,
    added: AddedStills,
    figures: Mapping[str, AddedFigures],
    provenance: Provenance,
) -> dict[str, bytes]:
    """Return the contents of the report's files by name.

    Args:
        manifest: The manifest of the new version.
        start: The version that the labels were added to.
        added: The stills of the added labels.
        figures: The metrics of each added label.
        provenance: Texts for the model card.
    """
    content = {
        "start": {"reference": start.manifest.reference, "sha256": start.sha256},
        "fingerprint_sha256": added.fingerprint,
        "left_out": added.left_out,
        "added": {label: asdict(one) for label, one in figures.items()},
    }
    pages = {
        MODEL_CARD: _card(manifest, start.manifest, added, figures, provenance).encode(),
        "report.json": json.dumps(content, indent=1, ensure_ascii=False).encode() + b"\n",
    }
    with suppress(ArtifactError):  # a version may have no report
        pages[START_CARD] = read_regular_file(start.folder / REPORT / MODEL_CARD, _MAX_CARD_BYTES)
    return pages


def _card(
    manifest: Manifest,
    start: Manifest,
    added: AddedStills,
    figures: Mapping[str, AddedFigures],
    provenance: Provenance,
) -> str:
    return f"""# {manifest.name} {manifest.version}

Tells which of {len(manifest.labels)} characters a frame shows: those of {start.reference}, and
{", ".join(manifest.names[label] for label in figures)}.

**Terms of use.** {manifest.licence}

## Made by
    {provenance.command}

All weights of {start.reference} are unchanged: for the labels that it knew, predictions and
thresholds stay the same. Its own card is `{START_CARD}`. Each added label has an output of its own,
trained on scenes composed of its stills, with examples of all others as negatives.

## Added
{provenance.about_stills} {len(added.stills)} were used, {added.left_out} files were not.
Fingerprint: `{added.fingerprint}`.

| label | stills | different | with a box | found | found in scenes | false | onset | offset |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
{_rows(manifest, figures)}

The figures are cross-validated over quarters of a label's stills, with near-duplicates together:
*found* is the share of the held-out stills in which the label is predicted, *found in scenes* that
of pictures composed of them, in which it is smaller, augmented, or beside others, and *false* that
of the examples of others. The same predictions determine confidence and thresholds, with one in
twenty of the label among those of others; the final output was trained on all stills.

{_taken(figures)}

## Limits
- Few stills show few poses: where the label is missed, add stills of that kind.
- Characters that were not among the examples of others may be mistaken for an added label.
"""


def _rows(manifest: Manifest, figures: Mapping[str, AddedFigures]) -> str:
    rows = []
    for label, one in figures.items():
        pair = manifest.label_thresholds.get(label, (manifest.onset, manifest.offset))
        rows.append(
            f"| {label} | {one.stills} | {one.groups} | {one.boxed} | {one.recall:.3f} "
            f"| {one.scene_recall:.3f} | {one.false_share:.3f} | {pair[0]:.2f} | {pair[1]:.2f} |"
        )
    return "\n".join(rows)


def _taken(figures: Mapping[str, AddedFigures]) -> str:
    lines = [
        f"{other} is predicted in {100 * share:.0f} % of the stills of {label}."
        for label, one in figures.items()
        for other, share in one.often_taken_for.items()
    ]
    if not lines:
        return "No earlier label is predicted in the stills of those added."
    return "\n".join([*lines, "Unless they are there, the model mistakes one for the other."])
