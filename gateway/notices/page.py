"""Notices: issued after a look at whom they reach, followed department by department until everybody has answered, and withdrawn."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from fastapi import Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.forms import Typed, form_key, typed
from gateway.i18n import language
from gateway.notices import issuing
from gateway.notices.missing import file_of, missing_of
from gateway.pages import Pages, page
from gateway.rights import may, refuse_unless
from gateway.services import Answer, gather, notifications

pages = Pages()

SHOWS = {"open": {"open": "true", "over": "false"}, "over": {"open": "true", "over": "true"}, "withdrawn": {"open": "false"}}
STATES = ("missing", "told", "opened", "read", "by_head", "done", "not_done", "late")
METHODS = ("group_chat", "in_person", "meeting")
DEPARTMENTS_SHOWN = 60
FIELD_OF = {"audience.ids": "to", "audience": "to", "deadline_at": "deadline", "done_deadline_at": "done_deadline"}
FIELD_OF_AUDIENCE = {"departments": "departments", "teams": "teams", "shift": "shift", "people": "people"}


@pages.get("/notices")
async def list_notices(request: Request, show: str = "open", page_no: int = Query(default=1, ge=1, alias="page")) -> Response:
    """Notices in force, those whose deadline is over, and those withdrawn, each with how far it has come."""
    refuse_unless(request, "notice.progress")
    shown = show if show in SHOWS else "open"
    notices = await notifications.get("/notices", **SHOWS[shown], page=page_no, page_size=20)
    return page(request, "notices/list.html", notices=notices, show=shown, issues=may(request, "notice.issue"))


@pages.get("/notices/new")
async def new_notice(request: Request, shift_id: UUID | None = None) -> Response:
    """The form. From a shift one comes with those on it chosen."""
    refuse_unless(request, "notice.issue")
    form = Typed({"kind": "order", "to": "shift" if shift_id else "everyone", **({"shift": str(shift_id)} if shift_id else {})})
    return await _form(request, form)


@pages.post("/notices/new")
async def issue_notice(request: Request) -> Response:
    """Look it over first, with the number of people of each department; then send it, or go back to the form with all that was typed."""
    refuse_unless(request, "notice.issue")
    form = await typed(request, lists=issuing.LISTS)
    step = form.pop("step", "look")
    if step == "change":
        return await _form(request, form)
    meant = await issuing.meant(request, form)
    if meant.errors:
        return await _form(request, form, 422, meant.problem(), meant.twice)
    if step == "send":
        answer = await notifications.post("/notices", meant.wish, form_key(request))
        if answer.problem is None:
            return RedirectResponse(f"/notices/{answer.data['id']}?done=notice_issued", 303)
        return await _form(request, form, answer.status_code, _beside(answer, form), meant.twice)
    counted = await notifications.post("/notices/preview", {"audience": meant.wish["audience"]})
    problem = _beside(counted, form)
    if problem is None and not counted.data["count"]:
        field = FIELD_OF_AUDIENCE.get(str(form.get("to")), "to")
        problem = {"code": "invalid", "status": 422, "params": {}, "errors": [{"field": field, "code": "nobody", "params": {}}]}
    if problem is not None:
        return await _form(request, form, problem.get("status", 422), problem, meant.twice)
    departments = counted.data["departments"]
    shift = await issuing.chosen_shift(str(form["shift"])) if form.get("to") == "shift" else None
    about = {"wish": meant.wish, "count": counted.data["count"], "form": form, "shift": shift}
    shown = {**about, "departments": departments[:DEPARTMENTS_SHOWN]}
    return page(request, "notices/preview.html", **shown, more=departments[DEPARTMENTS_SHOWN:], kept=issuing.KEPT, lists=issuing.LISTS)


def _beside(answer: Answer, form: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the service says about its fields, beside the fields of the form."""
    if answer.problem is None:
        return None
    audience = FIELD_OF_AUDIENCE.get(str(form.get("to")), "to")
    names = FIELD_OF | {"audience.ids": audience}
    errors = [{**one, "field": names.get(one["field"], one["field"])} for one in answer.problem.get("errors") or []]
    return {**answer.problem, "errors": errors}


async def _form(request: Request, form: Typed, status: int = 200, problem: Any = None, twice: Any = None) -> Response:
    known = await issuing.choices(request)
    chosen = str(form.get("shift", ""))
    if chosen and chosen not in {one["id"] for one in known["shifts"]} and (found := await issuing.chosen_shift(chosen)):
        known["shifts"].insert(0, found)
    kinds = issuing.audiences(request, known["shifts"], known["teams"])
    shown = {
        "form": form,
        "problem": problem,
        "twice": twice or {},
        "audiences": kinds,
        "kinds": issuing.KINDS,
        "most": issuing.PEOPLE_MOST,
    }
    return page(request, "notices/new.html", status, **known, **shown)


@pages.get("/notices/{notice_id}")
async def show_notice(request: Request, notice_id: UUID) -> Response:
    """One notice: how each department stands, at this moment."""
    refuse_unless(request, "notice.progress")
    return await _show(request, notice_id)


