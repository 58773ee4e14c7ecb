"""Find the episode, label, season or expression that a user names."""

import shlex
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from castline.asking.cast import Cast, cast_of
from castline.asking.timelines import episode_of_file
from castline.errors import NotFoundError
from db.engine import Transaction
from db.library.current import RunSelection
from db.library.episodes import (
    distinct_names,
    find_episode,
    find_episodes,
    letters_of,
    list_episodes,
)
from db.library.runs import current_run_of, latest_run_of, selected_run_of
from db.questions.appearances import ANY_SEASON, Season, examined_seasons
from db.records import EpisodeRecord, RunRecord
from model.labels import require_label_of

if TYPE_CHECKING:
    from timeline.expressions import Expression


EpisodeReference: TypeAlias = str | int
"""An episode's number in this library, or a text that may be any of its names."""


def require_episode(connection: Transaction, reference: EpisodeReference) -> EpisodeRecord:
    """Return the one episode that a reference matches.

    Raises:
        NotFoundError: No episode matches, or several do.
    """
    if isinstance(reference, int):
        return _numbered(connection, reference)
    if not reference:  # the empty text is a part of every name
        raise NotFoundError("an episode without a name: give one; castline episodes lists them")
    by_content = _episode_of_file(connection, reference)
    writable = reference.encode(errors="replace").decode()  # no row has a name that is not UTF-8
    found = [by_content] if by_content else find_episodes(connection, writable)
    if len(found) == 1:
        return found[0]
    if found:
        names = shown_names(connection, {item.id: item.name for item in found})
        fitting = ", ".join(
            f"{names[item.id]} ({', '.join(filter(None, [item.called.text, str(item.id)]))})"
            for item in found[:5]
        )
        more = f" and {len(found) - 5} more" if len(found) > 5 else ""
        raise NotFoundError(
            f"{reference}: several episodes fit: {fitting}{more}; give one of these names, or its"
            " number, which stands last in brackets"
        )
    known = [item.name for item in list_episodes(connection)]
    close = get_close_matches(reference, known, n=3, cutoff=0.4)
    hint = f"did you mean {' or '.join(close)}?" if close else "castline episodes lists them"
    raise NotFoundError(f"{reference}: no such episode here; {hint}")


def _numbered(connection: Transaction, number: int) -> EpisodeRecord:
    found = find_episode(connection, number)
    if found is None:
        raise NotFoundError(f"episode {number}: is not here; castline episodes lists them")
    return found


def shown_names(connection: Transaction, names: Mapping[int, str]) -> dict[int, str]:
    """What episodes are called in a list, by their ids: of twins, as much as tells them apart.

    Args:
        connection: An open transaction.
        names: The names of their files.
    """
    distinct = distinct_names(connection, set(names.values()))
    return {key: distinct.get(key, name) for key, name in names.items()}


def _episode_of_file(connection: Transaction, reference: str) -> EpisodeRecord | None:
    try:
        return episode_of_file(connection, Path(reference))
    except (OSError, ValueError):
        return None  # for example, too long for a file name: not a file


def require_tagged_episode(connection: Transaction, reference: EpisodeReference) -> EpisodeRecord:
    """Return the one episode that a reference matches, and that has a current run.

    Raises:
        NotFoundError: No episode matches, or several do, or it has no finished run.
    """
    episode = require_episode(connection, reference)
    if current_run_of(connection, episode.id) is None:
        latest = latest_run_of(connection, episode.id)
        state = f"its run is {latest.state}" if latest else "it has no run"
        raise NotFoundError(
            f"{episode.name}: nothing to show yet, {state};"
            f" run: castline tag {shlex.quote(episode.uri)}"
        )
    return episode


def require_selected_run(
    connection: Transaction, episode: EpisodeRecord, selection: RunSelection
) -> RunRecord:
    """Return the run of an episode to which a question refers.

    Raises:
        NotFoundError: The episode has no such run.
    """
    run = selected_run_of(connection, episode.id, selection)
    if run is None:
        raise NotFoundError(
            f"{episode.name}: no such run of this episode that ended; castline status lists them"
        )
    return run


