"""Whom to call: who is on duty now, and who answers for what, with their numbers, for the duty officer in the night; also on paper."""

from starlette.requests import Request
from starlette.responses import Response

from gateway.pages import Pages, page
from gateway.rights import refuse_unless
from gateway.services import duty, gather, notifications

pages = Pages()


@pages.get("/calls")
async def show_calls(request: Request) -> Response:
    """Those on duty first, until when; then everybody on the list."""
    refuse_unless(request, "call_list.read")
    called, on_duty = await gather(notifications.get("/call_list"), duty.try_get("/now"))
    phones = {one["person"]["id"]: one["phone"] for one in called["items"]}
    return page(request, "calls/calls.html", called=called["items"], on_duty=on_duty, phones=phones)
