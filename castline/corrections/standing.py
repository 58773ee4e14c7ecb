"""Compare corrections with the raw result of the shown run: after a rerun, most may agree."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from castline.asking.names import require_episode
from castline.corrections.records import shown
from castline.corrections.values import Stated, Status
from castline.tables import Table, columns_of
from db.engine import Transaction
from db.library.corrections import by_content, list_corrections
from db.library.episodes import corrected_episodes
from db.library.runs import current_run_of, raw_appearances
from db.records import AppearanceRecord, CorrectionRecord, EpisodeRecord, RunRecord
from exact.ranges import PtsRange, PtsRanges, difference, intersection, total
from exact.verdicts import Verdict
from timeline.appearances.corrections import Correction, settled, standing
from worker.installation import Installation
from worker.steps.correcting import correction_of

MOST = Fraction(1, 2)
"""Share of a range from which a run counts as showing a label in it."""

BORDER_SECONDS = Fraction(1, 4)
"""Accuracy of a run's border inside a shot: half of the sampling interval."""


def status(installation: Installation, episode: str | None) -> Table[Stated]:
    """Compare corrections with the shown runs; see `Library.corrections_status`."""
    with installation.database.read() as connection:
        known = None if episode is None else require_episode(connection, episode)
        episodes = {known.sha256: known} if known else corrected_episodes(connection)
        records = list_corrections(connection, [known.sha256] if known else None)
        rows = [
            row
            for sha256, own in by_content(records)
            for row in _stated(connection, own, episodes.get(sha256))
        ]
    rows.sort(key=lambda row: (row.correction.episode or "", row.correction.start_pts))
    return Table(tuple(rows), columns_of(Stated))


def _stated(
    connection: Transaction, records: Sequence[CorrectionRecord], episode: EpisodeRecord | None
) -> Iterator[Stated]:
    stand = standing([correction_of(record) for record in records])
    heard = {claim.key for claims in settled(stand).values() for claim in claims}
    run = current_run_of(connection, episode.id) if episode else None
    found = _Found(run, raw_appearances(connection, run.id) if run else [])
    by_key = {record.key: record for record in records}
    for one in stand:
        record = by_key[one.key]
        is_heard = one.key in heard
        yield Stated(
            correction=shown(record, episode, stands=True),
            status=found.status(one, record) if is_heard else "replaced",
            shown_model=run.model if run else None,
            found_confidence=found.confidence(one),
        )


@dataclass(frozen=True)
class _Found:
    """The raw result of the shown run."""

    run: RunRecord | None
    appearances: Sequence[AppearanceRecord]

    def status(self, one: Correction, record: CorrectionRecord) -> Status:
        """Return the status of one correction."""
        if self.run is None:
            return "untagged"
        if self._agrees(one, self.run.time_base):
            return "agrees"
        return "contradicted" if self._contradicts(one, record, self.run) else "needed"

    def confidence(self, one: Correction) -> float | None:
        """Return the run's confidence in the judged label, where it has tags of it."""
        found = [item.mean_confidence for item in self._inside(one.label, _range(one))]
        return max(found, default=None)

    def _agrees(self, one: Correction, time_base: Fraction) -> bool:
        match one.verdict:
            case Verdict.WRONG:
                return not self._is_shown(one.label, _range(one))
            case Verdict.RELABEL:
                assert one.other is not None
                is_still = self._is_shown(one.label, _range(one))
                return not is_still and self._is_shown(one.other, _range(one))
            case Verdict.TRIM:
                assert one.part is not None
                own = self._ranges(one.label, _range(one))
                apart = total(difference(own, [one.part])) + total(difference([one.part], own))
                return apart * time_base <= BORDER_SECONDS
            case _:
                return self._is_shown(one.label, _range(one))

    def _contradicts(self, one: Correction, record: CorrectionRecord, run: RunRecord) -> bool:
        """Tell whether another model denies a confirmed label, or is surer of a wrong one."""
        if run.model == record.model:
            return False
        if one.verdict is Verdict.RIGHT:
            return True
        if one.verdict not in (Verdict.WRONG, Verdict.RELABEL):
            return False
        return self._is_shown(one.label, _range(one)) and (
            (self.confidence(one) or 0.0) > (record.confidence or 0.0)
        )

    def _is_shown(self, label: str, within: PtsRange) -> bool:
        return total(self._ranges(label, within)) >= MOST * (within[1] - within[0])

    def _ranges(self, label: str, within: PtsRange) -> PtsRanges:
        own = [(item.start_pts, item.end_pts) for item in self._inside(label, within)]
        return intersection(sorted(own), [within])

    def _inside(self, label: str, within: PtsRange) -> list[AppearanceRecord]:
        return [
            item
            for item in self.appearances
            if item.label == label and item.start_pts < within[1] and within[0] < item.end_pts
        ]


def _range(one: Correction) -> PtsRange:
    return one.start_pts, one.end_pts
