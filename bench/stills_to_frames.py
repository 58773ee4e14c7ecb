"""Measure the benefit of each step from stills to frames, on episodes with known truth.

    python -m bench.stills_to_frames [--model NAME@VERSION or folder] [EPISODE...]

Each EPISODE has an EPISODE.truth.csv beside it. Labels that occur in none of these do not count,
because the truth does not name the other characters in the stills of a composed episode. All
thresholds are those of the model version, chosen on validation stills; none are chosen on the
episodes. Prints the table in Markdown.
"""

import argparse
import tempfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.episode_frames import StoredEpisode, store_frames, version_named
from ingest.decoder.parent import Decoder
from model.inference.classifier import FLOOR, Classifier
from model.labels import UNKNOWN
from model.version.manifest import Manifest
from timeline.appearances.from_tags import Tag, find_appearances
from timeline.appearances.rules import Rules
from timeline.scoring.score import Score, frame_level_score
from timeline.scoring.truth import LabelledRange, read_truth
from worker.parameters import RunParameters

EPISODES: Final = tuple(
    Path("../shared/video") / name
    for name in ("springfield_composed_240s.mp4", "springfield_composed_pillarbox_90s.mp4")
)
SAMPLES_PER_SECOND: Final = 2


@dataclass(frozen=True)
class Seen:
    """A classifier's output for an episode's frames."""

    regions: tuple[str, ...]
    labels: tuple[str, ...]
    confidences: NDArray[np.float64]
    """(frames, regions, labels); if `unknown` is one of them, they sum to 1 in each region."""
    sampled_pts: tuple[int, ...]
    """(frames,)"""
    cuts: tuple[int, ...]
    """The first frames of shots."""
    start_pts: int
    end_pts: int
    time_base: Fraction


@dataclass(frozen=True)
class Step:
    """One way from confidences to ranges."""

    name: str
    regions: tuple[str, ...]
    """The regions that count."""
    unknown_competes: bool
    """Whether `unknown` takes its share of each region's confidence."""
    rules: Rules


def steps_of(manifest: Manifest) -> tuple[Step, ...]:
    """Return the steps, each of which includes the one before."""
    full = RunParameters.for_model(manifest).rules
    onset = manifest.onset
    one = Rules(onset=onset, offset=onset)
    own = {label: (first, first) for label, (first, _) in manifest.label_thresholds.items()}
    calibrated = Rules(onset=onset, offset=onset, label_thresholds=own)
    without = " (this version has none)"
    no_unknown = "" if UNKNOWN in manifest.labels else without
    all_regions = " + ".join(manifest.regions)
    return (
        Step(f"full only, one threshold of {onset:g}", ("full",), False, one),
        Step(f"{all_regions}, the same threshold", manifest.regions, False, one),
        Step(
            f"+ thresholds per label{'' if own else without}", manifest.regions, False, calibrated
        ),
        Step(f"+ unknown{no_unknown}", manifest.regions, True, calibrated),
        Step(
            "+ hysteresis: offsets and durations",
            manifest.regions,
            True,
            replace(full, shots=None),
        ),
        Step(
            "+ cuts (where the recogniser tells places, tagging follows them besides)",
            manifest.regions,
            True,
            full,
        ),
    )


def ranges_of(step: Step, seen: Seen) -> list[LabelledRange]:
    """Return the ranges that a step finds in an episode, in seconds from its first frame."""
    found = find_appearances(
        list(_tags(step, seen)),
        seen.sampled_pts,
        seen.end_pts,
        seen.time_base,
        step.rules,
        cuts=seen.cuts,
    )
    return [
        LabelledRange(
            item.label,
            (item.start_pts - seen.start_pts) * seen.time_base,
            (item.end_pts - seen.start_pts) * seen.time_base,
        )
        for item in found
    ]


def score_step(
    step: Step, seen: Seen, truth: Sequence[LabelledRange], counted: Collection[str]
) -> Score:
    """Score a step on the counted labels of an episode, at 2 samples per second."""
    duration_seconds = (seen.end_pts - seen.start_pts) * seen.time_base
    samples = range(ceil(duration_seconds * SAMPLES_PER_SECOND))
    sample_seconds = [Fraction(number, SAMPLES_PER_SECOND) for number in samples]
    found = [one for one in ranges_of(step, seen) if one.label in counted]
    return frame_level_score(truth, found, sample_seconds)


def table(names: Sequence[str], scored: Sequence[tuple[str, Sequence[Score]]]) -> str:
    """Return the Markdown table: a row per step, two columns per episode."""
    head = "".join(f" {name}: micro-F1 | false tags, nobody on screen |" for name in names)
    rows = [
        f"| {step} |"
        + "".join(
            f" {one.micro_f1:.3f} | {one.false_tag_samples} of {one.samples_with_nobody}"
            f" ({one.false_tag_samples / max(one.samples_with_nobody, 1):.1%}) |"
            for one in scores
        )
        for step, scores in scored
    ]
    return "\n".join([f"| step |{head}", "|---|" + "---:|---:|" * len(names), *rows])


def main() -> None:
    arguments = _arguments()
    version = version_named(arguments.model)
    classifier = Classifier.load(version)
    with tempfile.TemporaryDirectory(prefix="castline-bench-") as folder, Decoder() as decoder:
        seen = [
            look(classifier, store_frames(path, decoder, Path(folder)))
            for path in arguments.episodes
        ]
    truths = [read_truth(path.with_name(f"{path.name}.truth.csv")) for path in arguments.episodes]
    counted = {one.label for truth in truths for one in truth}
    scored = [
        (step.name, [score_step(step, *pair, counted) for pair in zip(seen, truths, strict=True)])
        for step in steps_of(version.manifest)
    ]
    print(f"{version.manifest.reference}, {SAMPLES_PER_SECOND} samples per second\n")
    print(table([path.stem for path in arguments.episodes], scored))


def look(classifier: Classifier, episode: StoredEpisode) -> Seen:
    """Run a classifier on an episode's frames."""
    # small ones: four minutes fill 60 MB
    frames = list(episode.frames())
    confidences = classifier.confidences([frame.picture for frame in frames])
    manifest, probe = classifier.version.manifest, episode.probe
    return Seen(
        manifest.regions,
        manifest.labels,
        confidences,
        tuple(frame.pts for frame in frames),
        episode.cuts,
        probe.start_pts,
        probe.end_pts,
        probe.time_base,
    )


def _tags(step: Step, seen: Seen) -> Iterator[Tag]:
    """Yield the tags that tagging would write: each label's best region, from the floor on."""
    of_regions = seen.confidences[:, [seen.regions.index(region) for region in step.regions]]
    known = [number for number, label in enumerate(seen.labels) if label != UNKNOWN]
    confidences = of_regions[..., known]
    if not step.unknown_competes and UNKNOWN in seen.labels:
        # equals the softmax of the known labels' logits alone
        confidences = confidences / confidences.sum(axis=-1, keepdims=True)
    best = confidences.max(axis=1)
    for frame, column in np.argwhere(best >= FLOOR).tolist():
        label = seen.labels[known[column]]
        yield Tag(seen.sampled_pts[frame], label, min(float(best[frame, column]), 1.0))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("episodes", nargs="*", type=Path, default=EPISODES)
    parser.add_argument("--model", help="NAME, NAME@VERSION or a folder; the bundled one if none")
    return parser.parse_args()


if __name__ == "__main__":
    main()
