"""Series, season, number and title of an episode, read from its path."""

from dataclasses import dataclass, fields
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from rebulk.match import MatchesDict

LARGEST_NUMBER = 2**31 - 1
"""Limit of an integer column on every database."""


@dataclass(frozen=True)
class EpisodeName:
    """Series, season, number and title of an episode; None if unknown."""

    series: str | None = None
    season: int | None = None
    number: int | None = None
    title: str | None = None

    @classmethod
    def told_by(cls, path: str) -> Self:
        """Read an episode's path or URL, `Town/Season 5/Town - S05E12 - Bart Gets Famous.mkv`.

        A path without a season and a number has no name: `pilot.mkv` may be anything. A bare number
        is an episode's only beside a season, or in names like those of anime: other files have
        numbers, too.
        """
        *folders, name = PurePath(path).parts or ("",)
        if not any(letter.isdigit() for part in [*folders[-2:], name] for letter in part):
            return cls()
        found = _guess("/".join([*folders[-1:], name]))
        if folders and (folder := _guess(folders[-1])).get("season") and "title" not in folder:
            found = _guess(
                "/".join([*folders[-2:], name])
            )  # above a folder of a season: the series
        season, number = found.get("season"), found.get("episode")
        if _is_weak(found, "season"):
            season = None
        if season is None and _is_weak(found, "episode"):
            number = None
        if season is None and number is None:
            return cls()
        return cls(
            found.get("title"), _storable(season), _storable(number), found.get("episode_title")
        )

    @property
    def text(self) -> str:
        """The name as text: `The Town S05E12 Bart Gets Famous`; empty if nothing is known."""
        season = "" if self.season is None else f"S{self.season:02}"
        number = "" if self.number is None else f"E{self.number:02}"
        return " ".join(filter(None, [self.series, season + number, self.title]))

    @property
    def is_empty(self) -> bool:
        """Whether nothing is known."""
        return self == UNNAMED

    def after_move(self, old_path: str, new_path: str) -> "EpisodeName":
        """Return the name of an episode after its file was moved or renamed.

        Values that a user set stay, and all values if the new path has no name.
        """
        told_before, told_now = EpisodeName.told_by(old_path), EpisodeName.told_by(new_path)
        if told_now.is_empty:
            return self
        parts = {
            field.name: told if known == before else known
            for field in fields(self)
            for known, before, told in [
                tuple(getattr(name, field.name) for name in (self, told_before, told_now))
            ]
        }
        return EpisodeName(**parts)


UNNAMED = EpisodeName()


def _guess(path: str) -> "MatchesDict[Any]":
    """Return guessit's reading of a path, with the tags of its rules."""
    # Imported here: it takes half a second, and most commands read no new path.
    from guessit import guessit
    from guessit.api import GuessitException
    from rebulk.match import MatchesDict

    try:
        found = guessit(path, {"type": "episode", "single_value": True})
    except GuessitException:
        return MatchesDict()
    assert isinstance(found, MatchesDict)
    return found


def _is_weak(found: "MatchesDict[Any]", name: str) -> bool:
    """Tell whether guessit took bare digits for a season or a number."""
    return any(
        "weak-episode" in match.tags and "anime" not in match.tags
        for match in found.matches.get(name, ())
    )


def _storable(number: int | None) -> int | None:
    return number if number is not None and number <= LARGEST_NUMBER else None
