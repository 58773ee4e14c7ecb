"""Put episode files into the queue."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from castline.errors import BrokerError, as_castline_errors, castline_error
from castline.tagging.parts import Part
from castline.tagging.showing import describe_shown, make_shown, runs_shown
from castline.tagging.values import Enqueued, Hooks, Moved, Queue
from db.records import RunRecord
from db.states import Lane
from ingest.errors import IngestError
from ingest.storage.remote_files import is_remote
from worker.installation import Installation
from worker.settings import Settings

Every: TypeAlias = str | float
"""Sampling interval in seconds: `0.5`, or a fraction such as `1/3` as text."""


@dataclass(frozen=True)
class Sources:
    """Files and URLs to enqueue."""

    names: tuple[str, ...]
    skipped: tuple[str, ...]
    """A line for each file in a folder that was skipped, and why."""


@dataclass(frozen=True)
class QueuedFiles:
    """The result of enqueuing files."""

    sources: tuple[str, ...]
    """The usable files and URLs."""
    runs: tuple[RunRecord, ...]
    """The run of each of them."""
    new_run_ids: frozenset[int]
    refused: int
    model_sha256: str

    @property
    def run_ids(self) -> tuple[int, ...]:
        """Numbers of the runs, without duplicates."""
        return tuple(dict.fromkeys(run.id for run in self.runs))


def find_sources(settings: Settings, paths: Sequence[str]) -> Sources:
    """Find the sources to enqueue: given files, and those below given folders and prefixes."""
    from castline.tagging.enqueue import find_episode_files
    from castline.tagging.sources import find_remote_episodes

    files = find_episode_files([Path(path) for path in paths if not is_remote(path)])
    urls = find_remote_episodes([path for path in paths if is_remote(path)], settings)
    return Sources((*map(str, files.paths), *urls), files.skipped)


def enqueue(
    installation: Installation,
    found: Sources,
    *,
    model: str | None,
    every: Every | None,
    part: Part,
    lane: Lane,
    hooks: Hooks,
) -> Queue:
    """Put files into the queue and notify Celery's workers; see `Library.enqueue`."""
    from worker.cluster.broker_url import checked_broker_url

    if installation.settings.broker_url is not None:
        checked_broker_url(installation.settings.broker_url)  # before anything is enqueued
    queued = enqueue_files(installation, found.names, model, every, part, lane, hooks)
    before = runs_shown(installation, queued.runs)
    make_shown(installation, queued.runs)
    broker_error = _offer(installation)
    enqueued = tuple(
        Enqueued(source, run.id, run.episode, run.state, run.id in queued.new_run_ids)
        for source, run in zip(queued.sources, queued.runs, strict=True)
    )
    with installation.database.read() as connection:
        shown = describe_shown(connection, queued.run_ids, before)
    return Queue(enqueued, queued.refused, len(found.skipped), broker_error, shown)


def enqueue_files(
    installation: Installation,
    sources: Sequence[str],
    model: str | None,
    every: Every | None,
    part: Part,
    lane: Lane,
    hooks: Hooks,
) -> QueuedFiles:
    """Enqueue files one by one; an unusable one is reported and left out."""
    from castline.models.in_use import chosen_model, prepare_runs
    from castline.tagging.run_models import keep_model
    from castline.tagging.sources import enqueue_source
    from ingest.decoder.parent import Decoder
    from worker.parameters import RunParameters, parse_every_seconds

    version = chosen_model(installation, model)
    keep_model(installation.settings, version)
    prepare_runs(installation, version)
    parameters = None
    if every is not None:
        parameters = RunParameters.for_model(version.manifest, parse_every_seconds(str(every)))
    usable: list[str] = []
    runs: list[RunRecord] = []
    new: set[int] = set()
    refused = 0
    with Decoder(media_roots=installation.settings.readable_roots) as decoder:
        for source in sources:
            try:
                with hooks.reading(source) if hooks.reading else nullcontext():
                    found = enqueue_source(
                        installation, source, decoder, version, parameters, part, lane
                    )
            except IngestError as error:
                _refuse(error, hooks)
                refused += 1
                continue
            usable.append(source)
            runs.append(found.run)
            if found.moved_from:
                hooks.on_moved(Moved(found.run.episode, found.moved_from, source))
            if found.is_new:
                new.add(found.run.id)
    return QueuedFiles(tuple(usable), tuple(runs), frozenset(new), refused, version.sha256)


def _refuse(error: IngestError, hooks: Hooks) -> None:
    told = castline_error(error)
    if told is None:
        raise error
    hooks.refuse(told)


def _offer(installation: Installation) -> BrokerError | None:
    """Notify Celery's workers of new chunks, which are already in the database."""
    if installation.settings.broker_url is None:
        return None
    from worker.cluster.app import make_app
    from worker.cluster.offering import offer

    try:
        with as_castline_errors():
            offer(installation, make_app(installation.settings))
    except BrokerError as error:
        return error
    return None
