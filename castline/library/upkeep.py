"""Maintenance of a library."""

from pathlib import Path
from typing import TYPE_CHECKING

from castline.errors import as_castline_errors
from castline.library.opened import Opened
from castline.tables import Table

if TYPE_CHECKING:
    from castline.asking.values import Episode
    from castline.upkeep.checkup import Finding
    from castline.upkeep.database import Upgraded
    from castline.upkeep.episodes import Locating, Removal
    from castline.upkeep.pruning import Pruning


class UpkeepMethods(Opened):
    """Checking, pruning and upgrading an installation; naming, locating and removing episodes."""

    @as_castline_errors()
    def edit_episodes(
        self,
        *episodes: str,
        series: str | None = None,
        season: int | None = None,
        number: int | None = None,
        title: str | None = None,
    ) -> "Table[Episode]":
        """Set the series, season, number and title of episodes; None leaves a value unchanged.

        Args:
            episodes: Which.
            series: Name of the series; an empty text removes it.
            season: Number of the season.
            number: Number of the episode in its season.
            title: Title of the episode; an empty text removes it.

        Returns:
            The episodes with their new names.
        """
        from castline.upkeep.episodes import edit

        return edit(
            self._installation, episodes, series=series, season=season, number=number, title=title
        )

    @as_castline_errors()
    def locate_episodes(self, *folders: str | Path) -> "Locating":
        """Find moved or renamed files of episodes by their size and SHA-256.

        The episodes take the new names and paths; their old names remain valid references.

        Args:
            folders: Folders to search with their subfolders.
        """
        from castline.upkeep.episodes import locate

        return locate(self._installation, [Path(folder) for folder in folders])

    @as_castline_errors()
    def plan_episode_removal(self, *episodes: str) -> "Removal":
        """Return what removing these episodes would remove; change nothing."""
        from castline.upkeep.episodes import plan_removal

        return plan_removal(self._installation, episodes)

    @as_castline_errors()
    def remove_episodes(self, removal: "Removal") -> None:
        """Remove episodes with their runs and stored frames, never their files."""
        from castline.upkeep.episodes import remove

        remove(self._installation, removal)

    @as_castline_errors()
    def check_up(self) -> "Table[Finding]":
        """Check every part of the installation.

        Returns:
            A finding per check, with the remedy for each problem.
        """
        from castline.upkeep.checkup import check_installation

        return check_installation(self.settings)

    @as_castline_errors()
    def plan_pruning(self) -> "Pruning":
        """Find runs, stored frames and models that nothing refers to; change nothing.

        Returns:
            The plan for `prune`.
        """
        from castline.upkeep.pruning import plan_pruning

        return plan_pruning(self._installation)

    @as_castline_errors()
    def prune(self, pruning: "Pruning") -> None:
        """Remove the items of a plan, except those that came into use since.

        Args:
            pruning: A plan from `plan_pruning`.

        Raises:
            MediaError: The frame store is on storage that does not answer.
        """
        from castline.upkeep.pruning import prune

        prune(self._installation, pruning)

    @as_castline_errors()
    def upgrade_database(self) -> "Upgraded":
        """Upgrade the database to this version's schema; other methods do so automatically.

        Returns:
            The database, and whether it was changed.
        """
        from castline.upkeep.database import upgrade

        return upgrade(self.settings)
