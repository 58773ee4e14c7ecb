"""Collect training pictures from episodes."""

from collections.abc import Callable, Sequence
from pathlib import Path

from castline.errors import CastlineError, castline_error
from castline.models.in_use import chosen_model
from castline.progress import Progress
from castline.stills.doubt import Choice, all_of_them, worthiest
from castline.stills.harvest import Way, open_harvester
from castline.stills.proposing import Proposal, write_proposal
from castline.stills.values import Harvested, Proposed
from castline.tagging.thresholds import thresholds_in_use
from ingest.errors import IngestError
from model.inference.device import Device
from model.stills.annotations.coco_writing import COCO_NAME
from model.version.artifact import ModelVersion
from timeline.appearances.rules import Rules
from worker.installation import Installation


def harvest(
    installation: Installation,
    episodes: Sequence[Path],
    output: Path,
    *,
    model: str | None,
    cuts: bool,
    seed: int,
    device: Device,
    on_progress: Progress,
    on_harvested: Callable[[Harvested], None],
    on_refused: Callable[[CastlineError], None] | None,
) -> tuple[Harvested, ...]:
    """Collect stills from episodes, sorted by a model; see `Library.harvest`."""
    version = chosen_model(installation, model)
    way = Way.PLACES if cuts else Way.REGIONS
    rules = _rules(installation, version)
    found = []
    with open_harvester(installation.settings, output, version, device, way, rules) as harvester:
        for path in episodes:
            try:
                one = Harvested(path, harvester.harvest(path, seed, on_progress))
            except IngestError as error:
                told = castline_error(error)
                if on_refused is None or told is None:
                    raise
                on_refused(told)
                continue
            on_harvested(one)
            found.append(one)
    return tuple(found)


def propose(
    installation: Installation,
    episodes: Sequence[Path],
    output: Path,
    *,
    model: str | None,
    frames: int | None,
    seed: int,
    device: Device,
    on_progress: Progress,
) -> Proposed:
    """Write frames with the boxes that a model sees in them; see `Library.propose`.

    None for `frames` means all of them.
    """
    version = chosen_model(installation, model)
    choice: Choice = all_of_them
    if frames is not None:
        choice = worthiest(_rules(installation, version), frames)
    proposal = Proposal(episodes, output, seed, choice)
    count = write_proposal(installation.settings, version, device, proposal, on_progress)
    return Proposed(output, count, output / COCO_NAME)


def _rules(installation: Installation, version: ModelVersion) -> Rules:
    with installation.database.read() as connection:
        return thresholds_in_use(connection, version)
