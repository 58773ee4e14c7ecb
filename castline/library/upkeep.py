"""Maintenance of a library."""

from typing import TYPE_CHECKING

from castline.errors import as_castline_errors
from castline.library.opened import Opened
from castline.tables import Table

if TYPE_CHECKING:
    from castline.upkeep.checkup import Finding
    from castline.upkeep.database import Upgraded
    from castline.upkeep.pruning import Pruning


class UpkeepMethods(Opened):
    """Checking, pruning and upgrading an installation."""

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
