"""Search the stored frames of a series for what recurs in its episodes."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path, PurePath

from castline.asking.names import shown_names
from castline.progress import Progress
from castline.repeats.listing import REPEAT_COLUMNS, chosen_entries, repeat_rows
from castline.repeats.sampled import SampleTimes, read_samples
from castline.repeats.values import RepeatsFound
from castline.tagging.enqueue import retry_on_kill
from db.changes.repeats import replace_repeats
from db.library.all_runs import LibraryEntry, chunk_ranges, list_library
from db.library.episodes import letters_of
from db.library.repeats import RepeatRecord, repeat_searches
from db.records import EpisodeRecord
from exact.ranges import intersection, union
from ingest.decoder.parent import Decoder
from ingest.errors import (
    FrameStoreError,
    IngestError,
    ShortageError,
    StorageFullError,
    StorageUnreachable,
)
from ingest.frames.chunks import ChunkRange
from ingest.frames.extract_request import Extraction
from ingest.storage.remote_files import is_remote
from timeline.repeats.matching import Samples
from timeline.repeats.recurring import NEIGHBOURS, Recurring, SeriesSearch
from worker.installation import Installation
from worker.parameters import RunParameters

STEP = "Searching for repeats"
"""Name of the step, for progress."""


def find_repeats(
    installation: Installation,
    references: Sequence[str],
    series: str | None,
    *,
    decode: bool,
    on_progress: Progress,
) -> RepeatsFound:
    """Search episodes and store what was found; see `Library.find_repeats`."""
    with installation.database.read() as connection:
        chosen = [entry.episode for entry in chosen_entries(connection, references, series)]
        tagged = [entry for entry in list_library(connection) if entry.current is not None]
    wanted = {episode.id for episode in chosen}
    parts = list(_parts_of_series(tagged, wanted))
    done, total = count(1), sum(map(len, parts))
    searches: list[SeriesSearch[int]] = []
    with Decoder(media_roots=installation.settings.readable_roots) as decoder:
        read = _reader(installation, decoder if decode else None)
        for entries in parts:
            search, times = _search(entries, read, lambda: on_progress(STEP, next(done), total))
            _store(installation, search, times, wanted)
            searches.append(search)
    return _answer(installation, chosen, searches)


def _parts_of_series(
    entries: Collection[LibraryEntry], wanted: Collection[int]
) -> Iterator[list[LibraryEntry]]:
    """Yield for each series, in order, its wanted episodes and their neighbours.

    Episodes of no known series are taken for one series if they lie in one folder, as people keep
    them; nothing is found in those that do not belong together.
    """
    groups: dict[tuple[bool, str], list[LibraryEntry]] = defaultdict(list)
    for entry in entries:
        name = letters_of(entry.episode.called.series or "")
        folder = str(PurePath(entry.episode.uri).parent)
        groups[bool(name), name or folder].append(entry)
    for group in groups.values():
        group.sort(key=lambda entry: _place(entry.episode))
        is_wanted = [entry.episode.id in wanted for entry in group]
        near = [
            entry
            for number, entry in enumerate(group)
            if any(is_wanted[max(number - NEIGHBOURS, 0) : number + NEIGHBOURS + 1])
        ]
        if near:
            yield near


def _place(episode: EpisodeRecord) -> tuple[int, int, str, int]:
    season, number = (
        -1 if each is None else each for each in (episode.called.season, episode.called.number)
    )
    return season, number, episode.name, episode.id


Reader = Callable[[LibraryEntry], tuple[Samples, SampleTimes] | None]
"""Returns an episode's samples, or None if its frames are not stored."""


def _search(
    entries: Sequence[LibraryEntry], read: Reader, on_progress: Callable[[], None]
) -> tuple[SeriesSearch[int], dict[int, SampleTimes]]:
    search: SeriesSearch[int] = SeriesSearch()
    times: dict[int, SampleTimes] = {}
    for entry in entries:
        sampled = read(entry)
        if sampled is not None:
            samples, times[entry.episode.id] = sampled
            search.add(entry.episode.id, samples)
        on_progress()
    return search, times


