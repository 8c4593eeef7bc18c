"""The inbox: one's own notices, what waits first; read in one tap, done as a second one; and what else one has to see to."""

from typing import Any
from uuid import UUID

from fastapi import Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.forms import form_key, typed
from gateway.pages import Pages, page
from gateway.services import Answer, gather, notifications
from gateway.unread import waiting

pages = Pages()

ALERTS_SHOWN = 20


@pages.get("/inbox")
async def list_inbox(request: Request, page_no: int = Query(default=1, ge=1, alias="page")) -> Response:
    """What waits, the nearest deadline first; then what was answered."""
    return await _list(request, page_no)


async def _list(request: Request, number: int = 1, status: int = 200, problem: Any = None) -> Response:
    if not request.state.me["person"]:
        return page(
            request, "inbox/list.html", status, inbox={"items": [], "total": 0, "open_count": 0}, alerts={"items": []}, problem=problem
        )
    inbox, alerts = await gather(
        notifications.try_get("/inbox", page=number, page_size=30), notifications.try_get("/alerts/mine", page_size=ALERTS_SHOWN)
    )
    if inbox is not None:
        request.state.unread_count = request.app.state.sessions.unread.keep(request.state.me["person"]["id"], waiting(inbox))
    return page(request, "inbox/list.html", status, inbox=inbox, alerts=alerts, problem=problem)


@pages.get("/inbox/unread")
async def count_unread(request: Request) -> Response:
    """The number beside the bell, for a page that stays open."""
    return page(request, "inbox/unread.html")


@pages.post("/inbox/alerts/{alert_id}/seen")
async def see_alert(request: Request, alert_id: UUID) -> Response:
    """One has seen it."""
    await typed(request)
    answer = await notifications.post(f"/alerts/{alert_id}/seen", key=form_key(request))
    if answer.problem is None:
        return RedirectResponse("/inbox?done=alert_seen", 303)
    return await _list(request, status=answer.status_code, problem=answer.problem)


@pages.get("/inbox/{notice_id}")
async def show_item(request: Request, notice_id: UUID) -> Response:
    """One notice. That it was opened is sent by the page itself: a browser that only fetches ahead opens nothing."""
    return page(request, "inbox/item.html", item=await notifications.get(f"/inbox/{notice_id}"), problem=None)


@pages.post("/inbox/{notice_id}/opening")
async def open_notice(request: Request, notice_id: UUID) -> Response:
    """It is on somebody's screen."""
    await typed(request)
    return await _answered(request, notice_id, await notifications.post(f"/inbox/{notice_id}/opening", key=form_key(request)))


@pages.post("/inbox/{notice_id}/acknowledgement")
async def acknowledge(request: Request, notice_id: UUID) -> Response:
    """Received and read."""
    form = await typed(request)
    answer = await notifications.post(f"/inbox/{notice_id}/acknowledgement", key=form_key(request))
    return await _answered(request, notice_id, answer, "notice_read", "late", to_list=form.get("back") == "list")


@pages.post("/inbox/{notice_id}/done")
async def say_done(request: Request, notice_id: UUID) -> Response:
    """What it asks for is done."""
    form = await typed(request)
    answer = await notifications.post(f"/inbox/{notice_id}/done", key=form_key(request))
    return await _answered(request, notice_id, answer, "notice_done", "done_late", to_list=form.get("back") == "list")


async def _answered(
    request: Request, notice_id: UUID, answer: Answer, done: str = "", late: str = "", *, to_list: bool = False
) -> Response:
    request.app.state.sessions.unread.forget([(request.state.me["person"] or {}).get("id", "")])
    if answer.problem is None:
        goal = "/inbox" if to_list else f"/inbox/{notice_id}"
        done += "_late" if late and answer.data[late] else ""
        return RedirectResponse(f"{goal}?done={done}" if done else goal, 303)
    if to_list:
        return await _list(request, status=answer.status_code, problem=answer.problem)
    item = await notifications.get(f"/inbox/{notice_id}")
    return page(request, "inbox/item.html", answer.status_code, item=item, problem=answer.problem)
