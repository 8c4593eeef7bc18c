"""Open places: who fell out, and who can stand in, so that a place is filled in two taps."""

from uuid import UUID

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.forms import form_key, typed
from gateway.pages import Pages, page
from gateway.rights import may, refuse_unless
from gateway.services import Answer, dispatch

pages = Pages()


@pages.get("/openings")
async def list_openings(request: Request) -> Response:
    """Every place that is open, the soonest first."""
    refuse_unless(request, "candidate.read")
    return await _shown(request)


@pages.post("/openings/{assignment_id}")
async def fill(request: Request, assignment_id: UUID) -> Response:
    """Ask somebody to stand in."""
    refuse_unless(request, "assignment.confirm")
    form = await typed(request)
    answer = await dispatch.post(f"/alerts/{assignment_id}/filling", {"person_id": form.get("person_id")}, form_key(request))
    if not answer.problem:
        return RedirectResponse("/openings?done=place_filled", 303)
    return await _shown(request, answer, str(assignment_id))


async def _shown(request: Request, answer: Answer | None = None, which: str = "") -> Response:
    openings = await dispatch.get("/alerts")
    return page(
        request,
        "openings/list.html",
        answer.status_code if answer else 200,
        openings=openings,
        may_fill=may(request, "assignment.confirm"),
        problem=answer.problem if answer else None,
        which=which,
    )
