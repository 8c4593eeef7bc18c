"""Every part of the look with its states, on one page; what a page may use is what stands here."""

from fastapi import Request
from starlette.responses import Response

from gateway.pages import Pages, page

pages = Pages()

PROBLEM = {
    "code": "invalid",
    "title": "The form is wrong",
    "status": 422,
    "errors": [{"field": "given_on", "code": "in_future", "params": {}}, {"field": "lot", "code": "too_long", "params": {"max": 40}}],
}
STALE = {"code": "changed_meanwhile", "title": "Changed meanwhile", "status": 409, "params": {}}
BUCKETS = {"complete": 96, "due": 3, "overdue": 4, "in_progress": 7, "not_started": 3, "exempt": 4, "declined": 1, "unknown": 2}


@pages.get("/styleguide", open_to_all="it shows drawings, no data")
async def show_styleguide(request: Request) -> Response:
    """The parts, in the language of the page."""
    return page(request, "styleguide/styleguide.html", problem=PROBLEM, stale=STALE, buckets=BUCKETS, form={"given_on": "2022-03-12"})
