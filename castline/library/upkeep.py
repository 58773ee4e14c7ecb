"""Keeping a library well."""

from typing import TYPE_CHECKING

from castline.errors import as_castline_errors
from castline.library.opened import Opened
from castline.tables import Table

if TYPE_CHECKING:
    from castline.upkeep.checkup import Finding
    from castline.upkeep.database import Upgraded
    from castline.upkeep.pruning import Pruning


class UpkeepMethods(Opened):
    """Checked, pruned, upgraded."""

    @as_castline_errors()
    def check_up(self) -> "Table[Finding]":
        """Checks every part of the installation, and says what to do about what is wrong."""
        from castline.upkeep.checkup import check_installation

        return check_installation(self.settings)

    @as_castline_errors()
    def plan_pruning(self) -> "Pruning":
        """Finds runs, stored frames and models that nothing refers to, and changes nothing."""
        from castline.upkeep.pruning import plan_pruning

        return plan_pruning(self._installation)

    @as_castline_errors()
    def prune(self, pruning: "Pruning") -> None:
        """Removes what `plan_pruning` found, except what came into use since."""
        from castline.upkeep.pruning import prune

        prune(self._installation, pruning)

    @as_castline_errors()
    def upgrade_database(self) -> "Upgraded":
        """Brings the database to this version's schema; other methods do so by themselves."""
        from castline.upkeep.database import upgrade

        return upgrade(self.settings)
