"""Roles: who holds what, given or by fact; giving one, taking one away, and the second person's decision with why one cannot decide."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from gateway.forms import form_key, typed
from gateway.pages import Pages, page
from gateway.services import gather, identity, personnel
from shared.policy import GRANTED_ROLES

pages = Pages()

FOUND_SHOWN = 10
BY_FACT = ("head", "reporter", "deputy")  # nobody gives these; the last two are both reporters


@pages.get("/roles")
async def show_roles(request: Request) -> Response:
    """Who holds which role, and what waits."""
    return await _show(request)


async def _show(request: Request, status: int = 200, **context: Any) -> Response:
    q = request.query_params.get("q", "").strip()[:100] or str(context.get("form", {}).get("q", ""))
    calls = [
        identity.get("/roles", page=request.query_params.get("page"), page_size=100),
        personnel.try_get("/departments"),
        identity.try_get("/setup"),
        *([identity.get("/accounts", q=q, page_size=FOUND_SHOWN)] if q else []),
    ]
    roles, departments, setup, *found = await gather(*calls)
    me: dict[str, Any] = request.state.me
    known = {
        "roles": roles,
        "waiting": [{**one, "why_not": why_not(one, me)} for one in roles["items"] if one["state"] == "waiting"],
        "given": [{**one, "mine": is_mine(one, me), "may_end": may_end(one, me)} for one in roles["items"] if one["state"] == "given"],
        "derived": None if departments is None else [one for one in departments["items"] if any(one[part] for part in BY_FACT)],
        "setup_code_counts": bool(setup and setup["health_needed"]),
        "may_give": [one for one in GRANTED_ROLES if "administrator" in me["roles"] or (one == "health" and "health" in me["roles"])],
        "found": found[0] if found else None,
        "q": q,
    }
    return page(request, "roles/roles.html", status, **{**known, "form": {}, "problem": None, **context})


def is_mine(role: Mapping[str, Any], me: Mapping[str, Any]) -> bool:
    """Is it the reader's own role?"""
    person = me.get("person") or {}
    by_person = role["person"] is not None and role["person"]["id"] == person.get("id")
    return by_person or (role["account_id"] is not None and role["account_id"] == me["account_id"])


def why_not(role: Mapping[str, Any], me: Mapping[str, Any]) -> str:
    """Why the reader cannot be the second person: own, asked, no_health, no_person, no_asker; the empty word when they can."""
    if role["may_decide"]:
        return ""
    if is_mine(role, me):
        return "own"
    if "health" not in me["roles"]:
        return "no_health"
    if role["asked_by_me"]:
        return "asked"
    return "no_asker" if me["person"] else "no_person"


def may_end(role: Mapping[str, Any], me: Mapping[str, Any]) -> bool:
    """Health may be taken away by who holds it, every role by the administrator, one's own by nobody."""
    return not is_mine(role, me) and ("administrator" in me["roles"] or (role["role"] == "health" and "health" in me["roles"]))


@pages.post("/roles")
async def give_role(request: Request) -> Response:
    """Ask for a role for somebody. What opens health records, or speaks of them, waits for a second person."""
    form = await typed(request)
    kind, _, found_id = str(form.get("whom", "")).partition(":")
    if kind not in ("person", "account"):
        missing = {"code": "invalid", "params": {}, "errors": [{"field": "whom", "code": "required", "params": {}}]}
        return await _show(request, 422, form=form, problem=missing)
    answer = await identity.post("/roles", {f"{kind}_id": found_id, "role": form.get("role")}, form_key(request))
    if answer.problem:
        return await _show(request, answer.status_code, form=form, problem=answer.problem)
    return RedirectResponse(f"/roles?done={'asked' if answer.data['state'] == 'waiting' else 'role_given'}", 303)


@pages.post("/roles/{role_id}/decision")
async def decide_role(request: Request, role_id: UUID) -> Response:
    """Be the second person, or let the setup code be it."""
    form = await typed(request)
    body = {"verdict": form.get("verdict", "")} | ({"setup_code": form["setup_code"]} if "setup_code" in form else {})
    answer = await identity.post(f"/roles/{role_id}/approval", body, form_key(request))
    if answer.problem:
        return await _show(request, answer.status_code, problem=answer.problem, decided=str(role_id))
    return RedirectResponse(f"/roles?done={'role_given' if answer.data['state'] == 'given' else 'refused'}", 303)


@pages.post("/roles/{role_id}/end")
async def end_role(request: Request, role_id: UUID) -> Response:
    """Take a role away, or take back what was asked for."""
    await typed(request)
    answer = await identity.send("DELETE", f"/roles/{role_id}", key=form_key(request))
    if answer.problem:
        return await _show(request, answer.status_code, problem=answer.problem)
    return RedirectResponse("/roles?done=role_taken", 303)
