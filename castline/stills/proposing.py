"""Write whole frames with the boxes that a dense network sees in them, for correction.

Either every frame at random times (`dataset harvest --whole`), or those most worth correcting
(`dataset propose`). A first pass keeps the places of labels and a hash of each frame, not its
pixels, so that the number of episodes does not matter; selected frames are then read again from the
frame store.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from castline.errors import RequestError
from castline.stills.doubt import Choice
from castline.stills.harvest import check_tells_places, origin, taken_from
from castline.stills.moments import MomentFrames
from castline.stills.seen_frames import WHOLE_FRAME, SeenFrame, look_at_frames
from exact.place import Place
from ingest.decoder.parent import Decoder
from ingest.storage.frame_store import StoredFrame
from model.inference.classifier import Classifier
from model.inference.device import Device
from model.labels import UNKNOWN
from model.pictures.boxes import Box
from model.pictures.files import to_jpeg
from model.progress import Progress
from model.stills.annotations.coco_writing import COCO_NAME, ProposedPicture, ScoredBox, coco_text
from model.stills.writing import add_still
from model.version.artifact import ModelVersion
from model.version.safe_files import whole_folder
from timeline.times import format_time
from worker.settings import Settings


@dataclass(frozen=True)
class Proposal:
    """The parameters of a proposal."""

    episodes: Sequence[Path]
    output: Path
    """The folder to create. If it already has all these frames, nothing happens."""
    seed: int
    """Seed of the random times."""
    choose: Choice
    """Selects the frames."""


def write_proposal(
    settings: Settings,
    version: ModelVersion,
    device: Device,
    proposal: Proposal,
    on_progress: Progress,
) -> int:
    """Write frames of episodes and a file of boxes into a folder that is created atomically.

    Frames in which the model sees no known character go to the folder `unknown`, as stills.

    Args:
        settings: Settings with the folders of models, frames and media.
        version: A model version with a dense network.
        device: `auto`, `cpu` or `gpu`.
        proposal: The parameters.
        on_progress: Called after each chunk.

    Returns:
        The number of new frames.

    Raises:
        IngestError: An episode cannot be used.
        ModelError: The model cannot be loaded, or there is no such device.
        RequestError: The model gives no places, there is nothing to write, or the output is not a
            folder, holds other files or cannot be written.
    """
    check_tells_places(version)
    output = proposal.output
    taken = _taken(output)
    with Decoder(media_roots=settings.readable_roots) as decoder:
        source = MomentFrames(settings, decoder)
        classifier = Classifier.load(version, device=device)
        seen = look_at_frames(source, classifier, proposal.episodes, proposal.seed, on_progress)
        chosen = proposal.choose(seen)
        if not chosen:
            raise RequestError(
                f"{version.manifest.reference} recognises no character in {len(seen)} frames;"
                " give other episodes, another --seed or another --model"
            )
        if taken:
            if all(frame.key in taken for frame in chosen):
                return 0
            raise _holds_something(output)
        try:
            _write(source, chosen, version, output)
        except OSError as error:
            raise RequestError(
                f"{output}: cannot be written ({error.strerror}); make room or name another folder"
                " with -o"
            ) from error
    return len(chosen)


def _taken(output: Path) -> set[tuple[str, ...]]:
    """Return the frames in the output folder; none if it is absent or empty."""
    if not output.exists():
        return set()
    if not output.is_dir():
        raise RequestError(f"{output}: is not a folder; name another with -o")
    taken = taken_from(output)
    if not taken and any(output.iterdir()):
        raise _holds_something(output)
    return taken


def _holds_something(output: Path) -> RequestError:
    return RequestError(f"{output}: holds other files, which stay; name another folder with -o")


def _write(
    source: MomentFrames, chosen: Sequence[SeenFrame], version: ModelVersion, output: Path
) -> None:
    names = {frame.key: _name(number, frame) for number, frame in enumerate(chosen, 1)}
    pictures: dict[str, ProposedPicture] = {}
    with whole_folder(output.resolve()) as folder:
        for frame, stored in _stored(source, chosen):
            known = ", ".join(f"{each.label} {each.confidence:.2f}" for each in frame.predictions)
            comment = origin(frame.episode, frame.pts, WHOLE_FRAME, known or "nobody", version)
            if not frame.predictions:
                add_still(folder / UNKNOWN, stored.picture, comment)
                continue
            name = names[frame.key]
            (folder / name).write_bytes(to_jpeg(stored.picture, comment))
            pictures[name] = _proposed(name, frame, stored)
        in_order = [pictures[name] for name in names.values() if name in pictures]
        manifest = version.manifest
        description = f"Proposed by {manifest.reference}, to mend"
        text = coco_text(in_order, manifest.labels, description, manifest.names)
        (folder / COCO_NAME).write_text(text, "utf-8")


def _stored(
    source: MomentFrames, chosen: Sequence[SeenFrame]
) -> Iterator[tuple[SeenFrame, StoredFrame]]:
    """Read frames again, each of their chunks once."""

    def place(frame: SeenFrame) -> tuple[str, int]:
        return frame.episode.probe.sha256, frame.chunk.start_pts

    for _, group in groupby(sorted(chosen, key=place), place):
        frames = {frame.pts: frame for frame in group}
        first = next(iter(frames.values()))
        for stored in source.shown_at(first.episode, first.chunk, sorted(frames)):
            yield frames[stored.pts], stored


def _name(number: int, frame: SeenFrame) -> str:
    """Return a name valid on every file system, such as `0001_pilot_00-01-23.500.jpg`."""
    stem = Path(frame.episode.probe.name).stem
    safe = "".join(sign if sign.isascii() and sign.isalnum() else "_" for sign in stem)[:80]
    time = format_time(frame.episode.seconds(frame.pts)).replace(":", "-")
    return f"{number:04}_{safe}_{time}.jpg"


def _proposed(name: str, frame: SeenFrame, stored: StoredFrame) -> ProposedPicture:
    height, width = stored.picture.shape[:2]
    return ProposedPicture(
        name,
        width,
        height,
        tuple(
            ScoredBox(_box(found.label, found.place), found.confidence)
            for found in frame.predictions
            if found.place is not None
        ),
        {
            "episode": frame.episode.probe.name,
            "episode_sha256": frame.episode.probe.sha256,
            "seconds": float(frame.episode.seconds(frame.pts)),
        },
    )


def _box(label: str, place: Place) -> Box:
    """Return the part of a place that lies in the picture."""
    return Box(
        label,
        max(0.0, place.x - place.width / 2),
        max(0.0, place.y - place.height / 2),
        min(1.0, place.x + place.width / 2),
        min(1.0, place.y + place.height / 2),
    )
