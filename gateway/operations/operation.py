"""One operation: its days, sites by shifts with who is still missing; opened, copied, lengthened, printed."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.formats import day
from gateway.forms import form_key, typed
from gateway.operations.wishes import ROLES, TIMES, beside, fresh_pattern, like, pattern_of
from gateway.pages import Pages, page
from gateway.rights import may, refuse_unless
from gateway.services import Answer, dispatch, gather
from shared.clock import today, zone

pages = Pages()


@pages.get("/operations/{operation_id}")
async def show_operation(request: Request, operation_id: UUID, on: date | None = None) -> Response:
    """The operation on one of its days."""
    refuse_unless(request, "board.read")
    return await _shown(request, operation_id, on)


@pages.post("/operations/{operation_id}/opening")
async def open_operation(request: Request, operation_id: UUID) -> Response:
    """Open it: whoever is on its shifts sees them, and may sign up where that is allowed."""
    refuse_unless(request, "operation.change")
    await typed(request)
    answer = await dispatch.post(f"/operations/{operation_id}/opening", None, form_key(request))
    if not answer.problem:
        return RedirectResponse(f"/operations/{operation_id}?done=operation_opened", 303)
    return await _shown(request, operation_id, None, answer)


@pages.post("/operations/{operation_id}/copy")
async def copy_day(request: Request, operation_id: UUID) -> Response:
    """Make a day's shifts on another day; whoever could not be asked again is named with the reason."""
    refuse_unless(request, "operation.change")
    form = await typed(request)
    wish = {"from_on": form.get("from_on"), "to_on": form.get("to_on"), "with_people": "with_people" in form}
    answer = await dispatch.post(f"/operations/{operation_id}/days/copy", wish, form_key(request))
    if answer.problem:
        return await _shown(request, operation_id, day(wish["from_on"]), answer, form)
    if answer.data["refused"]:
        operation = await dispatch.get(f"/operations/{operation_id}")
        return page(request, "operations/copied.html", operation=operation, copied=answer.data)
    done = "day_copied" if answer.data["shift_count"] else "nothing_copied"
    return RedirectResponse(f"/operations/{operation_id}?on={answer.data['on']}&done={done}", 303)


@pages.get("/operations/{operation_id}/more")
async def more(request: Request, operation_id: UUID, on: date | None = None) -> Response:
    """The sites, and the forms for another one and for more shifts, as those that the day has."""
    refuse_unless(request, "operation.change")
    listed = await dispatch.get(f"/operations/{operation_id}/days/{on}") if on else {"sites": []}
    return await _more(request, operation_id, {"on": str(on or ""), "site_ids": [], **like((), listed["sites"])})


@pages.post("/operations/{operation_id}/sites")
async def add_site(request: Request, operation_id: UUID) -> Response:
    """Add a site."""
    refuse_unless(request, "operation.change")
    form = await typed(request)
    wish = {field: form[field] for field in ("name", "address") if field in form}
    answer = await dispatch.post(f"/operations/{operation_id}/sites", wish, form_key(request))
    if not answer.problem:
        return RedirectResponse(f"/operations/{operation_id}/more?on={form.get('on', '')}&done=site_added", 303)
    return await _more(request, operation_id, {"site_ids": [], **fresh_pattern(), **form}, answer, "site")


@pages.post("/operations/{operation_id}/shifts")
async def add_shifts(request: Request, operation_id: UUID) -> Response:
    """Make more shifts, at some sites or all, on one day or all."""
    refuse_unless(request, "operation.change")
    form = await typed(request, lists=("site_ids",))
    wish = {**pattern_of(form), "site_ids": form["site_ids"], "days": [form["days"]] if form.get("days") else []}
    answer = await dispatch.post(f"/operations/{operation_id}/shifts", wish, form_key(request))
    if not answer.problem:
        return RedirectResponse(f"/operations/{operation_id}?on={form.get('days', '')}&done=shifts_made", 303)
    return await _more(request, operation_id, form, answer, "shifts")


