"""One shift: its roles, who is on it, who could be asked, best first and with what is against the others; people asked and released."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.checkin.lead import corrections_of
from gateway.forms import form_key, typed
from gateway.pages import Pages, page
from gateway.rights import may, refuse_unless
from gateway.services import Answer, address, dispatch, gather
from gateway.shifts.change import pages as change_pages
from shared.clock import now, zone

pages = Pages()

OVERRIDABLE = frozenset({"not_fit", "too_little_rest", "too_many_hours"})
ON_A_PAGE = 20
_HELD = ("proposed", "confirmed", "checked_in", "checked_out", "no_show")


@pages.get("/shifts/{shift_id}")
async def show_shift(
    request: Request, shift_id: UUID, role: str = "", q: str = "", page_no: int = Query(default=1, ge=1, alias="page")
) -> Response:
    """The shift with its people, and beside it who could be asked for a role."""
    refuse_unless(request, "board.read")
    return await _shown(request, shift_id, role, q, page_no)


@pages.post("/shifts/{shift_id}/asking")
async def ask_people(request: Request, shift_id: UUID) -> Response:
    """Ask everybody who was ticked; whoever cannot be asked is named with the reason, the others are asked."""
    refuse_unless(request, "assignment.confirm")
    form = await typed(request, lists=("person_ids",))
    role, q = str(form.get("role", "")), str(form.get("q", ""))
    if not form["person_ids"]:
        nobody = Answer(422, problem={"code": "nobody_ticked", "status": 422, "params": {}, "errors": []})
        return await _shown(request, shift_id, role, q, 1, nobody, form)
    wish = {"shift_id": str(shift_id), "role": role, "person_ids": form["person_ids"]}
    override = {"override": form["override"]} if form.get("override") else {}
    answer = await dispatch.post("/assignments", wish | override, form_key(request))
    if not answer.problem and not answer.data["refused"]:
        return RedirectResponse(address(f"/shifts/{shift_id}", {"role": role, "done": "people_asked"}), 303)
    return await _shown(request, shift_id, role, q, 1, answer, form)


@pages.post("/shifts/{shift_id}/release")
async def release(request: Request, shift_id: UUID) -> Response:
    """Take somebody off the shift; the place is open again."""
    refuse_unless(request, "assignment.confirm")
    form = await typed(request)
    chosen = _id(form.get("assignment_id"))
    answer = await dispatch.post(f"/assignments/{chosen}/release", {"reason": form.get("reason")}, form_key(request))
    if not answer.problem:
        return RedirectResponse(address(f"/shifts/{shift_id}", {"role": form.get("role"), "done": "person_released"}), 303)
    return await _shown(request, shift_id, str(form.get("role", "")), "", 1, answer, form)


pages.include_router(change_pages)


def _id(text: Any) -> UUID:
    """An id from a form; what is none is nobody's, and does not lead to another address."""
    try:
        return UUID(str(text))
    except ValueError:
        return UUID(int=0)


async def _shown(
    request: Request,
    shift_id: UUID,
    role: str,
    q: str,
    page_no: int,
    answer: Answer | None = None,
    form: Mapping[str, Any] | None = None,
) -> Response:
    rights = {
        name: may(request, name)
        for name in ("assignment.confirm", "assignment.override", "candidate.read", "attendance.record", "notice.issue")
    }
    shift, corrected, candidates = await gather(
        dispatch.get(f"/shifts/{shift_id}"),
        dispatch.try_get(f"/shifts/{shift_id}/corrections"),
        dispatch.try_get(f"/shifts/{shift_id}/candidates", role=role, q=q, page=page_no, page_size=ON_A_PAGE)
        if rights["candidate.read"]
        else _nothing(),
    )
    roles = [one for one in shift["roles"] if one["head_count"]]  # the others are not needed any more
    free = {one["name"]: max(one["head_count"] - one["taken_count"], 0) for one in roles}
    if role not in free:
        role = next((name for name, count in free.items() if count), next(iter(free), ""))
    for one in (candidates or {"items": []})["items"]:
        one["overridable"] = bool(one["reasons"]) and all(reason["code"] in OVERRIDABLE for reason in one["reasons"])
    refused, problem = _refused(answer, candidates, form or {})
    return page(
        request,
        "shifts/shift.html",
        409 if refused else answer.status_code if answer else 200,
        shift=shift,
        local_day=datetime.fromisoformat(shift["starts_at"]).astimezone(zone()).date().isoformat(),
        on_it=[one for one in shift["assignments"] if one["state"] in _HELD],
        off=[one for one in shift["assignments"] if one["state"] not in _HELD],
        corrections=corrections_of(corrected),
        free=free,
        roles=roles,
        role=role,
        q=q,
        candidates=candidates,
        to_come=datetime.fromisoformat(shift["starts_at"]) > now(),
        rights=rights,
        refused=refused,
        done_count=len(answer.data["done"]) if answer and answer.data and "done" in answer.data else 0,
        problem=problem,
        form=form or {},
    )


def _refused(answer: Answer | None, candidates: Any, form: Mapping[str, Any]) -> tuple[list[dict[str, Any]], Any]:
    """Who could not be asked, each with the reason; what concerns the whole form stays a problem."""
    if answer is None:
        return [], None
    if not answer.problem:
        return answer.data["refused"], None
    people = {one["person"]["id"]: one["person"] for one in (candidates or {"items": []})["items"]}
    asked = list(form.get("person_ids", ()))
    if answer.status_code == 409 and len(asked) == 1 and asked[0] in people:
        return [{"person": people[asked[0]], "code": answer.problem["code"], "params": answer.problem["params"]}], None
    return [], answer.problem


async def _nothing() -> None:
    return None
