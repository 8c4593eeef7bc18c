"""Operations: which run, come and are over; and one form that plans an operation with its sites and all their shifts."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from fastapi import Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.forms import form_key, typed
from gateway.i18n import N_
from gateway.meanwhile import changes, chosen, rebased, version_of
from gateway.operations.filling import pages as filling_pages
from gateway.operations.operation import pages as operation_pages
from gateway.operations.sites import pages as site_pages
from gateway.operations.wishes import ROLES, TIMES, beside, fresh_pattern, like, pattern_of, sites_of
from gateway.pages import Pages, page
from gateway.rights import may, refuse_unless
from gateway.services import dispatch, gather
from shared.clock import today
from shared.fitness import CODES, NONE

pages = Pages()

KINDS = ("testing", "gate", "flood", "clinic", "other")
RULES = [code for code in CODES if code != NONE]
FIELDS = {
    "name": N_("Name of the operation"),
    "place": N_("Where it is"),
    "partner": N_("Together with"),
    "from_on": N_("First day"),
    "until_on": N_("Last day"),
    "requirement": N_("Requirement"),
    "bring": N_("What to bring"),
    "note": N_("Note"),
}
CURRENT_MOST = 200


@pages.get("/operations")
async def list_operations(request: Request, page_no: int = Query(default=1, ge=1, alias="page")) -> Response:
    """What runs, what comes, and what is over, page by page."""
    refuse_unless(request, "board.read")
    on = today()
    current, past = await gather(
        dispatch.get("/operations", since=on, page_size=CURRENT_MOST), dispatch.get("/operations", before=on, page=page_no)
    )
    items = sorted(current["items"], key=lambda one: (one["from_on"], one["name"]))
    return page(
        request,
        "operations/list.html",
        running=[one for one in items if date.fromisoformat(one["from_on"]) <= on],
        coming=[one for one in items if date.fromisoformat(one["from_on"]) > on],
        past=past,
        may_change=may(request, "operation.change"),
    )


@pages.get("/operations/new")
async def new_operation(request: Request, like_id: UUID | None = None, on: date | None = None) -> Response:
    """The form: tomorrow, from 08:00 to 22:00 in three; or with what another operation has on one of its days."""
    refuse_unless(request, "operation.change")
    tomorrow = (today() + timedelta(days=1)).isoformat()
    form = {"from_on": tomorrow, "until_on": tomorrow, "kind": "testing", **fresh_pattern()}
    if like_id is not None:
        operation = await dispatch.get(f"/operations/{like_id}")
        listed = await dispatch.get(f"/operations/{like_id}/days/{on or operation['from_on']}")
        form |= {field: str(operation[field] or "") for field in ("kind", *FIELDS) if field not in ("name", "from_on", "until_on")}
        form |= like(operation["sites"], listed["sites"])
    return _new(request, form, None)


@pages.post("/operations/new")
async def plan_operation(request: Request) -> Response:
    """Plan it: the sites and the shifts of every day are made in one go."""
    refuse_unless(request, "operation.change")
    form = await typed(request)
    wish: dict[str, Any] = {field: form[field] for field in (*FIELDS, "kind") if form.get(field)}
    pattern = pattern_of(form)
    body = {**wish, "sites": sites_of(form), **({"pattern": pattern} if pattern["times"] or pattern["roles"] else {})}
    answer = await dispatch.post("/operations", body, form_key(request))
    if not answer.problem:
        return RedirectResponse(f"/operations/{answer.data['id']}?done=operation_planned", 303)
    return _new(request, form, beside(answer.problem), answer.status_code)


def _new(request: Request, form: Any, problem: Any, status: int = 200) -> Response:
    context = {"kinds": KINDS, "rules": RULES, "times": TIMES, "roles": ROLES}
    return page(request, "operations/new.html", status, form=form, problem=problem, labels=FIELDS, **context)


@pages.get("/operations/{operation_id}/edit")
async def edit_operation(request: Request, operation_id: UUID) -> Response:
    """The form with what stands there now."""
    refuse_unless(request, "operation.change")
    operation = await dispatch.get(f"/operations/{operation_id}")
    now = _plain(operation)
    form = {**now, **{f"was_{field}": value for field, value in now.items()}, "version": operation["version"]}
    return _edit(request, operation, form, None)


@pages.post("/operations/{operation_id}/edit")
async def change_operation(request: Request, operation_id: UUID) -> Response:
    """Save; where somebody else was faster, one decides."""
    refuse_unless(request, "operation.change")
    form = await typed(request)
    wish = {field: value or None for field, value in chosen(form, list(FIELDS)).items()}
    answer = await dispatch.send("PATCH", f"/operations/{operation_id}", {**wish, "version": version_of(form)}, form_key(request))
    if not answer.problem:
        return RedirectResponse(f"/operations/{operation_id}?done=saved", 303)
    operation = await dispatch.get(f"/operations/{operation_id}")
    if answer.problem["code"] != "changed_meanwhile":
        return _edit(request, operation, form, answer.problem, answer.status_code)
    now = _plain(operation)
    again = rebased(form, now, list(FIELDS), operation["version"])
    return _edit(request, operation, again, answer.problem, answer.status_code, changes(form, now, list(FIELDS)))


@pages.post("/operations/{operation_id}/closing")
async def close_operation(request: Request, operation_id: UUID) -> Response:
    """End it: what has not begun is called off, and whoever was to come is told why."""
    refuse_unless(request, "operation.change")
    form = await typed(request)
    answer = await dispatch.post(f"/operations/{operation_id}/closing", {"reason": form.get("reason")}, form_key(request))
    if not answer.problem:
        return RedirectResponse(f"/operations/{operation_id}?done=operation_closed", 303)
    operation = await dispatch.get(f"/operations/{operation_id}")
    now = _plain(operation)
    fresh = {**now, **{f"was_{field}": value for field, value in now.items()}, "version": operation["version"]}
    return _edit(request, operation, fresh, None, answer.status_code, closing=(form, answer.problem))


def _plain(operation: Mapping[str, Any]) -> dict[str, str]:
    return {field: str(operation[field] or "") for field in FIELDS}


def _edit(
    request: Request, operation: Any, form: Any, problem: Any, status: int = 200, meanwhile: Any = (), closing: Any = ({}, None)
) -> Response:
    context = {"rules": RULES, "labels": FIELDS, "meanwhile": list(meanwhile), "close_form": closing[0], "close_problem": closing[1]}
    return page(request, "operations/edit.html", status, operation=operation, form=form, problem=problem, **context)


pages.include_router(filling_pages)
pages.include_router(site_pages)
pages.include_router(operation_pages)  # after /operations/new, which is no id
