"""Keeping a library well."""

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
    """Checked, pruned, upgraded; episodes named, found again and removed."""

    @as_castline_errors()
    def edit_episodes(
        self,
        *episodes: str,
        series: str | None = None,
        season: int | None = None,
        number: int | None = None,
        title: str | None = None,
    ) -> "Table[Episode]":
        """Sets what episodes are called, whatever their paths tell; None leaves what there is.

        Args:
            episodes: Which.
            series: What the series is called; an empty text forgets it.
            season: Its number.
            number: Of the episode in its season.
            title: Of the episode; an empty text forgets it.

        Returns:
            The episodes, as they are called now.
        """
        from castline.upkeep.episodes import edit

        return edit(self._place, episodes, series=series, season=season, number=number, title=title)

    @as_castline_errors()
    def locate_episodes(self, *folders: str | Path) -> "Locating":
        """Finds episodes' files that were moved or renamed, by their size and SHA-256.

        Their names and paths follow; the old names are understood, too.

        Args:
            folders: Where to look, however deep the files lie.
        """
        from castline.upkeep.episodes import locate

        return locate(self._place, [Path(folder) for folder in folders])

    @as_castline_errors()
    def plan_episode_removal(self, *episodes: str) -> "Removal":
        """Finds what would go with these episodes, and changes nothing."""
        from castline.upkeep.episodes import plan_removal

        return plan_removal(self._place, episodes)

    @as_castline_errors()
    def remove_episodes(self, removal: "Removal") -> None:
        """Removes episodes with their runs and stored frames, never their files."""
        from castline.upkeep.episodes import remove

        remove(self._place, removal)

    @as_castline_errors()
    def check_up(self) -> "Table[Finding]":
        """Checks every part of the installation, and says what to do about what is wrong."""
        from castline.upkeep.checkup import check_installation

        return check_installation(self.settings)

    @as_castline_errors()
    def plan_pruning(self) -> "Pruning":
        """Finds runs, stored frames and models that nothing refers to, and changes nothing."""
        from castline.upkeep.pruning import plan_pruning

        return plan_pruning(self._place)

    @as_castline_errors()
    def prune(self, pruning: "Pruning") -> None:
        """Removes what `plan_pruning` found, except what came into use since."""
        from castline.upkeep.pruning import prune

        prune(self._place, pruning)

    @as_castline_errors()
    def upgrade_database(self) -> "Upgraded":
        """Brings the database to this version's schema; other methods do so by themselves."""
        from castline.upkeep.database import upgrade

        return upgrade(self.settings)
