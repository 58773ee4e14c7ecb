"""What recurs in the episodes of a library."""

from typing import TYPE_CHECKING

from castline.errors import as_castline_errors
from castline.library.opened import Opened
from castline.progress import Progress, tell_nobody

if TYPE_CHECKING:
    from castline.repeats.values import Repeats, RepeatsFound


class RepeatMethods(Opened):
    """Openings, credits and whatever else recurs in the episodes of a series.

    They are stored with the episode, in its own time base: they outlive reruns and moved files.
    """

    @as_castline_errors()
    def find_repeats(
        self,
        *episodes: str,
        series: str | None = None,
        decode: bool = False,
        on_progress: Progress = tell_nobody,
    ) -> "RepeatsFound":
        """Search the stored frames of episodes for what recurs in others of their series.

        A range recurs if it lasts at least 10 seconds and is in two of the three episodes before
        and the three after; in one, if only two can be compared. What was found in these episodes
        before is replaced.

        Args:
            episodes: Search these; none means all tagged ones.
            series: Only episodes of this series: its name, or a part of it.
            decode: Decode again episodes whose frames are not stored.
            on_progress: Called after each episode that was read.

        Returns:
            The ranges that recur, and the episodes that could not be searched.

        Raises:
            NotFoundError: A name matches no episode or series, or several.
            MediaError: The frame store is on storage that does not answer, or full.
        """
        from castline.repeats.finding import find_repeats

        return find_repeats(
            self._installation, episodes, series, decode=decode, on_progress=on_progress
        )

    @as_castline_errors()
    def repeats(self, *episodes: str, series: str | None = None) -> "Repeats":
        """Return what the last searches found.

        Args:
            episodes: Only in these episodes.
            series: Only in episodes of this series.

        Returns:
            The ranges that recur, and the episodes that were never searched.

        Raises:
            NotFoundError: A name matches no episode or series, or several.
        """
        from castline.repeats.listing import repeats

        return repeats(self._installation, episodes, series)

    @as_castline_errors()
    def unsearched(
        self,
        *,
        episode: str | None = None,
        season: int | None = None,
        series: str | None = None,
        run: int | None = None,
        model: str | None = None,
    ) -> tuple[str, ...]:
        """Return the names of the episodes of a question in which no repeats were sought.

        With `skip_repeats`, the answer holds all of these.

        Args:
            episode: The question is about this episode.
            season: It is about this season.
            series: It is about this series.
            run: It uses this run.
            model: It uses this model's runs.

        Raises:
            NotFoundError: A name matches no episode, or several, or there is no such run.
        """
        from castline.repeats.listing import unsearched

        return unsearched(
            self._installation, episode=episode, season=season, series=series, run=run, model=model
        )
