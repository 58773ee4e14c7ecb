"""The queue: runs, workers, and files to enqueue."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from starlette.exceptions import HTTPException
from starlette.responses import StreamingResponse

from web.api import schemas
from web.api.conditional import ConditionalRoute
from web.api.episodes import Answers
from web.intake import Intake
from web.serving import Asked, IdempotencyKey, RateLimited, Served

router = APIRouter(tags=["queue"], route_class=ConditionalRoute)

RunId = Annotated[int, Path(ge=1, le=2**31 - 1, description="Number of the run.")]

_EVENTS: Answers = {
    200: {
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
        "description": "An event `queue` now, and one for each change.",
    }
}


@router.get("/runs")
def runs(
    library: Asked,
    before: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> schemas.Runs:
    """List all runs with work left, and a page of those that ended."""
    page = library.run_page(before=before, limit=limit)
    return schemas.Runs(
        open=[schemas.Run.of(run) for run in page.open_runs],
        ended=[schemas.Run.of(run) for run in page.ended_runs],
        next=page.next,
    )


@router.get("/workers")
def workers(library: Asked) -> list[schemas.Worker]:
    """List the processes that work on the queue."""
    return [schemas.Worker.of(worker) for worker in library.workers()]


@router.get("/intakes")
def intakes(serving: Served) -> list[schemas.Intake]:
    """List the requests to enqueue files, the latest first."""
    return [_shown(intake) for intake in serving.intakes.shown()]


@router.get("/intakes/{number}")
def intake(serving: Served, number: Annotated[int, Path(ge=1, le=2**31 - 1)]) -> schemas.Intake:
    """Say what became of a request to enqueue files."""
    found = serving.intakes.get(number)
    if found is None:
        raise HTTPException(404, f"intake {number}: is not known, or was forgotten")
    return _shown(found)


@router.post("/intakes", status_code=202, dependencies=[RateLimited])
def enqueue(
    serving: Served,
    wanted: schemas.NewIntake,
    response: Response,
    idempotency_key: IdempotencyKey = None,
) -> schemas.Intake:
    """Enqueue a file or a folder under the media roots.

    Files are read in the background; the answer's address says what became of them.
    """
    taken = serving.keys.once(
        idempotency_key,
        wanted.model_dump_json(),
        lambda: serving.intakes.add(wanted.path, model=wanted.model, lane=wanted.lane),
    )
    response.headers["location"] = f"/api/v1/intakes/{taken.id}"
    return _shown(taken)


def _shown(intake: Intake) -> schemas.Intake:
    return schemas.Intake.model_validate(vars(intake))


@router.post("/runs/{run_id}/cancel", dependencies=[RateLimited])
def cancel(library: Asked, run_id: RunId) -> schemas.RunState:
    """Stop a run; what was extracted and tagged is kept for a retry."""
    state, _ = library.cancel(run_id)
    return schemas.RunState(run=run_id, state=state)


@router.post("/runs/{run_id}/retry", dependencies=[RateLimited])
def retry(library: Asked, run_id: RunId) -> schemas.RunState:
    """Queue the unfinished work of a cancelled, failed or partial run again."""
    state, _ = library.retry(run_id)
    return schemas.RunState(run=run_id, state=state)


@router.get("/events", response_class=StreamingResponse, responses=_EVENTS)
async def events(serving: Served) -> StreamingResponse:
    """Tell when the queue moved on, as server-sent events."""
    return StreamingResponse(serving.watcher.watch(), media_type="text/event-stream")
