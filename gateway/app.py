"""The gateway: pages for people, an API for systems, and no database. Composition only."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware

from gateway import api, live
from gateway.account import page as account
from gateway.accounts import page as accounts
from gateway.accounts import sheets
from gateway.activate import page as activate
from gateway.board import page as board
from gateway.calls import page as calls
from gateway.checkin import page as checkin
from gateway.clients import page as clients
from gateway.coverage import page as coverage
from gateway.demo import page as demo
from gateway.departments import page as departments
from gateway.exemptions import page as exemptions
from gateway.gaps import page as gaps
from gateway.home import page as home
from gateway.imports import page as imports
from gateway.inbox import page as inbox
from gateway.institution import page as institution
from gateway.layout import page as layout
from gateway.myshifts import page as myshifts
from gateway.notices import page as notices
from gateway.openings import page as openings
from gateway.operations import page as operations
from gateway.pages import NotSignedIn, Pages, Static, error_page, sign_in_first
from gateway.people import page as people
from gateway.posts import page as posts
from gateway.privacy import page as privacy
from gateway.remarks import page as remarks
from gateway.roles import page as roles
from gateway.rosters import page as rosters
from gateway.services import ALL, Away, Said
from gateway.session import SessionGate, Sessions
from gateway.setup import page as setup
from gateway.shifts import page as shifts
from gateway.signin import page as signin
from gateway.styleguide import page as styleguide
from gateway.system import page as system
from gateway.teams import page as teams
from gateway.webhooks import page as webhooks
from shared.auth import Caller, anyone
from shared.export import XLSX
from shared.measures import Measures
from shared.outermost import Outermost
from shared.refusals import Refused
from shared.settings import settings
from shared.web import log_in_json, problem, reference, unexpected

PAGES: tuple[Pages, ...] = (
    layout.pages,
    styleguide.pages,
    signin.pages,
    setup.pages,
    activate.pages,
    privacy.pages,
    home.pages,
    myshifts.pages,
    checkin.pages,
    account.pages,
    demo.pages,
    inbox.pages,
    notices.pages,
    rosters.pages,
    gaps.pages,
    calls.pages,
    posts.pages,
    people.pages,
    departments.pages,
    coverage.pages,
    exemptions.pages,
    remarks.pages,
    teams.pages,
    operations.pages,
    board.pages,
    shifts.pages,
    openings.pages,
    imports.pages,
    sheets.pages,
    accounts.pages,
    roles.pages,
    clients.pages,
    webhooks.pages,
    system.pages,
    institution.pages,
    live.pages,
    api.pages,
)


@contextlib.asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Open the clients and hear the events; both end with the process."""
    log_in_json(settings().log_level, process="gateway")
    for service in ALL:
        service.connect()
    hints: live.Hints = app.state.hints
    hearing = asyncio.create_task(hints.listen())
    try:
        yield
    finally:
        hearing.cancel()
        await hints.close()
        for service in ALL:
            await service.close()


def _is_api(request: Request) -> bool:
    return request.url.path.startswith("/api/v1/")


async def _away(request: Request, away: Exception) -> Response:
    if _is_api(request):
        return api.api_problem(request, 503, "not_available")
    service = away.service if isinstance(away, Away) else ""
    return error_page(request, 503, reference(request), {"code": "not_available", "params": {"service": service}})


async def _said(request: Request, said: Exception) -> Response:
    assert isinstance(said, Said)
    if said.status == 401:
        return sign_in_first(request, said)
    return error_page(request, said.status if said.status != 422 else 404, said.problem.get("reference", ""), said.problem)


async def _refused(request: Request, no: Exception) -> Response:
    assert isinstance(no, Refused)
    headers = {"Retry-After": str(no.params["seconds"])} if "seconds" in no.params else None
    return problem(request, no.status, no.code, no.params, headers=headers)


async def _http(request: Request, wrong: Exception) -> Response:
    assert isinstance(wrong, HTTPException)
    codes = {404: "not_found", 405: "wrong_method", 413: "too_large"}
    if _is_api(request):
        return problem(request, wrong.status_code, codes.get(wrong.status_code, "malformed"))
    return error_page(request, wrong.status_code, reference(request), {"code": codes.get(wrong.status_code, "malformed"), "params": {}})


async def _malformed(request: Request, wrong: Exception) -> Response:
    """An address that cannot be: an id that is none, a number out of bounds."""
    if _is_api(request):
        return problem(request, 422, "invalid")
    return error_page(request, 404, reference(request), {"code": "not_found", "params": {}})


def _broken(request: Request, odd: BaseException) -> Response:
    answer = unexpected(request, odd)
    return answer if _is_api(request) else error_page(request, 500, reference(request), {"code": "unexpected", "params": {}})


def forget_everybody(app: FastAPI) -> None:
    """As it begins: no session, no key and no open page has been seen yet."""
    app.state.sessions, app.state.keys = Sessions(), api.Keys()
    app.state.hints = live.Hints(app.state.sessions)


def compose() -> FastAPI:
    """The app; nothing is opened before it begins."""
    made = FastAPI(title="Muster gateway", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    measures = Measures("gateway")
    forget_everybody(made)
    made.mount("/static", Static())

    @made.get("/livez")
    async def alive(caller: Annotated[Caller, anyone("a supervisor asks whether the process answers")]) -> dict[str, str]:
        """The process answers."""
        return {"status": "ok"}

    @made.get("/readyz")
    async def ready(caller: Annotated[Caller, anyone("a supervisor asks whether requests may come")]) -> dict[str, str]:
        """Requests may come: pages say themselves which service is missing."""
        return {"status": "ok"}

    @made.get("/metrics")
    async def metrics(request: Request, caller: Annotated[Caller, anyone("figures without persons, for this machine alone")]) -> Response:
        """The figures of this process for Prometheus; a caller from another machine is told there is nothing here."""
        if request.client is not None and request.client.host not in ("127.0.0.1", "::1"):
            raise HTTPException(404)
        return Response(generate_latest(measures.registry), media_type=CONTENT_TYPE_LATEST)

    made.include_router(api.api)
    for one in PAGES:
        made.include_router(one)
    for kind, answer in ((NotSignedIn, sign_in_first), (Away, _away), (Said, _said), (Refused, _refused), (HTTPException, _http)):
        made.add_exception_handler(kind, answer)
    made.add_exception_handler(RequestValidationError, _malformed)
    # level 5: a page in a quarter of its bytes for a third of a millisecond; a phone on a slow line waits for bytes
    made.add_middleware(GZipMiddleware, compresslevel=5, exclude_content_types=(*DEFAULT_EXCLUDED_CONTENT_TYPES, XLSX))
    made.add_middleware(SessionGate)
    made.add_middleware(Outermost, last_resort=_broken, observe=measures.observe)
    return made


app = compose()
