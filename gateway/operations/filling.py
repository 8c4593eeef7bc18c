"""A day of an operation filled from a team: first the plan, who goes where and what stays open; then one button does just that."""

from datetime import date
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.forms import form_key, typed
from gateway.pages import Pages, page
from gateway.rights import refuse_unless
from gateway.services import dispatch, gather

pages = Pages()


@pages.get("/operations/{operation_id}/filling")
async def show_plan(request: Request, operation_id: UUID, on: date, team_id: str = "") -> Response:
    """The plan as it would be carried out now; nobody is asked yet."""
    refuse_unless(request, "assignment.confirm")
    wish = {"operation_id": str(operation_id), "on": on.isoformat(), "team_id": team_id, "preview": True}
    operation, teams, answer = await gather(
        dispatch.get(f"/operations/{operation_id}"), dispatch.try_get("/teams"), dispatch.post("/assignments/filling", wish)
    )
    return _plan(request, operation, teams, on, team_id, answer.data, answer.problem, answer.status_code if answer.problem else 200)


@pages.post("/operations/{operation_id}/filling")
async def carry_out(request: Request, operation_id: UUID) -> Response:
    """Carry out the plan that was shown. When it would be another by now, that one is shown and nobody is asked."""
    refuse_unless(request, "assignment.confirm")
    form = await typed(request)
    on, team_id = str(form.get("on", "")), str(form.get("team_id", ""))
    wish = {"operation_id": str(operation_id), "on": on, "team_id": team_id, "preview": False, "plan": form.get("plan")}
    answer = await dispatch.post("/assignments/filling", wish, form_key(request))
    if not answer.problem:
        return RedirectResponse(f"/operations/{operation_id}?on={on}&done=day_filled", 303)
    operation, teams = await gather(dispatch.get(f"/operations/{operation_id}"), dispatch.try_get("/teams"))
    plan = answer.problem["params"].get("current")
    return _plan(request, operation, teams, on, team_id, plan, answer.problem, answer.status_code)


def _plan(request: Request, operation: Any, teams: Any, on: Any, team_id: str, plan: Any, problem: Any, status: int) -> Response:
    return page(
        request,
        "operations/filling.html",
        status,
        operation=operation,
        team=next((one for one in (teams or {"items": []})["items"] if one["id"] == team_id), None),
        team_id=team_id,
        on=str(on),
        plan=plan,
        problem=problem,
    )
