"""Pages of episodes and of runs."""

from castline.asking.cast import cast_of
from castline.asking.cursors import cursor_of, place_of
from castline.asking.names import EpisodeReference, require_episode, require_label
from castline.asking.questions import listed_episodes
from castline.browsing.values import (
    Activity,
    BrowsedEpisode,
    CastMember,
    EpisodeDetails,
    EpisodePage,
    NamedLabel,
    RunPage,
)
from castline.errors import RequestError
from castline.tables import Table, columns_of
from castline.tagging.runs import shown_runs
from db.engine import Transaction
from db.library.browsing import (
    EpisodeFilter,
    EpisodeOrder,
    browse_episodes,
    count_episodes,
    ended_run_ids,
    kinds_of,
    known_series,
    latest_runs,
    open_run_ids,
    run_steps,
    shown_casts,
    shown_run_ids,
)
from db.library.runs import current_run_of
from db.records import EpisodeRecord
from db.states import RunState
from worker.alive import living_workers
from worker.installation import Installation
from worker.parameters import RunParameters

MOST_ROWS = 200
"""Largest page: its answer takes some milliseconds of the database's time."""


def browse(
    installation: Installation,
    *,
    text: str,
    series: str | None,
    season: int | None,
    label: str | None,
    state: RunState | None,
    order: EpisodeOrder,
    after: str | None,
    limit: int,
) -> EpisodePage:
    """Return a page of episodes; see `Library.browse`."""
    if not 1 <= limit <= MOST_ROWS:
        raise RequestError(f"limit {limit}: ask for 1 to {MOST_ROWS} episodes")
    place = None if after is None else place_of(order, after, kinds_of(order))
    with installation.database.read() as connection:
        known = None if label is None else require_label(connection, label)
        wanted = EpisodeFilter(text.strip(), series, season, known, state)
        found = browse_episodes(connection, wanted, order, place, limit)
        rows = _browsed(connection, [item.id for item in found.episodes])
        total = count_episodes(connection, wanted)
    cursor = cursor_of(order, found.last)
    return EpisodePage(rows, columns_of(BrowsedEpisode), cursor is not None, cursor, total)


def labels(installation: Installation) -> Table[NamedLabel]:
    """Return all known labels with their names; see `Library.labels`."""
    with installation.database.read() as connection:
        cast = cast_of(connection)
    rows = tuple(NamedLabel(label, cast.names[label]) for label in cast.labels)
    return Table(rows, columns_of(NamedLabel))


def series_and_seasons(installation: Installation) -> dict[str, tuple[int, ...]]:
    """Return the known seasons of each series; see `Library.series`."""
    found: dict[str, tuple[int, ...]] = {}
    with installation.database.read() as connection:
        for series, season in known_series(connection):
            found[series] = (*found.get(series, ()), *([] if season is None else [season]))
    return found


def details(installation: Installation, reference: EpisodeReference) -> EpisodeDetails:
    """Return an episode with what is known of its file; see `Library.episode`."""
    with installation.database.read() as connection:
        known = require_episode(connection, reference)
        [browsed] = _browsed(connection, [known.id])
        run = current_run_of(connection, known.id)
    everything = ((0.0, float(known.duration_seconds)),)
    return EpisodeDetails(
        browsed=browsed,
        container=known.container,
        codec=known.codec,
        area=_area_of(known),
        unexamined=run.unexamined_seconds if run else everything,
        every_seconds=float(RunParameters.from_json(run.params).every_seconds) if run else None,
    )


def _area_of(episode: EpisodeRecord) -> tuple[float, float, float, float]:
    area = episode.area
    return (
        area.x / episode.width,
        area.y / episode.height,
        area.width / episode.width,
        area.height / episode.height,
    )


def _browsed(connection: Transaction, ids: list[int]) -> tuple[BrowsedEpisode, ...]:
    """Return episodes with their casts and states, in the order of the ids."""
    episodes = {item.id: item for item in listed_episodes(connection, ids)}
    casts = shown_casts(connection, ids)
    shown = shown_run_ids(connection, ids)
    runs = latest_runs(connection, ids)
    rows = []
    for number in ids:
        run = runs.get(number)
        rows.append(
            BrowsedEpisode(
                episodes[number],
                tuple(CastMember(*each) for each in casts.get(number, ())),
                run.state if run else None,
                run.run_id if run else None,
                run.chunks_done if run else 0,
                run.chunks_total if run else 0,
                shown.get(number),
            )
        )
    return tuple(rows)


def run_page(installation: Installation, before: int | None, limit: int) -> RunPage:
    """Return open and ended runs; see `Library.run_page`."""
    if not 1 <= limit <= MOST_ROWS:
        raise RequestError(f"limit {limit}: ask for 1 to {MOST_ROWS} runs")
    with installation.database.read() as connection:
        ended = ended_run_ids(connection, before, limit + 1)
        open_ids = open_run_ids(connection) if before is None else []
        shown = {run.id: run for run in shown_runs(connection, [*open_ids, *ended[:limit]])}
    more = ended[limit - 1] if len(ended) > limit else None
    return RunPage(
        tuple(shown[number] for number in open_ids),
        tuple(shown[number] for number in ended[:limit]),
        more,
    )


def activity(installation: Installation) -> Activity:
    """Return what changes while work goes on; see `Library.activity`."""
    with installation.database.read() as connection:
        return Activity(tuple(run_steps(connection)), len(living_workers(connection)))