@pages.get("/operations/{operation_id}/print")
async def print_day(request: Request, operation_id: UUID, on: date) -> Response:
    """The lists of a day for paper, site by site."""
    refuse_unless(request, "board.read")
    return page(request, "operations/print.html", day=await dispatch.get(f"/operations/{operation_id}/days/{on}"))


async def _more(request: Request, operation_id: UUID, form: Any, answer: Answer | None = None, which: str = "") -> Response:
    operation = await dispatch.get(f"/operations/{operation_id}")
    problem = beside(answer.problem) if answer else None
    return page(
        request,
        "operations/more.html",
        answer.status_code if answer else 200,
        operation=operation,
        form=form,
        site_problem=problem if which == "site" else None,
        shifts_problem=problem if which == "shifts" else None,
        times=TIMES,
        roles=ROLES,
    )


async def _shown(
    request: Request, operation_id: UUID, on: date | None, answer: Answer | None = None, form: Mapping[str, Any] | None = None
) -> Response:
    rights = {name: may(request, name) for name in ("operation.change", "assignment.confirm")}
    operation, board, teams = await gather(
        dispatch.get(f"/operations/{operation_id}"),
        dispatch.get(f"/operations/{operation_id}/board", on=on),
        dispatch.try_get("/teams") if rights["assignment.confirm"] else _nothing(),
    )
    here = date.fromisoformat(board["on"])
    after = (date.fromisoformat(operation["until_on"]) + timedelta(days=1)).isoformat()  # the operation is then longer by it
    others = [on for on in (*(one["on"] for one in operation["days"]), after) if on != board["on"] and on >= today().isoformat()]
    return page(
        request,
        "operations/operation.html",
        answer.status_code if answer else 200,
        operation=operation,
        board=board,
        here=next((one for one in operation["days"] if one["on"] == board["on"]), None),
        grid=grid_of(board["sites"]),
        teams=teams,
        others=others,
        next_day=next((one for one in others if one == str(here + timedelta(days=1))), others[0] if others else ""),
        rights=rights,
        changes=rights["operation.change"] and operation["state"] != "ended",
        problem=answer.problem if answer else None,
        form=form or {},
    )


def grid_of(sites: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Sites by times of the day: the columns are the times that any site has, a cell holds the shifts of just that time."""
    times = sorted({(shift["starts_at"], shift["ends_at"]) for site in sites for shift in site["shifts"]})
    rows = [
        {"site": site, "cells": [[_covered(one) for one in site["shifts"] if (one["starts_at"], one["ends_at"]) == at] for at in times]}
        for site in sites
    ]
    return {
        "times": [{"starts_at": begins, "ends_at": ends, "next_day": _local_day(begins) != _local_day(ends)} for begins, ends in times],
        "rows": rows,
    }


def _local_day(moment: str) -> date:
    return datetime.fromisoformat(moment).astimezone(zone()).date()


def _covered(shift: Mapping[str, Any]) -> dict[str, Any]:
    """How a shift is covered, all its roles together. Whoever was asked and has not answered holds a place, but is not sure."""
    names = ("head_count", "proposed", "confirmed", "checked_in", "checked_out", "late", "no_show", "unfit_since")
    total = {name: sum(role[name] or 0 for role in shift["roles"]) for name in names}
    there, due = total["checked_in"] + total["checked_out"], total["confirmed"] - total["late"]
    sure = there + total["confirmed"]
    drawn = there + total["late"] + total["no_show"] + due
    missing = [(role["name"], role["head_count"] - _held(role)) for role in shift["roles"] if role["head_count"] > _held(role)]
    return {
        **shift,
        **total,
        "there": there,
        "due": due,
        "sure": sure,
        "open": max(total["head_count"] - drawn, 0),
        "missing": missing,
        "missing_count": sum(count for _, count in missing),
    }


def _held(role: Mapping[str, Any]) -> int:
    return sum(int(role[name]) for name in ("proposed", "confirmed", "checked_in", "checked_out"))


async def _nothing() -> None:
    return None
