"""The pages: the built front end and manual where the package holds them, else one page that says so."""

from __future__ import annotations

from functools import partial
from importlib import resources
from pathlib import Path

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse
from starlette.exceptions import HTTPException

from llmlora.api.pages import STYLE_PATH, notice_page, style
from llmlora.api.problems import API_DOCS_POLICY
from llmlora.api.security.access import API_PATHS
from llmlora.core.locale import current_language

PAGE_DIR = Path(str(resources.files("llmlora"))) / "web" / "dist"
MANUAL_PATH, MANUAL_DIR = "/manual", "manual"  # beside the front end
API_DOCS_PATH, API_DOCS_PAGE = "/docs", "docs.html"


def front_end(page_dir: Path) -> APIRouter:
    """Return the routes of the pages; every address that is none of the API's opens the front end, which routes on."""
    router = APIRouter(dependencies=[Depends(_no_route_of_the_api)], include_in_schema=False)
    router.add_api_route(STYLE_PATH, _style)
    _add_manual(router, page_dir.with_name(MANUAL_DIR))
    if (page_dir / "index.html").is_file():
        router.add_api_route(API_DOCS_PATH, partial(_api_docs, page_dir / API_DOCS_PAGE), response_model=None)
        router.frontend("/", directory=page_dir, fallback="index.html")
    else:
        router.add_api_route("/", _start, response_class=HTMLResponse)
    return router


def _add_manual(router: APIRouter, folder: Path) -> None:
    """Serve the manual in its languages; its bare address opens the one of the reader."""
    is_built = (folder / "en" / "index.html").is_file()
    if is_built:
        router.frontend(MANUAL_PATH, directory=folder)
        for path in (MANUAL_PATH, f"{MANUAL_PATH}/"):
            router.add_api_route(path, _manual, response_model=None)
    else:
        for path in (MANUAL_PATH, f"{MANUAL_PATH}/{{page:path}}"):
            router.add_api_route(path, _no_manual)


def _manual() -> RedirectResponse:
    """Open the manual in the reader's language."""
    return RedirectResponse(f"{MANUAL_PATH}/{current_language()}/index.html")


def _api_docs(page: Path) -> FileResponse:
    """Return the page that lists the API and tries it out."""
    return FileResponse(page, headers={"Content-Security-Policy": API_DOCS_POLICY})


def _no_manual() -> HTMLResponse:
    """Return the page of an installation without the manual."""
    return HTMLResponse(notice_page("api.no_manual"))


def _no_route_of_the_api(request: Request) -> None:
    """Refuse what an API asks for in vain: it wants an error it can read, not a page."""
    if request.url.path.startswith(API_PATHS):
        raise HTTPException(404)


def _start() -> HTMLResponse:
    """Return the page of an installation without a front end."""
    return HTMLResponse(notice_page("api.start"))


def _style() -> Response:
    """Return how the server's own pages look."""
    return Response(style(), media_type="text/css")