def asked_episode_id(
    connection: Transaction, reference: EpisodeReference | None, selection: RunSelection
) -> int | None:
    """Return the one episode to which a question is limited; None for all of them.

    Raises:
        NotFoundError: No episode matches, or several do, or none of the runs covers it.
    """
    if reference is None:
        return None
    episode = require_tagged_episode(connection, reference)
    require_selected_run(connection, episode, selection)
    return episode.id


def asked_season(
    connection: Transaction,
    season: int | None,
    series: str | None,
    selection: RunSelection,
    *,
    adds_up: bool = False,
) -> Season:
    """Return the season, or the series, to which a question is limited.

    Args:
        connection: An open transaction.
        season: Which; None for all.
        series: Its name or a part of it; None for all.
        selection: The runs that the question is about.
        adds_up: Whether the answer adds episodes together: then it must be of one series.

    Raises:
        NotFoundError: None of the runs covers an episode of it, or it is one of several series.
    """
    if season is None and series is None:
        return ANY_SEASON
    examined = examined_seasons(connection, selection)
    name = None if series is None else _meant_series(series, {each for each, _ in examined if each})
    found = [
        each
        for each, number in examined
        if (name is None or each == name) and (season is None or number == season)
    ]
    if not found:
        by_those = "" if selection.is_current else " by the run or model that is asked for"
        of_it = "" if name is None else f" of {name}"
        raise NotFoundError(
            f"--season {season}: no episode of it{of_it} was tagged{by_those}; castline status"
            " lists runs"
        )
    if adds_up and name is None and len(found) > 1:
        listed = ", ".join(each or "episodes of no known series" for each in found)
        raise NotFoundError(
            f"--season {season}: is one of several series, which are not added together: {listed};"
            " add --series"
        )
    return Season(season, name)


def _meant_series(reference: str, known: Collection[str]) -> str:
    asked = letters_of(reference)
    exact = [name for name in known if name == reference] or [
        name for name in known if letters_of(name) == asked
    ]
    found = sorted(exact or [name for name in known if asked and asked in letters_of(name)])
    if len(found) == 1:
        return found[0]
    if found:
        raise NotFoundError(f"--series {reference}: several fit: {', '.join(found)}; name one")
    listed = f"known are {', '.join(sorted(known))}" if known else "castline episodes edit sets it"
    raise NotFoundError(f"--series {reference}: no tagged episode is of such a series; {listed}")


def require_label(connection: Transaction, reference: str) -> str:
    """Return the one label for a label, a display name in any spelling, or a part of either.

    The label `unknown` is never returned, since no tag has it.

    Raises:
        NotFoundError: No label matches, or several do.
        LabelError: No label can be derived from the text.
    """
    return _meant(cast_of(connection), reference)


def _meant(cast: Cast, reference: str) -> str:
    fitting = cast.fitting(reference)
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise NotFoundError(f"{reference}: several labels fit: {', '.join(fitting)}; name one")
    if not cast.labels:
        raise NotFoundError(f"{reference}: nothing was tagged yet; run: castline tag EPISODE")
    require_label_of(reference, "label")
    close = cast.close_to(reference)
    hint = f"did you mean {' or '.join(close)}?" if close else f"known are {', '.join(cast.labels)}"
    raise NotFoundError(f"{reference}: no such label; {hint}")


def read_expression(connection: Transaction, text: str) -> "Expression":
    """Parse an expression, and replace names by the labels that they stand for.

    Raises:
        ExpressionError: The expression cannot be parsed.
        NotFoundError: A name matches no label, or several.
    """
    from timeline.expressions import parse_expression, with_labels

    expression = parse_expression(text)
    cast = cast_of(connection)
    return with_labels(expression, lambda name: _meant(cast, name))
