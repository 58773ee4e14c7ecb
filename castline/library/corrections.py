"""Corrections of a library's answers."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from castline.asking.names import EpisodeReference
from castline.asking.times import Time
from castline.corrections.values import AUDIT_MOMENTS
from castline.errors import as_castline_errors
from castline.library.opened import Opened
from castline.tables import Table

if TYPE_CHECKING:
    from castline.corrections.values import (
        Audit,
        Correction,
        Doubt,
        DoubtKind,
        Imported,
        Judged,
        Stated,
    )


class CorrectionMethods(Opened):
    """Corrections of answers, which also count in all future runs.

    A correction is stored by the episode's content and exact ranges, so it counts in all runs over
    this content, including later ones.
    """

    @as_castline_errors()
    def correct(
        self,
        episode: EpisodeReference,
        label: str | None = None,
        *,
        at: Time | None = None,
        from_: Time | None = None,
        to: Time | None = None,
        whole: bool = False,
        is_: str | None = None,
        wrong: bool = False,
        right: bool = False,
        add: str | None = None,
        start: Time | None = None,
        end: Time | None = None,
        new: bool = False,
        author: str | None = None,
        reason: str = "",
    ) -> "Judged":
        """Record that a label is right, wrong, another one, or missing in a range.

        Args:
            episode: The episode.
            label: The label whose appearance is judged; None with `add`.
            at: Judge the shot at this time.
            from_: Judge from this time on.
            to: Judge until this time.
            whole: Judge the whole appearance at `at`, across shots.
            is_: The correct label; `unknown` means the same as `wrong`.
            wrong: No known character is on screen.
            right: The answer is right.
            add: This label is also on screen.
            start: The appearance at `at` starts at this time.
            end: The appearance at `at` ends at this time.
            new: Allow a label that no model and no correction knows.
            author: Author of the correction; None for the user of this machine.
            reason: Reason of the correction.

        Returns:
            The recorded corrections.

        Raises:
            NotFoundError: A name matches no episode or label, or several.
            RequestError: The arguments do not make a verdict, or nothing is there to be judged.
            TimelineError: A time cannot be parsed.
        """
        from castline.corrections.judging import Said, correct

        said = Said(
            label=label,
            at=at,
            from_=from_,
            to=to,
            whole=whole,
            is_=is_,
            wrong=wrong,
            right=right,
            add=add,
            start=start,
            end=end,
            new=new,
            author=author,
            reason=reason,
        )
        return correct(self._installation, episode, said)

    @as_castline_errors()
    def corrections(
        self, episode: EpisodeReference | None = None, *, limit: int | None = None
    ) -> "Table[Correction]":
        """Return the corrections of an episode or of all episodes.

        Args:
            episode: Only of this episode.
            limit: Maximum number of rows.

        Returns:
            The corrections, the latest first.

        Raises:
            NotFoundError: No episode matches, or several do.
        """
        from castline.corrections.managing import corrections

        return corrections(self._installation, episode, limit)

    @as_castline_errors()
    def undo_corrections(
        self, keys: Sequence[str], *, author: str | None = None, reason: str = ""
    ) -> "Judged":
        """Undo corrections. Undoing an undoing restores its correction.

        Args:
            keys: Keys of the corrections, or their first digits.
            author: Author; None for the user of this machine.
            reason: Reason.

        Returns:
            The recorded undoings.

        Raises:
            NotFoundError: No correction matches a key, or several do.
        """
        from castline.corrections.managing import undo

        return undo(self._installation, keys, author, reason)

    @as_castline_errors()
    def export_corrections(
        self, output: str | Path, episode: EpisodeReference | None = None, *, force: bool = False
    ) -> int:
        """Write the corrections of an episode or of all episodes to a JSON file.

        Args:
            output: The file to write.
            episode: Only of this episode.
            force: Replace an existing file.

        Returns:
            The number of corrections.

        Raises:
            NotFoundError: No episode matches, or several do.
            TimelineError: The file exists or cannot be written.
        """
        from castline.corrections.managing import export

        return export(self._installation, Path(output), episode, force=force)

    @as_castline_errors()
    def import_corrections(self, path: str | Path) -> "Imported":
        """Import corrections from a file; existing ones change nothing.

        Args:
            path: A file from `export_corrections`.

        Returns:
            The numbers of new and existing corrections.

        Raises:
            RequestError: It is not a file of corrections, or one of them is invalid.
            TimelineError: The file cannot be read.
        """
        from castline.corrections.managing import import_

        return import_(self._installation, Path(path))

    @as_castline_errors()
    def corrections_status(self, episode: EpisodeReference | None = None) -> "Table[Stated]":
        """Compare each correction with the raw result of the shown run.

        The status is `agrees` if the run finds the same; `needed` if it does not; `contradicted` if
        another model than the judged one denies a confirmed label, or is more confident of a wrong
        one; `replaced` if later corrections cover its whole range; `untagged` if no run of its
        episode is shown.

        Args:
            episode: Only of this episode.

        Returns:
            The corrections with their status.

        Raises:
            NotFoundError: No episode matches, or several do.
        """
        from castline.corrections.standing import status

        return status(self._installation, episode)

    @as_castline_errors()
    def review(
        self,
        episode: EpisodeReference | None = None,
        *,
        kinds: Collection["DoubtKind | str"] = (),
        limit: int | None = None,
    ) -> "Table[Doubt]":
        """Return the answers most worth reviewing, of each kind in turn, that were not judged yet.

        Args:
            episode: Only in this episode.
            kinds: Only these kinds: unsure, isolated, confused, stranger, missed; none means all.
            limit: Maximum number of rows.

        Returns:
            The answers.

        Raises:
            NotFoundError: No episode matches, or several do.
        """
        from castline.corrections.review import review

        return review(self._installation, episode, kinds, limit)

    @as_castline_errors()
    def audit(
        self,
        moments: int = AUDIT_MOMENTS,
        *,
        episode: EpisodeReference | None = None,
        seed: int = 0,
    ) -> "Audit":
        """Return a random sample of answers, and the share of them that was judged right.

        Args:
            moments: Size of the sample.
            episode: Only in this episode.
            seed: Each seed draws another sample.

        Returns:
            The sample with its verdicts and the estimated precision.

        Raises:
            NotFoundError: No episode matches, or several do.
        """
        from castline.corrections.review import audit

        return audit(self._installation, moments, episode, seed)
