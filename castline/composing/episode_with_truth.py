"""Compose an episode with its truth from labelled stills, to measure a timeline on."""

from dataclasses import replace as with_changes
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from castline.composing.composition import (
    MEASURING_PART,
    Composition,
    compose_episode,
    open_negative,
)
from castline.composing.episode_files import truth_file_of
from castline.errors import RequestError
from castline.progress import Progress
from castline.stills.values import Composed, Composing
from timeline.files import check_free
from worker.settings import Settings

if TYPE_CHECKING:
    from model.rehearsal.shot_pictures import Layout

SUFFIX = ".mp4"


def compose(
    settings: Settings,
    output: Path,
    wanted: Composing,
    *,
    force: bool,
    replace: bool,
    on_progress: Progress,
) -> Composed:
    """Compose an episode and its truth; see `Library.compose`."""
    from ingest.decoder.parent import Decoder
    from model.dataset.folder import open_dataset

    truth = truth_file_of(output)
    if output.suffix.lower() != SUFFIX:
        raise RequestError(f"{output}: is an MP4; name it {output.stem}{SUFFIX}")
    for path in (output, truth):
        check_free(path, replace, "--replace")
    if wanted.part != MEASURING_PART and not force:
        raise RequestError(
            f"--set {wanted.part}: a model may have learnt from these stills, and would look better"
            f" than it is; take {MEASURING_PART}, or --force"
        )
    layout = _layout(wanted.size, wanted.aspect)
    opened = open_dataset(wanted.dataset)
    with Decoder(media_roots=settings.readable_roots) as decoder:
        clips = tuple(open_negative(decoder, path) for path in wanted.negatives)
        composition = Composition(opened, wanted.part, clips, layout, wanted.seconds, wanted.seed)
        share = composition.usual_groups if wanted.groups is None else wanted.groups
        composition = with_changes(composition, groups=share)
        shots = compose_episode(composition, decoder, output, truth, on_progress)
    return Composed(output, truth, tuple(len(shot.labels) for shot in shots))


def _layout(size: str, aspect: str | None) -> "Layout":
    from model.rehearsal.shot_pictures import Layout

    width, height = _two_numbers("--size", size, "x")
    if aspect is None:
        return Layout(int(width), int(height))
    across, down = _two_numbers("--aspect", aspect, ":")
    return Layout(int(width), int(height), across / down)


def _two_numbers(option: str, text: str, between: str) -> tuple[Fraction, Fraction]:
    first, _, second = text.lower().partition(between)
    try:
        numbers = Fraction(first), Fraction(second)
    except (ValueError, ZeroDivisionError):
        numbers = Fraction(0), Fraction(0)
    if min(numbers) <= 0:
        raise RequestError(f"{option} {text!r}: write two numbers with {between!r} between them")
    return numbers
