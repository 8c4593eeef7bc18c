"""Checking in: what the site's QR code opens on a phone, the sheet with that code, and the page of whoever leads a shift."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote
from uuid import UUID

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.checkin.lead import pages as lead_pages
from gateway.forms import form_key, typed
from gateway.pages import Pages, page
from gateway.qr import own_address, qr
from gateway.rights import may
from gateway.services import Said, dispatch, gather
from gateway.upcoming import EARLY, LATE, coming, entries_of
from shared import clock

pages = Pages()
pages.include_router(lead_pages)


@pages.get("/checkin/{code}")
async def show_site(request: Request, code: str) -> Response:
    """One's own shift at the site of this code, with the one thing to do."""
    return await _shown(request, code)


@pages.post("/checkin/{code}")
async def come_or_go(request: Request, code: str) -> Response:
    """Check in, or out."""
    form = await typed(request)
    goes = form.get("act") == "out"
    path = f"/assignments/{_id(form.get('assignment_id'))}/{'checkout' if goes else 'checkin'}"
    answer = await dispatch.post(path, {} if goes else {"code": code}, form_key(request))
    if answer.problem is None:
        return RedirectResponse(f"/checkin/{quote(code, safe='')}?done={'checked_out' if goes else 'checked_in'}", 303)
    return await _shown(request, code, answer.status_code, answer.problem)


@pages.get("/sites/{site_id}/code")
async def print_code(request: Request, site_id: UUID) -> Response:
    """The sheet to hang up at a site, for who leads there or coordinates."""
    return await _sheet(request, site_id)


@pages.post("/sites/{site_id}/code")
async def renew_code(request: Request, site_id: UUID) -> Response:
    """Another code: the sheet that hangs there is good for nothing from now on."""
    await typed(request)
    answer = await dispatch.post(f"/sites/{site_id}/code", None, form_key(request))
    if answer.problem is None:
        return RedirectResponse(f"/sites/{site_id}/code?done=code_renewed", 303)
    return await _sheet(request, site_id, answer.status_code, answer.problem)


async def _sheet(request: Request, site_id: UUID, status: int = 200, problem: Any = None) -> Response:
    found = await dispatch.get(f"/sites/{site_id}/code")
    address, renews = f"{own_address(request)}/checkin/{found['code']}", may(request, "operation.change")
    return page(request, "checkin/code.html", status, site=found, address=address, drawn=qr(address), renews=renews, problem=problem)


async def _shown(request: Request, code: str, status: int = 200, problem: Any = None) -> Response:
    now = clock.now().astimezone(clock.zone())
    here, mine = await gather(_site(code), dispatch.try_get("/assignments/mine"))
    shift = chosen(here["mine"], now) if here else None
    ahead = [one for one in coming(entries_of(None, mine, now)) if shift is None or one.id != shift["id"]]
    opens_at = datetime.fromisoformat(shift["starts_at"]) - EARLY if shift else None
    return page(
        request,
        "checkin/checkin.html",
        status if here else 404,
        code=code,
        here=here,
        shift=shift,
        step=step_of(shift, now),
        opens_at=opens_at,
        ends_at=datetime.fromisoformat(shift["ends_at"]) if shift else None,
        elsewhere=ahead[0] if ahead else None,
        problem=problem,
    )


async def _site(code: str) -> dict[str, Any] | None:
    """The site of a code; None for a code that is no site's."""
    try:
        found: dict[str, Any] = await dispatch.get(f"/checkin/{quote(code, safe='')}")
    except Said as no:
        if no.status != 404:
            raise
        return None
    return found


def chosen(mine: Sequence[Mapping[str, Any]], now: datetime) -> Mapping[str, Any] | None:
    """Which of one's shifts at a site is meant: where one is now, else the one to check in to, else the nearest to come, else the last."""
    steps = ("out", "in", "early", "forgot", "gone", "missed")
    return min(mine, key=lambda one: (steps.index(step_of(one, now)), one["starts_at"]), default=None)


def step_of(shift: Mapping[str, Any] | None, now: datetime) -> str:
    """What there is to do: `in`, `out`; or why not: `early`, `gone`, `missed`, `forgot` to check out; the empty word without a shift."""
    if shift is None:
        return ""
    starts_at, ends_at = datetime.fromisoformat(shift["starts_at"]), datetime.fromisoformat(shift["ends_at"])
    if shift["state"] == "checked_in":
        return "out" if now <= ends_at + LATE else "forgot"
    if shift["state"] == "checked_out":
        return "gone"
    if now >= ends_at:
        return "missed"
    return "early" if now < starts_at - EARLY else "in"


def _id(text: Any) -> UUID:
    """An id from a form; what is none is nobody's, and does not lead to another address."""
    try:
        return UUID(str(text))
    except ValueError:
        return UUID(int=0)
