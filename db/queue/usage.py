"""Chunks in use, checked before files are removed."""

from dataclasses import dataclass

from sqlalchemy import Connection, and_, or_, select

from db.schema import chunk, episode, run
from db.states import OPEN_CHUNK_STATES, OPEN_RUN_STATES, ChunkState
from exact.picture_area import PictureArea


@dataclass(frozen=True)
class ChunkInUse:
    """A chunk that is claimed, or extracted and not yet tagged."""

    sha256: str
    """SHA-256 of its episode."""
    params: str
    """Parameters of its run."""
    area: PictureArea
    start_pts: int
    end_pts: int
    is_extracted: bool


def chunks_in_use(connection: Connection) -> list[ChunkInUse]:
    """Return the chunks whose frames, or whose episode's file, must be kept now."""
    rows = connection.execute(
        select(
            chunk.c.start_pts,
            chunk.c.end_pts,
            chunk.c.state,
            run.c.params,
            episode.c.sha256,
            episode.c.area_x,
            episode.c.area_y,
            episode.c.area_width,
            episode.c.area_height,
        )
        .join(run, run.c.id == chunk.c.run_id)
        .join(episode, episode.c.id == run.c.episode_id)
        .where(
            or_(
                and_(chunk.c.state == ChunkState.EXTRACTED, run.c.state.in_(OPEN_RUN_STATES)),
                and_(chunk.c.state.in_(OPEN_CHUNK_STATES), chunk.c.worker.is_not(None)),
            )
        )
    )
    return [
        ChunkInUse(
            sha256=row.sha256,
            params=row.params,
            area=PictureArea(row.area_x, row.area_y, row.area_width, row.area_height),
            start_pts=row.start_pts,
            end_pts=row.end_pts,
            is_extracted=row.state is ChunkState.EXTRACTED,
        )
        for row in rows
    ]