def _store(
    installation: Installation,
    search: SeriesSearch[int],
    times: dict[int, SampleTimes],
    wanted: Collection[int],
) -> None:
    """Store what was found in the wanted episodes that could be compared with others."""
    for number, recurring in search.found().items():
        if number in wanted and search.compared[number]:
            records = _records(recurring, times[number])
            with installation.database.write() as connection:
                replace_repeats(connection, number, records, search.compared[number])


def _records(recurring: Sequence[Recurring[int]], times: SampleTimes) -> list[RepeatRecord]:
    ranges = [times.range_of(each.samples) for each in recurring]
    return [
        RepeatRecord(
            *joined,
            tuple(
                dict.fromkeys(
                    other
                    for each, own in zip(recurring, ranges, strict=True)
                    if intersection([own], [joined])
                    for other in each.elsewhere
                )
            ),
        )
        for joined in union(ranges)
    ]


def _reader(installation: Installation, decoder: Decoder | None) -> Reader:
    """Return a function that reads stored frames, and with a decoder extracts missing ones."""

    def read(entry: LibraryEntry) -> tuple[Samples, SampleTimes] | None:
        episode = entry.episode
        try:
            files = _files(installation, entry, decoder)
            return read_samples(files, episode.start_pts, episode.end_pts, episode.time_base)
        except (StorageFullError, StorageUnreachable, ShortageError):
            raise
        except IngestError:
            return None

    return read


def _files(installation: Installation, entry: LibraryEntry, decoder: Decoder | None) -> list[Path]:
    """Return the frame store files of an episode's shown run, in order of time.

    Raises:
        FrameStoreError: One of them is not there.
        IngestError: It cannot be extracted again.
    """
    assert entry.current is not None
    run, episode, store = entry.current, entry.episode, installation.frames
    every_seconds = RunParameters.from_json(run.params).every_seconds
    with installation.database.read() as connection:
        chunks = chunk_ranges(connection, run.id)
    files = []
    for chunk in chunks:
        path = store.path_for(episode.sha256, every_seconds, *chunk, episode.area)
        store.fetch(path)
        if not path.exists() and intersection([chunk], run.missing) == (chunk,):
            continue  # it could not be decoded
        if not path.exists() and decoder is not None:
            request = Extraction.of(
                *(episode, _source(installation, episode), ChunkRange(*chunk)),
                *(every_seconds, episode.area, path),
            )
            retry_on_kill(partial(decoder.extract, _provable(request, episode)))
            store.publish(path)
        files.append(path)
    if not files:
        raise FrameStoreError(f"{episode.name}: no frames are stored")
    return files


def _source(installation: Installation, episode: EpisodeRecord) -> str:
    if not is_remote(episode.uri):
        return episode.uri
    return str(installation.episode_cache.fetch(episode.uri, episode.sha256))


def _provable(request: Extraction, episode: EpisodeRecord) -> Extraction:
    # A private copy needs no proof: no other program writes to it.
    return replace(request, file_stamp=None) if is_remote(episode.uri) else request


def _answer(
    installation: Installation,
    chosen: Sequence[EpisodeRecord],
    searches: Sequence[SeriesSearch[int]],
) -> RepeatsFound:
    wanted = {episode.id for episode in chosen}
    compared = {number: others for search in searches for number, others in search.compared.items()}
    copies = [pair for search in searches for pair in search.copies if wanted & set(pair)]
    with installation.database.read() as connection:
        listed = {entry.episode.id: entry.episode.name for entry in list_library(connection)}
        names = shown_names(connection, listed)
        stored = repeat_searches(connection, wanted)
        rows = repeat_rows(connection, chosen, stored)

    def called(numbers: Iterable[int]) -> tuple[str, ...]:
        return tuple(names[episode.id] for episode in chosen if episode.id in set(numbers))

    return RepeatsFound(
        rows,
        REPEAT_COLUMNS,
        nothing_in=called(number for number, each in stored.items() if not each.repeats),
        unsearched=called(wanted - stored.keys()),
        copies=tuple((names[one], names[other]) for one, other in copies),
        alone=called(number for number, others in compared.items() if not others),
        without_frames=called(wanted - compared.keys()),
    )
