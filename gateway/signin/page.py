"""Signing in by number and password, or by a part of the demo's cast; and signing out."""

from collections.abc import Mapping
from typing import Any

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from gateway.entering import beside, come_in, device_key_of, device_of, is_phone, one
from gateway.forms import typed
from gateway.i18n import safe_next
from gateway.pages import Pages, page
from gateway.services import dispatch, gather, identity
from gateway.session import Sessions, end_session, session_of
from shared.settings import settings

pages = Pages()


@pages.get("/signin", open_to_all="one signs in here")
async def show_sign_in(request: Request, next: str = "") -> Response:
    """The form, and in a demo the cast. A real system without an administrator asks for the setup code first."""
    if request.state.me is not None and not settings().demo:
        return RedirectResponse(safe_next(next), 303)
    return await _show(request, next)


@pages.post("/signin", open_to_all="one signs in here")
async def sign_in(request: Request) -> Response:
    """Sign in and go where one wanted to go."""
    form = await typed(request)
    wish = {
        "username": one(form, "username"),
        "password": one(form, "password"),
        "kind": "phone" if one(form, "stay") else "desk",
        "device": device_of(request),
        "device_key": device_key_of(request),
    }
    answer = await identity.post("/sessions", {name: value for name, value in wish.items() if value is not None})
    goal = safe_next(one(form, "next"))
    if answer.problem is None:
        return await come_in(request, answer, goal)
    return await _show(request, goal, answer.status_code, form, beside(answer.problem, wrong_credentials="password"))


@pages.post("/signin/part", open_to_all="a part of the demo's cast is taken here")
async def take_part(request: Request) -> Response:
    """Go on as somebody of the demo, without a password."""
    form = await typed(request)
    kind = "phone" if is_phone(request) else "desk"
    answer = await identity.post("/demo/sessions", {"person_id": one(form, "as") or "", "kind": kind})
    goal = safe_next(one(form, "next"))
    if answer.problem is None:
        return await come_in(request, answer, goal)
    status = 404 if answer.status_code == 422 else answer.status_code
    return await _show(request, goal, status, part_problem=answer.problem if status != 404 else {"code": "no_person"})


@pages.post("/signout", open_to_all="one may leave also when the session has ended already")
async def sign_out(request: Request) -> Response:
    """End the session, here and at identity, and leave nothing of it in the browser."""
    sessions: Sessions = request.app.state.sessions
    if request.state.me is not None:
        await identity.send("DELETE", f"/sessions/{request.state.me['session_id']}")
    sessions.drop(session_of(request))
    answer = RedirectResponse("/signin?done=signed_out", 303)
    end_session(answer, request.scope)
    return answer


async def _show(
    request: Request,
    goal: str,
    status: int = 200,
    form: Mapping[str, Any] | None = None,
    problem: dict[str, Any] | None = None,
    part_problem: dict[str, Any] | None = None,
) -> Response:
    demo = settings().demo
    calls = [identity.try_get("/setup"), *([identity.try_get("/demo/cast"), dispatch.try_get("/demo/cast")] if demo else [])]
    setup, cast, players = (await gather(*calls) + [None, None])[:3]
    if setup and setup["needed"] and not demo:
        return RedirectResponse("/setup", 303)
    return page(
        request,
        "signin/signin.html",
        status,
        next=safe_next(goal),
        form=form or {},
        problem=problem,
        part_problem=part_problem,
        away=setup is None,
        cast=[*cast["items"], *(players["items"] if players else [])] if cast else [],
        health_needed=bool(setup and setup["health_needed"]) and not demo,
        staying=is_phone(request),
    )
