"""Shots of composed and drawn episodes."""

from timeline.appearances.shots import FRAME_RATE, shot_end, turns

__all__ = ["FRAME_RATE", "shot_end", "turns"]
