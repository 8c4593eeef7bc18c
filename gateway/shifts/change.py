"""A shift that moves, needs more or fewer people, or falls out: what changes, who is told and has to answer again, and why."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.entering import wrong_field
from gateway.forms import form_key, local_times, typed
from gateway.i18n import N_
from gateway.meanwhile import changes, chosen, rebased, version_of
from gateway.pages import Pages, page
from gateway.rights import refuse_unless
from gateway.services import Answer, dispatch
from gateway.shifts import roles
from shared.clock import zone

pages = Pages()

FIELDS = {
    "starts_at": N_("Begins"),
    "ends_at": N_("Ends"),
    "site_id": N_("Site"),
    "leader_id": N_("Leader"),
    "signup": N_("Sign-up"),
    "bring": N_("What to bring"),
}
_ANSWERS = ("proposed", "confirmed")


@pages.get("/shifts/{shift_id}/edit")
async def edit_shift(request: Request, shift_id: UUID) -> Response:
    """The forms with what stands there now."""
    refuse_unless(request, "operation.change")
    shift = await dispatch.get(f"/shifts/{shift_id}")
    now = _plain(shift)
    form = {**now, **{f"was_{field}": value for field, value in now.items()}, "version": shift["version"]}
    return await _form(request, shift, form, None)


@pages.post("/shifts/{shift_id}/edit")
async def change_shift(request: Request, shift_id: UUID) -> Response:
    """Change or move it. Only what was changed is sent: a time nobody touched stays the instant it was."""
    refuse_unless(request, "operation.change")
    form = await typed(request)
    before = await dispatch.get(f"/shifts/{shift_id}")
    names = roles.fields_of(before)
    fields = [*FIELDS, *names]
    changed = {field: value for field, value in chosen(form, fields).items() if value != str(form.get(f"was_{field}", "") or "")}
    wish: dict[str, Any] = {}
    wanted, wrong = roles.wishes_of(form, changed, names)
    if wrong:
        return await _form(request, before, form, Answer(422, problem=wrong))
    for field, value in changed.items():
        if field in names:
            continue
        if field in ("starts_at", "ends_at"):
            meant = local_times(value, zone())
            if not meant:
                wrong = wrong_field(field, "no_such_time" if value else "required")
                return await _form(request, before, form, Answer(422, problem=wrong))
            wish[field] = meant[0].isoformat()  # of a time that the clock shows twice the first, as a pattern takes it
        else:
            wish[field] = bool(value) if field == "signup" else value or None
    if form.get("reason"):
        wish["reason"] = form["reason"]
    if wanted:
        wish["roles"] = list(wanted.values())
    answer = await dispatch.send("PATCH", f"/shifts/{shift_id}", {**wish, "version": version_of(form)}, form_key(request))
    if not answer.problem:
        return RedirectResponse(f"/shifts/{shift_id}?done=shift_changed", 303)
    if answer.problem["code"] != "changed_meanwhile":
        said = Answer(answer.status_code, problem=roles.beside(answer.problem, list(wanted)))
        return await _form(request, await dispatch.get(f"/shifts/{shift_id}"), form, said)
    shift = answer.problem["params"].get("current") or await dispatch.get(f"/shifts/{shift_id}")
    now = _plain(shift)
    fields = [*FIELDS, *roles.fields_of(shift)]
    again = rebased(form, now, fields, shift["version"]) | {field: form.get(field, "") for field in ("reason", *roles.NEW)}
    return await _form(request, shift, again, answer, changes(form, now, fields))


@pages.post("/shifts/{shift_id}/cancellation")
async def cancel_shift(request: Request, shift_id: UUID) -> Response:
    """Cancel it: everybody on it is released and told why."""
    refuse_unless(request, "operation.change")
    form = await typed(request)
    answer = await dispatch.post(f"/shifts/{shift_id}/cancellation", {"reason": form.get("reason")}, form_key(request))
    if not answer.problem:
        return RedirectResponse(f"/shifts/{shift_id}?done=shift_cancelled", 303)
    shift = await dispatch.get(f"/shifts/{shift_id}")
    now = _plain(shift)
    fresh = {**now, **{f"was_{field}": value for field, value in now.items()}, "version": shift["version"]}
    return await _form(request, shift, fresh, Answer(answer.status_code), cancelling=(form, answer.problem))


def _plain(shift: Mapping[str, Any]) -> dict[str, str]:
    """A shift as the fields of the form, its times by the local clock."""
    local = {
        field: datetime.fromisoformat(shift[field]).astimezone(zone()).strftime("%Y-%m-%dT%H:%M") for field in ("starts_at", "ends_at")
    }
    leader = (shift["leader"] or {}).get("id", "")
    plain = {"site_id": shift["site"]["id"], "leader_id": leader, "signup": "on" if shift["signup"] else "", "bring": shift["bring"] or ""}
    return {**local, **plain, **roles.counts_of(shift)}


async def _form(
    request: Request, shift: Any, form: Any, answer: Answer | None, meanwhile: Any = (), cancelling: Any = ({}, None)
) -> Response:
    operation = await dispatch.get(f"/operations/{shift['operation']['id']}")
    held = [one for one in shift["assignments"] if one["state"] in (*_ANSWERS, "checked_in")]
    people = {one["person"]["id"]: one["person"]["name"] for one in held}
    if shift["leader"]:
        people[shift["leader"]["id"]] = shift["leader"]["name"]
    return page(
        request,
        "shifts/edit.html",
        answer.status_code if answer else 200,
        shift=shift,
        sites={one["id"]: one["name"] for one in operation["sites"]},
        people=people,
        answering=[one["person"]["name"] for one in held if one["state"] in _ANSWERS],
        there=[one["person"]["name"] for one in held if one["state"] == "checked_in"],
        form=form,
        problem=answer.problem if answer else None,
        meanwhile=list(meanwhile),
        labels=FIELDS | roles.fields_of(shift),
        held={f"count_{place}": one["taken_count"] for place, one in enumerate(shift["roles"])},
        cancel_form=cancelling[0],
        cancel_problem=cancelling[1],
    )
