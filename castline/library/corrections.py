"""What people say of a library's answers."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from castline.asking.times import Time
from castline.corrections.values import AUDIT_MOMENTS
from castline.errors import as_castline_errors
from castline.library.opened import Opened
from castline.tables import Table

if TYPE_CHECKING:
    from castline.corrections.review import Audit
    from castline.corrections.values import (
        Correction,
        Doubt,
        DoubtKind,
        Imported,
        Judged,
        Stated,
    )


class CorrectionMethods(Opened):
    """Answers judged, once and for every run to come.

    What is said of an episode is kept by its content and exact ranges: it counts in all runs over
    it, however often they are made again.
    """

    @as_castline_errors()
    def correct(
        self,
        episode: str,
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
        """Says of a label that it is right or wrong somewhere, another one, or missing.

        Args:
            episode: Which.
            label: Whose appearance is judged; None with `add`.
            at: In the shot at this time.
            from_: From here on.
            to: Until here.
            whole: In the whole appearance at this time, whatever shots it goes through.
            is_: It is this one; `unknown` is as `wrong`.
            wrong: It is nobody known.
            right: It is on screen as is shown.
            add: This one is on screen, too.
            start: The appearance at this time starts here.
            end: It ends here.
            new: The label that is given may be one that nobody knows yet.
            author: Who says so; None for the user of this machine.
            reason: Why.

        Returns:
            What was written down.
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
        self, episode: str | None = None, *, limit: int | None = None
    ) -> "Table[Correction]":
        """Returns what people said of an episode or of all, the latest first."""
        from castline.corrections.managing import corrections

        return corrections(self._installation, episode, limit)

    @as_castline_errors()
    def undo_corrections(
        self, keys: Sequence[str], *, author: str | None = None, reason: str = ""
    ) -> "Judged":
        """Takes corrections back, by their keys or the first digits of these.

        To take an undoing back brings its correction back.
        """
        from castline.corrections.managing import undo

        return undo(self._installation, keys, author, reason)

    @as_castline_errors()
    def export_corrections(
        self, output: str | Path, episode: str | None = None, *, force: bool = False
    ) -> int:
        """Writes all corrections, or those of an episode, into a JSON file; returns how many."""
        from castline.corrections.managing import export

        return export(self._installation, Path(output), episode, force=force)

    @as_castline_errors()
    def import_corrections(self, path: str | Path) -> "Imported":
        """Takes over corrections from a file; those that are here already change nothing."""
        from castline.corrections.managing import import_

        return import_(self._installation, Path(path))

    @as_castline_errors()
    def corrections_status(self, episode: str | None = None) -> "Table[Stated]":
        """Returns of each correction whether what the shown run found makes it needless.

        `agrees`: the run says the same by itself; `needed`: it does not; `contradicted`: another
        model than the one that was judged denies what was confirmed, or is surer of what was wrong;
        `replaced`: later corrections speak of all its range; `untagged`: nothing is shown of it.
        """
        from castline.corrections.standing import status

        return status(self._installation, episode)

    @as_castline_errors()
    def review(
        self,
        episode: str | None = None,
        *,
        kinds: Collection["DoubtKind | str"] = (),
        limit: int | None = None,
    ) -> "Table[Doubt]":
        """Returns what is most worth a look, of each kind in turn, and was not judged yet.

        Args:
            episode: Only in this episode.
            kinds: Only these: unsure, isolated, confused, stranger, missed; none for all.
            limit: At most so many rows.
        """
        from castline.corrections.review import review

        return review(self._installation, episode, kinds, limit)

    @as_castline_errors()
    def audit(
        self, moments: int = AUDIT_MOMENTS, *, episode: str | None = None, seed: int = 0
    ) -> "Audit":
        """Returns a random sample of what models found, and how many of it people found right.

        Args:
            moments: How many are drawn.
            episode: Only in this episode.
            seed: Another one draws others.
        """
        from castline.corrections.review import audit

        return audit(self._installation, moments, episode, seed)
