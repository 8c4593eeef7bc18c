"""Exemptions that wait for a second person's word: approved or refused with a note; a leader decides without the reason."""

from typing import Any
from uuid import UUID

from fastapi import Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.forms import form_key, typed
from gateway.pages import Pages, page
from gateway.rights import may_everywhere, refuse_unless
from gateway.services import Said, personnel

pages = Pages()

STATES = ("pending", "approved", "refused")


@pages.get("/exemptions")
async def list_exemptions(
    request: Request, state: str = "pending", decide: UUID | None = None, page_no: int = Query(default=1, ge=1, alias="page")
) -> Response:
    """Those that wait, or those that were decided. With `decide` the question is asked in place, for whoever has no script."""
    refuse_unless(request, "exemption.decide")
    return await _list(request, state, page_no, decide=str(decide) if decide else "")


@pages.post("/exemptions/{exemption_id}")
async def decide_exemption(request: Request, exemption_id: UUID) -> Response:
    """Approve or refuse. What is refused by the service is said above the list, with the note as it was typed."""
    refuse_unless(request, "exemption.decide")
    form = await typed(request)
    wish = {name: form[name] for name in ("verdict", "note") if name in form}
    answer = await personnel.post(f"/exemptions/{exemption_id}/approval", wish, key=form_key(request))
    if not answer.problem:
        return RedirectResponse(f"/exemptions?done=exemption_{answer.data['state']}", 303)
    return await _list(request, "pending", 1, decide=str(exemption_id), form=form, problem=answer.problem, status=answer.status_code)


async def _list(
    request: Request, state: str, page_no: int, *, decide: str = "", form: Any = None, problem: Any = None, status: int = 200
) -> Response:
    if state not in STATES:
        raise Said(404, {"code": "not_found", "status": 404, "params": {}, "errors": []})
    exemptions = await personnel.get("/exemptions", state=state, page=page_no)
    asked = next((one for one in exemptions["items"] if one["id"] == decide), None)
    if decide and asked is None:  # on another page of the list
        asked = await personnel.try_get(f"/exemptions/{decide}")
    return page(
        request,
        "exemptions/exemptions.html",
        status,
        exemptions=exemptions,
        state=state,
        asked=asked if asked and asked["may_decide"] else None,
        form=form or {},
        problem=problem,
        sees_people=may_everywhere(request, "person.search"),
        sees_reason=may_everywhere(request, "health.read"),
    )
