"""Write training stills from corrections.

A mistaken character goes to the correct label, and a stranger to `unknown`: a crop around the place
where a run saw the label, or the whole frame where no place is known and no other label is on
screen. Frames lie well inside the judged range, since a border is accurate only to a quarter of a
second. Stills of answers that the model was confident of are written only on request.
"""

import csv
import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from io import StringIO
from pathlib import Path

from castline.asking.names import require_episode
from castline.corrections.records import counting_keys
from castline.errors import RequestError
from castline.stills.harvest import folders_by_label
from castline.stills.moments import MomentFrames
from castline.stills.still_cuts import cut_around
from castline.stills.values import StillsOfCorrections
from db.engine import Transaction
from db.library.all_runs import chunk_ranges, runs_of
from db.library.corrections import by_content, list_corrections
from db.library.episodes import corrected_episodes
from db.library.places import surest_place
from db.library.runs import current_run_of, ended_chunks, run_appearances
from db.records import AppearanceRecord, CorrectionRecord, EpisodeRecord, RunRecord
from exact.place import Place
from exact.verdicts import Verdict
from ingest.decoder.parent import Decoder
from ingest.errors import FrameStoreError, IngestError
from ingest.storage.frame_store import StoredFrame, read_frames
from ingest.storage.remote_files import is_remote
from model.labels import UNKNOWN
from model.progress import Progress
from model.stills.files import SOURCES_NAME
from model.stills.writing import add_still, comments_in
from timeline.appearances.corrections import Claim, Correction, settled, standing
from timeline.files import read_text, whole_file
from worker.installation import Installation
from worker.parameters import RunParameters
from worker.steps.correcting import correction_of

MARGIN_SECONDS = Fraction(1)
"""Largest distance from the borders of a range: a dissolve takes half a second on either side."""

MARGIN_SHARE = Fraction(1, 4)
"""Distance for a short range: its middle half remains."""

MOST_STILLS = 5
"""Stills per range: more frames of one shot teach hardly more."""

EASY = 0.9
"""Confidence from which a confirmed answer needs no still."""

WHOLE = "whole frame"

_COMMENT = re.compile(
    r"castline correction ([0-9a-f]{32}): .* \(SHA-256 ([0-9a-f]{64})\) at (\d+\.\d{3}) s, "
    r"pts (-?\d+), (whole frame|around \S+); "
)
"""The comment that identifies a still of a correction, whatever the name of the file."""

_COLUMNS = (
    *("still", "label", "holds", "correction", "verdict", "said_of", "author"),
    *("episode", "path", "sha256", "seconds", "pts", "part"),
)


@dataclass(frozen=True)
class _Wanted:
    """A still to write."""

    record: CorrectionRecord
    folder: str
    pts: int
    place: Place | None
    seen_as: str
    """The label at whose place it is cut."""

    @property
    def part(self) -> str:
        """Name of the part, for the comment."""
        return WHOLE if self.place is None else f"around {self.seen_as}"

    @property
    def key(self) -> tuple[str, int]:
        """Identifies a still that already exists."""
        return self.record.key, self.pts


