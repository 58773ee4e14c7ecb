"""The report of a model version that was made by adding labels to another."""

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
"""The card of the version that labels were added to."""

_MAX_CARD_BYTES: Final = 1 << 20  # ours have 10 kB
_OFTEN: Final = 0.05
"""Share of a label's stills from which it is told that another is said to be in them."""


@dataclass(frozen=True)
class AddedFigures:
    """How well a label that was added is told apart; on stills held out in turn."""

    stills: int
    """That it was learnt from."""
    groups: int
    """Of them, near-duplicates counted once."""
    boxed: int
    """Of them, those with a box of the label."""
    recall: float
    """Share of its stills in which it is said to be."""
    scene_recall: float
    """Share of the scenes made of its stills in which it is: from closer, small, beside others."""
    false_share: float
    """Share of the examples of others in which it is."""
    taken_for: Mapping[str, float]
    """Share of its stills in which each label that was known before is said to be."""

    @property
    def often_taken_for(self) -> dict[str, float]:
        """Those that are said to be in too many of its stills."""
        return {label: share for label, share in self.taken_for.items() if share >= _OFTEN}


def added_report(
    manifest: Manifest,
    start: ModelVersion,
    added: AddedStills,
    figures: Mapping[str, AddedFigures],
    provenance: Provenance,
) -> dict[str, bytes]:
    """Return the contents of the report's files by their names.

    Args:
        manifest: of the version.
        start: that the labels were added to.
        added: their stills.
        figures: of each label.
        provenance: for the model card.
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

Says which of {len(manifest.labels)} characters are in a frame: those of {start.reference}, and
{", ".join(manifest.names[label] for label in figures)}.

**Terms of use.** {manifest.licence}

## Made by
    {provenance.command}

All weights of {start.reference} stayed as they were: of the labels that it knew it gives the same
answers, with the same thresholds. Its own card is `{START_CARD}`. Each further label has an output
of its own, learnt from scenes made of its stills, against examples of all others.

## Added
{provenance.about_stills} {len(added.stills)} were used, {added.left_out} files were not.
Fingerprint: `{added.fingerprint}`.

| label | stills | different | with a box | found | found in scenes | false | onset | offset |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
{_rows(manifest, figures)}

Each quarter of a label's stills, near-duplicates together, was held out in turn: *found* is the
share of the stills in which the label is said to be by what was learnt from the other three, *found
in scenes* that of pictures made of them, in which it is smaller, varied, or beside others, and
*false* that of the examples of others. Confidence and thresholds are of the same answers, one in
twenty of the label among those of others; the output that is kept learnt from all stills.

{_taken(figures)}

## Limits
- Few stills show few poses: where the label is missed, add stills that show it so.
- Who was not among the examples of others may be taken for a label that was added.
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
        f"{other} is said to be in {100 * share:.0f} % of the stills of {label}."
        for label, one in figures.items()
        for other, share in one.often_taken_for.items()
    ]
    if not lines:
        return "No label that was known before is said to be in the stills of those added."
    return "\n".join([*lines, "Unless they are there, such a model takes one for the other."])