async def _show(request: Request, notice_id: UUID, status: int = 200, problem: Any = None, form: Any = None) -> Response:
    asked = request.query_params
    only, every = asked.get("only", ""), asked.get("departments") == "all"
    which = {"lacking": "true" if only == "missing" else None, "most": None if every else DEPARTMENTS_SHOWN}
    notice, progress = await gather(
        notifications.get(f"/notices/{notice_id}"), notifications.try_get(f"/notices/{notice_id}/progress", **which)
    )
    rights = {"issues": may(request, "notice.issue"), "records": may(request, "acknowledgement.record")}
    known = {"notice": notice, "progress": progress, "rights": rights, "problem": problem, "form": form or {}}
    return page(request, "notices/notice.html", status, **known, only=only)


@pages.post("/notices/{notice_id}/withdrawal")
async def withdraw_notice(request: Request, notice_id: UUID) -> Response:
    """Withdraw it, with the reason that everybody reads."""
    refuse_unless(request, "notice.issue")
    form = await typed(request)
    answer = await notifications.post(f"/notices/{notice_id}/withdrawal", {"reason": form.get("reason", "")}, form_key(request))
    if answer.problem is None:
        return RedirectResponse(f"/notices/{notice_id}?done=notice_withdrawn", 303)
    return await _show(request, notice_id, answer.status_code, answer.problem, form)


@pages.get("/notices/{notice_id}/people")
async def list_recipients(
    request: Request,
    notice_id: UUID,
    department_id: str = "",
    state: str = "",
    q: str = "",
    page_no: int = Query(default=1, ge=1, alias="page"),
) -> Response:
    """Person by person, of one department or of all, in one state or in any."""
    refuse_unless(request, "notice.progress")
    return await _people(request, notice_id, {"department_id": department_id, "state": state, "q": q}, page_no)


async def _people(
    request: Request, notice_id: UUID, which: Mapping[str, str], number: int = 1, status: int = 200, problem: Any = None, form: Any = None
) -> Response:
    asked = {**which, "state": which["state"] if which["state"] in STATES else ""}
    notice, people, progress = await gather(
        notifications.get(f"/notices/{notice_id}"),
        notifications.get(f"/notices/{notice_id}/people", **asked, page=number, page_size=100),
        notifications.try_get(f"/notices/{notice_id}/progress"),
    )
    departments = [one["department"] for one in (progress or {}).get("departments", [])]
    departments.sort(key=lambda one: one["name"])
    here = next((one["name"] for one in departments if one["id"] == asked["department_id"]), "")
    shown = {"notice": notice, "people": people, "departments": departments, "here_name": here, "which": asked, "states": STATES}
    rights = {"records": may(request, "acknowledgement.record") and notice["withdrawn"] is None}
    known = {"rights": rights, "methods": METHODS, "problem": problem, "form": form or {}}
    return page(request, "notices/people.html", status, **shown, **known)


@pages.post("/notices/{notice_id}/records")
async def record_people(request: Request, notice_id: UUID) -> Response:
    """A head, or who reports for a department, writes down that these people were told, and how."""
    refuse_unless(request, "acknowledgement.record")
    form = await typed(request, lists=("person_ids",))
    wish = {"person_ids": form["person_ids"], "method": form.get("method", ""), "note": form.get("note")}
    answer = await notifications.post(f"/notices/{notice_id}/records", wish, form_key(request))
    back = {"department_id": str(form.get("department_id", "")), "state": str(form.get("state", "")), "q": ""}
    if answer.problem is None:
        kept = "&".join(f"{name}={value}" for name, value in back.items() if value and value.replace("-", "").replace("_", "").isalnum())
        return RedirectResponse(f"/notices/{notice_id}/people?{kept}{'&' if kept else ''}done=people_recorded", 303)
    return await _people(request, notice_id, back, 1, answer.status_code, answer.problem, form)


@pages.post("/notices/{notice_id}/records/{record_id}/correction")
async def correct_record(request: Request, notice_id: UUID, record_id: UUID) -> Response:
    """Say that a record was wrong: it stays readable, and counts no more."""
    refuse_unless(request, "acknowledgement.record")
    form = await typed(request)
    wish = {"reason": form.get("reason", "")}
    answer = await notifications.post(f"/notices/{notice_id}/records/{record_id}/correction", wish, form_key(request))
    if answer.problem is None:
        return RedirectResponse(f"/notices/{notice_id}/people?state=by_head&done=record_corrected", 303)
    form["at"] = str(record_id)
    return await _people(
        request, notice_id, {"department_id": "", "state": "by_head", "q": ""}, 1, answer.status_code, answer.problem, form
    )


@pages.get("/notices/{notice_id}/missing")
async def print_missing(request: Request, notice_id: UUID, department_id: str = "") -> Response:
    """Who is missing, by department, as a sheet to be printed."""
    refuse_unless(request, "notice.progress")
    notice, found = await gather(notifications.get(f"/notices/{notice_id}"), missing_of(notice_id, department_id))
    return page(request, "notices/missing.html", notice=notice, missing=found, department_id=department_id)


@pages.get("/notices/{notice_id}/missing/export")
async def export_missing(request: Request, notice_id: UUID, department_id: str = "") -> Response:
    """The same as a workbook."""
    refuse_unless(request, "notice.progress")
    notice = await notifications.get(f"/notices/{notice_id}")
    return await file_of(notice, await missing_of(notice_id, department_id), language(request))