@dataclass(frozen=True)
class _Episode:
    """A corrected episode, and its shown run."""

    record: EpisodeRecord
    run: RunRecord
    run_ids: tuple[int, ...]
    """Numbers of all its runs: any of them may give a place."""
    sampled_pts: Sequence[int]
    appearances: Sequence[AppearanceRecord]
    """Appearances including corrections."""
    chunks: Sequence[tuple[int, int]]

    def on_screen(self, pts: int) -> set[str]:
        """Return the labels on screen at a time."""
        return {one.label for one in self.appearances if one.start_pts <= pts < one.end_pts}

    def well_inside(self, claim: Claim) -> list[int]:
        """Return a few evenly spread sampled frames of a range, away from its borders."""
        length = claim.end_pts - claim.start_pts
        margin = min(MARGIN_SECONDS / self.record.time_base, MARGIN_SHARE * length)
        first = bisect_left(self.sampled_pts, claim.start_pts + margin)
        inside = self.sampled_pts[first : bisect_left(self.sampled_pts, claim.end_pts - margin)]
        count = min(len(inside), MOST_STILLS)
        return [inside[(2 * number + 1) * len(inside) // (2 * count)] for number in range(count)]


def stills_from_corrections(
    installation: Installation,
    output: Path,
    *,
    episode: str | None,
    easy: bool,
    on_progress: Progress,
) -> StillsOfCorrections:
    """Write stills from corrections; see `Library.stills_from_corrections`."""
    if output.exists() and not output.is_dir():
        raise RequestError(f"{output}: is not a folder; name another with -o")
    with installation.database.read() as connection:
        only = None if episode is None else [require_episode(connection, episode).sha256]
        records = list_corrections(connection, only)
        episodes = corrected_episodes(connection)
        left_out: Counter[str] = Counter()
        planned = []
        for sha256, own in by_content(records):
            found = _look_up(connection, episodes.get(sha256))
            if found is None:
                left_out["the episode is not tagged here"] += 1
            else:
                planned.append((found, list(_wanted(connection, found, own, easy, left_out))))
    listed = _listed(output)
    taken = {(match[1], int(match[4])) for _, match in _stills_in(output)} | {*listed}
    counts: Counter[str] = Counter()
    with Decoder(media_roots=installation.settings.readable_roots) as decoder:
        frames = _Frames(installation, MomentFrames(installation.settings, decoder))
        for number, (found, wanted) in enumerate(planned, 1):
            new = [one for one in wanted if one.key not in taken]
            counts += _write(frames, found, new, output, left_out)
            on_progress(found.record.name, number, len(planned))
    stale = _list_sources(output, records, episodes, listed) if output.is_dir() else 0
    return StillsOfCorrections(
        output,
        dict(counts.most_common()),
        dict(left_out.most_common()),
        output / SOURCES_NAME,
        stale,
    )


def _look_up(connection: Transaction, episode: EpisodeRecord | None) -> _Episode | None:
    run = current_run_of(connection, episode.id) if episode else None
    if episode is None or run is None:
        return None
    tagged, _ = ended_chunks(connection, run.id)
    return _Episode(
        episode,
        run,
        runs_of(connection, episode.id),
        sorted({pts for part in tagged for pts in part.sampled_pts}),
        run_appearances(connection, run.id),
        chunk_ranges(connection, run.id),
    )


def _wanted(
    connection: Transaction,
    episode: _Episode,
    records: Sequence[CorrectionRecord],
    easy: bool,
    left_out: Counter[str],
) -> Iterator[_Wanted]:
    stand = standing([correction_of(record) for record in records])
    by_key = {record.key: record for record in records}
    claims = [claim for own in settled(stand).values() for claim in own]
    for one in stand:
        record = by_key[one.key]
        if reason := _why_not(record, easy):
            left_out[reason] += 1
            continue
        for claim in (each for each in claims if each.key == one.key and _teaches(one, each)):
            inside = episode.well_inside(claim)
            if not inside:
                left_out["the range is too short"] += 1
            for pts in inside:
                wanted = _still(connection, episode, stand, one, record, pts)
                if wanted is None:
                    left_out["somebody else is there"] += 1
                else:
                    yield wanted


def _why_not(record: CorrectionRecord, easy: bool) -> str | None:
    if record.verdict == Verdict.TRIM:
        return "a moved border"
    is_easy = record.verdict == Verdict.RIGHT and (record.confidence or 0.0) >= EASY
    return "the model knew it well (--easy takes these)" if is_easy and not easy else None


def _teaches(one: Correction, claim: Claim) -> bool:
    """Tell whether a claim shows a label; for a relabelling only the correct label counts."""
    return one.verdict is not Verdict.RELABEL or claim.is_shown


def _still(
    connection: Transaction,
    episode: _Episode,
    stand: Sequence[Correction],
    one: Correction,
    record: CorrectionRecord,
    pts: int,
) -> _Wanted | None:
    """Return a still of the label in a frame; None where it would also show another one."""
    label = one.other or one.label
    is_stranger = one.verdict is Verdict.WRONG
    folder = UNKNOWN if is_stranger else label
    others = episode.on_screen(pts) - {label}
    for seen_as in _seen_as(stand, one, pts):
        at = surest_place(connection, episode.run_ids, seen_as, pts)
        if at is None:
            continue
        there = (surest_place(connection, episode.run_ids, other, pts) for other in others)
        if is_stranger and any(each and each.is_about(at) for each in there):
            return None
        return _Wanted(record, folder, pts, at, seen_as)
    return None if others else _Wanted(record, folder, pts, None, one.label)


def _seen_as(stand: Sequence[Correction], one: Correction, pts: int) -> Iterator[str]:
    """Yield the labels under which a character may have been seen: the correct and mistaken ones.

    A person's relabelling may itself have been relabelled by another person.
    """
    if one.other is not None:
        yield one.other
    label = one.label
    yield label
    for earlier in reversed(stand[: stand.index(one)]):
        if earlier.other == label and earlier.start_pts <= pts < earlier.end_pts:
            label = earlier.label
            yield label


class _Frames:
    """Reads stored frames of runs, and decodes missing ones again."""

    def __init__(self, installation: Installation, moments: MomentFrames) -> None:
        self._store = installation.frames
        self._moments = moments

    def read(
        self, episode: _Episode, wanted_pts: Sequence[int]
    ) -> Iterator[tuple[int, StoredFrame]]:
        """Yield the requested frames with their pts.

        Raises:
            IngestError: They are not stored, and the file is missing.
        """
        for start_pts, end_pts in episode.chunks:
            inside = sorted({pts for pts in wanted_pts if start_pts <= pts < end_pts})
            if inside:
                yield from self._of_chunk(episode, start_pts, end_pts, inside)

    def _of_chunk(
        self, episode: _Episode, start_pts: int, end_pts: int, inside: Sequence[int]
    ) -> Iterator[tuple[int, StoredFrame]]:
        record = episode.record
        every_seconds = RunParameters.from_json(episode.run.params).every_seconds
        path = self._store.path_for(record.sha256, every_seconds, start_pts, end_pts, record.area)
        try:
            self._store.fetch(path)
            for frame in read_frames(path):
                if frame.pts in inside:
                    yield frame.pts, frame
        except FrameStoreError:
            if is_remote(record.uri):
                raise
            yield from self._decoded(Path(record.uri), inside)

    def _decoded(self, path: Path, inside: Sequence[int]) -> Iterator[tuple[int, StoredFrame]]:
        opened = self._moments.open(path)
        for chunk in opened.chunks:
            for pts in inside:
                if chunk.start_pts <= pts < chunk.end_pts:
                    for frame in self._moments.shown_at(opened, chunk, [pts]):
                        yield pts, frame


def _write(
    frames: _Frames,
    episode: _Episode,
    wanted: Sequence[_Wanted],
    output: Path,
    left_out: Counter[str],
) -> Counter[str]:
    by_pts: dict[int, list[_Wanted]] = defaultdict(list)
    for one in wanted:
        by_pts[one.pts].append(one)
    counts: Counter[str] = Counter()
    folders = folders_by_label(output)
    try:
        for pts, frame in frames.read(episode, list(by_pts)):
            for one in by_pts.pop(pts, ()):
                picture = (
                    frame.picture if one.place is None else cut_around(frame.picture, one.place)
                )
                folder = folders.get(one.folder, output / one.folder)
                add_still(folder, picture, _comment(episode, one))
                counts[one.folder] += 1
    except IngestError:
        left_out["the frames are not stored, and the file is not there"] += sum(
            map(len, by_pts.values())
        )
    except OSError as error:
        raise RequestError(
            f"{output}: cannot be written ({error.strerror}); make room or name another folder"
            " with -o"
        ) from error
    return counts


def _comment(episode: _Episode, one: _Wanted) -> str:
    record = episode.record
    seconds = float((one.pts - record.start_pts) * record.time_base)
    sure = "" if one.record.confidence is None else f" {one.record.confidence:.2f}"
    return (
        f"castline correction {one.record.key}: {record.name} (SHA-256 {record.sha256})"
        f" at {seconds:.3f} s, pts {one.pts}, {one.part}; {one.record.verdict} said of"
        f" {one.record.label}{sure} by {one.record.model}"
    )


def _stills_in(folder: Path) -> Iterator[tuple[Path, re.Match[str]]]:
    if folder.is_dir():
        for path, comment in comments_in(folder):
            if match := _COMMENT.search(comment):
                yield path, match


def _list_sources(
    output: Path,
    records: Sequence[CorrectionRecord],
    episodes: Mapping[str, EpisodeRecord],
    listed: Mapping[tuple[str, int], dict[str, str]],
) -> int:
    """Write where all stills in a folder come from; return how many hold no longer.

    A still that was listed before and that a person removed keeps its line, without a name.
    """
    by_key = {record.key: record for record in records}
    stand = counting_keys(records)
    rows: dict[tuple[str, int], dict[str, str]] = {
        key: row | {"still": ""} for key, row in listed.items()
    }
    for path, match in sorted(_stills_in(output), key=lambda each: each[0]):
        key, sha256, seconds, pts, part = match.groups()
        record, episode = by_key.get(key), episodes.get(sha256)
        values = (
            *(path.relative_to(output).as_posix(), path.parent.name, ""),
            *((key, record.verdict, record.label, record.author) if record else (key, "", "", "")),
            *((episode.name, episode.uri) if episode else ("", "")),
            *(sha256, seconds, pts, part),
        )
        rows[key, int(pts)] = dict(zip(_COLUMNS, values, strict=True))
    for (key, _), row in rows.items():
        row["holds"] = "yes" if key in stand else "no"
    with (
        whole_file(output / SOURCES_NAME) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.DictWriter(file, _COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows.values())
    return sum(row["holds"] == "no" and row["still"] != "" for row in rows.values())


def _listed(output: Path) -> dict[tuple[str, int], dict[str, str]]:
    """Return the lines about stills that an earlier run wrote, by correction and pts."""
    path = output / SOURCES_NAME
    if not path.exists():
        return {}
    try:
        rows = list(csv.DictReader(StringIO(read_text(path), newline="")))
        return {(row["correction"], int(row["pts"])): row for row in rows}
    except (csv.Error, ValueError, LookupError, TypeError) as error:
        raise RequestError(
            f"{path}: is not a list of stills ({error}); move it away, or name another folder with"
            " -o"
        ) from error
