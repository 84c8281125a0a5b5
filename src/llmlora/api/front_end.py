"""The pages: the built front end where the package holds one, else one page that says so."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from llmlora.api.pages import STYLE_PATH, start_page, style
from llmlora.api.security.access import API_PATHS

PAGE_DIR = Path(str(resources.files("llmlora"))) / "web" / "dist"


def front_end(page_dir: Path) -> APIRouter:
    """Return the routes of the pages; every address that is none of the API's opens the front end, which routes on."""
    router = APIRouter(dependencies=[Depends(_no_route_of_the_api)], include_in_schema=False)
    router.add_api_route(STYLE_PATH, _style)
    if (page_dir / "index.html").is_file():
        router.frontend("/", directory=page_dir, fallback="index.html")
    else:
        router.add_api_route("/", _start, response_class=HTMLResponse)
    return router


def _no_route_of_the_api(request: Request) -> None:
    """Refuse what an API asks for in vain: it wants an error it can read, not a page."""
    if request.url.path.startswith(API_PATHS):
        raise HTTPException(404)


def _start() -> HTMLResponse:
    """Return the page of an installation without a front end."""
    return HTMLResponse(start_page())


def _style() -> Response:
    """Return how the server's own pages look."""
    return Response(style(), media_type="text/css")
