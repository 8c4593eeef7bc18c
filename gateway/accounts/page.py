"""Accounts: who has been let in, how they stand, and what the administrator may do about it: unlock, end sessions."""

from typing import Any
from uuid import UUID

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from gateway.forms import form_key, typed
from gateway.pages import Pages, page
from gateway.services import identity

pages = Pages()

STATES = ("none", "invited", "active", "locked", "left")
SIGN_INS_SHOWN = 10


@pages.get("/accounts")
async def list_accounts(request: Request) -> Response:
    """Everybody, let in or not; by name, and in one state."""
    asked = request.query_params
    state = asked.get("state") if asked.get("state") in STATES else None
    found = await identity.get("/accounts", q=asked.get("q", "")[:100], state=state, page=asked.get("page"))
    return page(request, "accounts/list.html", accounts=found, state=state, states=STATES, q=asked.get("q", ""))


@pages.get("/accounts/{account_id}")
async def show_account(request: Request, account_id: UUID) -> Response:
    """One account, or one person who has none."""
    return await _show(request, account_id)


async def _show(request: Request, account_id: UUID, status: int = 200, problem: Any = None) -> Response:
    shown = await identity.get(f"/accounts/{account_id}")
    sign_ins = None
    if shown["account_id"] and "administrator" in request.state.me["roles"]:
        sign_ins = await identity.try_get("/signins", account_id=shown["account_id"], page_size=SIGN_INS_SHOWN)
    return page(request, "accounts/account.html", status, shown=shown, sign_ins=sign_ins, problem=problem)


@pages.post("/accounts/{account_id}/unlock")
async def unlock(request: Request, account_id: UUID) -> Response:
    """Open the lock that wrong passwords closed."""
    await typed(request)
    answer = await identity.post(f"/accounts/{account_id}/unlock", key=form_key(request))
    if answer.problem:
        return await _show(request, account_id, answer.status_code, answer.problem)
    return RedirectResponse(f"/accounts/{account_id}?done=unlocked", 303)


@pages.post("/accounts/{account_id}/sessions/end")
async def end_sessions(request: Request, account_id: UUID) -> Response:
    """End all sessions of an account, for a lost phone or a suspicion."""
    await typed(request)
    answer = await identity.send("DELETE", f"/accounts/{account_id}/sessions", key=form_key(request))
    if answer.problem:
        return await _show(request, account_id, answer.status_code, answer.problem)
    return RedirectResponse(f"/accounts/{account_id}?done=sessions_ended", 303)
