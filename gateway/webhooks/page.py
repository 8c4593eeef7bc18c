"""Webhooks: where other systems want to be told; the secret shown once, what was sent and what became of it, and the end."""

from typing import Any
from uuid import UUID

from fastapi import Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.forms import form_key, typed
from gateway.pages import Pages, page
from gateway.rights import refuse_unless
from gateway.services import gather, notifications

pages = Pages()

KINDS = ("assignment.confirmed",)


@pages.get("/webhooks")
async def list_webhooks(request: Request, page_no: int = Query(default=1, ge=1, alias="page")) -> Response:
    """The webhooks, those in use first."""
    refuse_unless(request, "webhook.change")
    return await _list(request, page_no)


async def _list(request: Request, number: int = 1, status: int = 200, problem: Any = None, form: Any = None) -> Response:
    webhooks = await notifications.get("/webhooks", page=number, page_size=50)
    return page(request, "webhooks/list.html", status, webhooks=webhooks, kinds=KINDS, problem=problem, form=form or {"kind": KINDS[0]})


@pages.post("/webhooks")
async def make_webhook(request: Request) -> Response:
    """Make one; its secret is shown this once."""
    refuse_unless(request, "webhook.change")
    form = await typed(request)
    answer = await notifications.post("/webhooks", {"url": form.get("url", ""), "kind": form.get("kind", "")}, form_key(request))
    if answer.problem is not None:
        return await _list(request, 1, answer.status_code, answer.problem, form)
    return page(request, "webhooks/secret.html", webhook=answer.data)


@pages.get("/webhooks/{webhook_id}")
async def show_deliveries(request: Request, webhook_id: UUID, page_no: int = Query(default=1, ge=1, alias="page")) -> Response:
    """What was sent to it and what became of it."""
    refuse_unless(request, "webhook.change")
    deliveries, webhooks = await gather(
        notifications.get(f"/webhooks/{webhook_id}/deliveries", page=page_no, page_size=50), notifications.get("/webhooks", page_size=200)
    )
    webhook = next((one for one in webhooks["items"] if one["id"] == str(webhook_id)), None)
    return page(request, "webhooks/deliveries.html", webhook=webhook, deliveries=deliveries)


@pages.post("/webhooks/{webhook_id}/end")
async def end_webhook(request: Request, webhook_id: UUID) -> Response:
    """End it; what still waits is not sent."""
    refuse_unless(request, "webhook.change")
    await typed(request)
    answer = await notifications.send("DELETE", f"/webhooks/{webhook_id}", key=form_key(request))
    if answer.problem is not None:
        return await _list(request, 1, answer.status_code, answer.problem)
    return RedirectResponse("/webhooks?done=webhook_ended", 303)
