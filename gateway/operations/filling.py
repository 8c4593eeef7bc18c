"""A day or a shift filled from a team, or from all: first the plan, who goes where and what stays open; then one button does just that."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.forms import form_key, typed
from gateway.pages import Pages, page
from gateway.rights import refuse_unless
from gateway.services import address, dispatch, gather

pages = Pages()


@pages.get("/operations/{operation_id}/filling")
async def show_plan(request: Request, operation_id: UUID, on: date, team_id: str = "", shift_id: str = "") -> Response:
    """The plan as it would be carried out now; nobody is asked yet."""
    refuse_unless(request, "assignment.confirm")
    wish = {**_which(operation_id, on.isoformat(), team_id, shift_id), "preview": True}
    operation, teams, answer = await gather(
        dispatch.get(f"/operations/{operation_id}"), dispatch.try_get("/teams"), dispatch.post("/assignments/filling", wish)
    )
    form = {"on": on.isoformat(), "team_id": team_id, "shift_id": shift_id}
    return _plan(request, operation, teams, form, answer.data, answer.problem, answer.status_code if answer.problem else 200)


@pages.post("/operations/{operation_id}/filling")
async def carry_out(request: Request, operation_id: UUID) -> Response:
    """Carry out the plan that was shown. When it would be another by now, that one is shown and nobody is asked."""
    refuse_unless(request, "assignment.confirm")
    form = await typed(request)
    on, team_id, shift = (str(form.get(name, "")) for name in ("on", "team_id", "shift_id"))
    wish = {**_which(operation_id, on, team_id, shift), "preview": False, "plan": form.get("plan")}
    answer = await dispatch.post("/assignments/filling", wish, form_key(request))
    if not answer.problem:
        goal = address(f"/shifts/{shift}", {"done": "day_filled"}) if shift else f"/operations/{operation_id}?on={on}&done=day_filled"
        return RedirectResponse(goal, 303)
    operation, teams = await gather(dispatch.get(f"/operations/{operation_id}"), dispatch.try_get("/teams"))
    plan = answer.problem["params"].get("current")
    return _plan(request, operation, teams, form, plan, answer.problem, answer.status_code)


def _which(operation_id: UUID, on: str, team_id: str, shift_id: str) -> dict[str, Any]:
    """One shift, or all of a day; from a team, or from all."""
    shifts = {"shift_ids": [shift_id]} if shift_id else {"operation_id": str(operation_id), "on": on}
    return {**shifts, "team_id": team_id or None}


def _plan(request: Request, operation: Any, teams: Any, form: Mapping[str, Any], plan: Any, problem: Any, status: int) -> Response:
    team_id = str(form.get("team_id", ""))
    return page(
        request,
        "operations/filling.html",
        status,
        operation=operation,
        team=next((one for one in (teams or {"items": []})["items"] if one["id"] == team_id), None),
        teams=(teams or {"items": []})["items"],
        team_id=team_id,
        shift_id=str(form.get("shift_id", "")),
        on=str(form.get("on", "")),
        plan=plan,
        problem=problem,
    )
