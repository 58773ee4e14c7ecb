"""What a browser shows of a library."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from castline.asking.names import EpisodeReference
from castline.asking.times import Time
from castline.choices import chosen
from castline.errors import as_castline_errors
from castline.library.opened import Opened
from castline.tables import Table
from db.states import RunState

if TYPE_CHECKING:
    from castline.browsing.values import (
        Activity,
        Contact,
        EpisodeDetails,
        EpisodePage,
        NamedLabel,
        OpenVideo,
        RunPage,
    )


class BrowsingMethods(Opened):
    """Pages of a large library, pictures of episodes, and their files."""

    @as_castline_errors()
    def browse(
        self,
        *,
        text: str = "",
        series: str | None = None,
        season: int | None = None,
        label: str | None = None,
        state: str | None = None,
        order: str = "called",
        after: str | None = None,
        limit: int = 24,
    ) -> "EpisodePage":
        """Return a page of episodes with their casts and states, however large the library.

        Args:
            text: Only episodes with this part in their file name, series or title.
            series: Only of this series, whose whole name this is.
            season: Only of this season.
            label: Only episodes in which this character appears.
            state: Only episodes whose run that was enqueued last has this state.
            order: `called` (series, season, number), `name`, `newest` or `longest`.
            after: Cursor of the page, from the page before; None for the first one.
            limit: Maximum number of episodes, 1 to 200.

        Returns:
            The episodes, and the cursor of the next page.

        Raises:
            NotFoundError: The label matches no character, or several.
            RequestError: A word, the cursor or the limit is invalid.
        """
        from castline.browsing import listing
        from db.library.browsing import EpisodeOrder

        return listing.browse(
            self._installation,
            text=text,
            series=series,
            season=season,
            label=label,
            state=None if state is None else chosen(RunState, state),
            order=chosen(EpisodeOrder, order),
            after=after,
            limit=limit,
        )

    @as_castline_errors()
    def labels(self) -> "Table[NamedLabel]":
        """Return every label that a model or a person can give, with its display name."""
        from castline.browsing.listing import labels

        return labels(self._installation)

    @as_castline_errors()
    def series(self) -> dict[str, tuple[int, ...]]:
        """Return the known seasons of each series."""
        from castline.browsing.listing import series_and_seasons

        return series_and_seasons(self._installation)

    @as_castline_errors()
    def episode(self, episode: EpisodeReference) -> "EpisodeDetails":
        """Return one episode, its cast, and what is known of its file and its current run.

        Args:
            episode: The episode.

        Raises:
            NotFoundError: No episode matches, or several do.
        """
        from castline.browsing.listing import details

        return details(self._installation, episode)

    @as_castline_errors()
    def still(self, episode: EpisodeReference, at: Time | None = None) -> bytes:
        """Return the stored frame that is on display at a time, as JPEG.

        Args:
            episode: The episode.
            at: The time; None for the middle of the longest appearance.

        Raises:
            NotFoundError: No episode matches, or several do, or no frames are stored.
            MediaError: The frame store cannot be read.
        """
        from castline.browsing.pictures import still

        return still(self._installation, episode, at)

    @as_castline_errors()
    def contact(self, episode: EpisodeReference) -> "Contact":
        """Return the geometry and the times of an episode's contact sheets.

        Raises:
            NotFoundError: No episode matches, or several do, or no frames are stored.
        """
        from castline.browsing.pictures import contact

        return contact(self._installation, episode)

    @as_castline_errors()
    def contact_sheet(self, episode: EpisodeReference, number: int) -> bytes:
        """Return a contact sheet of at most 100 stored frames, as JPEG.

        Args:
            episode: The episode.
            number: Number of the sheet, from 0.

        Raises:
            NotFoundError: No episode matches, or several do, or there is no such sheet.
            MediaError: The frame store cannot be read.
        """
        from castline.browsing.pictures import sheet

        return sheet(self._installation, episode, number)

    @contextmanager
    def open_video(self, episode: EpisodeReference) -> "Iterator[OpenVideo]":
        """Open an episode's file, which is closed at the end of `with`.

        The file that was checked to lie under the media roots is the one that is read, whatever
        becomes of its name.

        Raises:
            NotFoundError: No episode matches, or several do.
            RequestError: The file is gone.
            MediaError: The file was changed, cannot be read, or lies outside the media roots.
        """
        from castline.browsing.videos import open_video

        with as_castline_errors(), open_video(self._installation, episode) as video:
            yield video

    @as_castline_errors()
    def run_page(self, *, before: int | None = None, limit: int = 50) -> "RunPage":
        """Return all runs with work left, and a page of those that ended.

        Args:
            before: Only ended runs that are older than this run; None for the first page.
            limit: Maximum number of ended runs, 1 to 200.
        """
        from castline.browsing.listing import run_page

        return run_page(self._installation, before, limit)

    @as_castline_errors()
    def activity(self) -> "Activity":
        """Return what changes while the queue is worked on, in a query or two."""
        from castline.browsing.listing import activity

        return activity(self._installation)
