"""The model card: what a model version is, in Markdown, for people."""

from dataclasses import asdict, fields

from model.manifest import Manifest
from model.recipe import Recipe
from model.scores import Score


def model_card(
    manifest: Manifest, recipe: Recipe, score: Score, about_stills: str, command: str
) -> str:
    """Return the card's text.

    Args:
        manifest: of the version.
        recipe: by which it was trained.
        score: on its test stills.
        about_stills: where they come from, a sentence or two.
        command: that made the version.
    """
    metrics = manifest.metrics
    return f"""# {manifest.name} {manifest.version}

Says which of {len(manifest.labels)} characters are in a frame: {", ".join(manifest.labels)}.

**Terms of use.** {manifest.licence}

## Trained on
{about_stills}
Fingerprint of the stills: `{manifest.training_data_sha256}`.

Split by groups of near-duplicates (a 256-bit difference hash, within 24 bits), so that no test
still has a near-twin in training: {metrics["stills_train"]:.0f} to train,
{metrics["stills_validation"]:.0f} to validate, {metrics["stills_test"]:.0f} to test.

## Made by
    {command}

Network `{manifest.network}` {_inline(dict(manifest.network_parameters))}, preprocessing
`{manifest.preprocessing}`, regions {", ".join(manifest.regions)}. Recipe:
{_recipe(recipe)}.

## Figures
| on | accuracy | macro-F1 |
| --- | --- | --- |
| test stills, by which nothing was chosen | {metrics["accuracy"]:.3f} | {metrics["macro_f1"]:.3f} |
| training stills | {metrics["train_accuracy"]:.3f} | |

| label | test stills | precision | recall | F1 |
| --- | --- | --- | --- | --- |
{_rows(score)}

## Confidence and thresholds
Confidence is softmax(logits / {manifest.temperature:.3f}), the temperature fitted on the validation
stills. An appearance starts at {manifest.onset:.2f} and ends below {manifest.offset:.2f}. Both were
chosen on {metrics["rehearsal_frames"]:.0f} frames put together from validation stills: one
character in a full frame, two in its halves, and strangers, alone or beside a character, for whom
stills turned upside down stand in. The onset is where micro-F1 is highest there
({metrics["rehearsal_micro_f1"]:.3f}); the offset is the lowest confidence, up to the onset, that a
label which is not on screen reaches in at most 1 % of the frames with someone else. No episode was
used.

## Limits
- It knows its {len(manifest.labels)} characters and nobody else. Characters without a label and
  pictures of other series are what it gets wrong most: it has no way yet to say that it does not
  know, other than low confidence.
- It looks at full frames and their left and right halves. Three characters abreast, or small ones
  far away, are mostly missed.
- Labels with few stills are recognised less well: see the table.
"""


def _inline(values: dict[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())


def _recipe(recipe: Recipe) -> str:
    shown = [field.name for field in fields(Recipe) if not field.name.startswith("network")]
    return _inline({name: asdict(recipe)[name] for name in shown})


def _rows(score: Score) -> str:
    return "\n".join(
        f"| {row.label} | {row.stills} | {row.precision:.3f} | {row.recall:.3f} | {row.f1:.3f} |"
        for row in score.per_label
    )
