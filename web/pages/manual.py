"""The manual of the API, from its own description: no script is needed to read it."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from web.pages.rendering import page

router = APIRouter()


@router.get("/docs")
def manual(request: Request) -> Response:
    """Show each operation of the API with its parameters and its documents."""
    return page(request, "docs.html", api=request.app.openapi())
