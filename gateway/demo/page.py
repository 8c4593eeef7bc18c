"""The demo's clock, set by anybody on the bar that is plainly the demo's."""

import asyncio
from urllib.parse import parse_qsl, urlencode, urlsplit

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from gateway.entering import one, wrong_field
from gateway.forms import local_times, typed
from gateway.i18n import back_to
from gateway.pages import Pages, error_page, page
from gateway.services import identity
from shared.clock import zone
from shared.settings import settings

pages = Pages()
_ALL_HAVE_LOOKED = 0.3  # seconds: every process looks at the clock four times a second, and the next page is to show the new time


@pages.post("/demo/clock", open_to_all="it exists in a demo alone, and moves nothing but the demo's clock")
async def set_clock(request: Request) -> Response:
    """Set the clock of the demo to a local time, and go back to where one was."""
    form = await typed(request)
    if not settings().demo:
        return error_page(request, 404, request.scope.get("reference", ""), {"code": "not_found", "params": {}})
    text = one(form, "at") or ""
    meant = local_times(text, zone())
    if not meant:
        return page(request, "demo/clock.html", 422, form=form, problem=wrong_field("at", "no_such_time" if text else "required"))
    answer = await identity.send("PUT", "/demo/clock", {"at": meant[0].isoformat()})
    if answer.problem is not None:
        return page(request, "demo/clock.html", answer.status_code, form=form, problem=answer.problem)
    await asyncio.sleep(_ALL_HAVE_LOOKED)
    return RedirectResponse(_with_toast(back_to(request)), 303)


def _with_toast(path: str) -> str:
    parts = urlsplit(path)
    if parts.path.startswith("/demo/"):
        return "/?done=clock_set"
    pairs = [(name, value) for name, value in parse_qsl(parts.query) if name != "done"]
    return f"{parts.path}?{urlencode([*pairs, ('done', 'clock_set')])}"
