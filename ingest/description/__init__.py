"""The description of an episode file: packets, exact times and the active picture area."""
