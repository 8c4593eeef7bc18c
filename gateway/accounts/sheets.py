"""Activation sheets: for whom, a second person where one is needed, and the sheets to print; a code is shown this once."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from gateway.forms import form_key, typed
from gateway.pages import Pages, page
from gateway.qr import own_address, qr
from gateway.services import FILE_SECONDS, gather, identity, personnel

pages = Pages()

PEOPLE_SHOWN = 30
WITHOUT = ("none", "invited")  # never asked in, or with a code that is still open


@pages.get("/accounts/sheets")
async def choose_people(request: Request) -> Response:
    """By department, or one by one; and the codes that wait for a second person."""
    return await _choose(request)


async def _choose(request: Request, status: int = 200, **context: Any) -> Response:
    asked = request.query_params
    state = asked["state"] if asked.get("state") in WITHOUT else "none"
    people, waiting, departments, setup = await gather(
        identity.get("/accounts", state=state, q=asked.get("q", "")[:100], page=asked.get("page"), page_size=PEOPLE_SHOWN),
        identity.get("/activations", state="waiting", page_size=100),
        personnel.try_get("/departments"),
        identity.try_get("/setup"),
    )
    known = {"people": people, "waiting": waiting, "departments": departments, "setup": setup, "state": state, "q": asked.get("q", "")}
    return page(request, "accounts/sheets.html", status, **{**known, "form": {}, "problem": None, **context})


@pages.post("/accounts/sheets")
async def print_sheets(request: Request) -> Response:
    """Codes for those chosen. Departments are asked for one after the other; what went through is shown whatever came after."""
    form = await typed(request, lists=("person_ids", "department_ids"))
    chosen = [{"person_ids": form["person_ids"]}] if form["person_ids"] else []
    if form["department_ids"]:
        departments = await personnel.get("/departments")
        chosen += [{"department_id": one} for one in highest(form["department_ids"], departments["items"])]
    if not chosen:
        return await _choose(request, 422, form=form, problem=_problem("nobody_chosen"))
    code = {"setup_code": form["setup_code"]} if "setup_code" in form else {}
    items: list[dict[str, Any]] = []
    problem, status = None, 200
    for nth, wish in enumerate(chosen):
        answer = await identity.send("POST", "/activations", {**wish, **code}, f"{form_key(request)}-{nth}", timeout=FILE_SECONDS)
        if answer.problem:
            problem, status = answer.problem, answer.status_code
            break
        items += answer.data["items"]
    if not items:
        return await _choose(request, status if problem else 409, form=form, problem=problem or _problem("all_let_in", 409))
    return _sheets(request, items, problem)


@pages.post("/accounts/sheets/{activation_id}/decision")
async def decide(request: Request, activation_id: UUID) -> Response:
    """Be the second person: approve, and the sheet is shown to print, or refuse."""
    form = await typed(request)
    body = {"verdict": form.get("verdict", "")}
    answer = await identity.post(f"/activations/{activation_id}/approval", body, form_key(request))
    if answer.problem:
        return await _choose(request, answer.status_code, problem=answer.problem)
    if answer.data["code"] is None:
        return RedirectResponse("/accounts/sheets?done=refused", 303)
    return _sheets(request, [answer.data])


def _problem(code: str, status: int = 422) -> dict[str, Any]:
    return {"code": code, "status": status, "params": {}, "errors": []}


def highest(chosen: Sequence[str], departments: Iterable[dict[str, Any]]) -> list[str]:
    """The departments chosen that do not lie below another one that was chosen: their people are in it already."""
    parents = {one["id"]: one["parent_id"] for one in departments}

    def covered(department_id: str) -> bool:
        above, seen = parents.get(department_id), {department_id}
        while above is not None and above not in seen:
            if above in chosen:
                return True
            seen.add(above)
            above = parents.get(above)
        return False

    return [one for one in dict.fromkeys(chosen) if not covered(one)]


def _sheets(request: Request, items: list[dict[str, Any]], problem: Any = None) -> Response:
    """The sheets by department, in the order of the names in it."""
    home = own_address(request)
    printed = [{**one, "qr": qr(full_address(one["url"], home))} for one in items if one["code"]]
    by_department = sorted(printed, key=_department)
    known: dict[str, Any] = {
        "groups": [(name, list(group)) for name, group in groupby(by_department, key=_department)],
        "printed_count": len(printed),
        "waiting": [one for one in items if not one["code"]],
        "address": home.split("://", 1)[1] + "/activate",
    }
    return page(request, "accounts/print.html", problem=problem, **known)


def _department(sheet: dict[str, Any]) -> str:
    department = sheet["person"]["department"]
    return str(department["name"]) if department else ""


def full_address(url: str, home: str) -> str:
    """The address in a code, on the host where a phone reaches it."""
    return url if urlsplit(url).scheme else home + urlsplit(url).path
