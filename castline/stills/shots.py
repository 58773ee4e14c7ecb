"""How episodes that are composed or drawn are cut into shots."""

from timeline.appearances.shots import FRAME_RATE, shot_end, turns

__all__ = ["FRAME_RATE", "shot_end", "turns"]
