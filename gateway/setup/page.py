"""The first page of an empty system: the setup code from the console makes the administrator, then the first who keeps health records."""

from collections.abc import Mapping
from typing import Any, Literal

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from gateway.entering import beside, come_in, one, wrong_field
from gateway.forms import typed
from gateway.pages import Pages, page
from gateway.services import identity
from shared.settings import settings

pages = Pages()
Place = Literal["administrator", "health"]


@pages.get("/setup", open_to_all="in an empty system nobody can sign in yet")
async def show_setup(request: Request, place: str = "") -> Response:
    """Ask for the setup code and the account to be made. `?place=administrator` also later, for whom the operator prints a new code."""
    return await _show(request, place)


@pages.post("/setup", open_to_all="in an empty system nobody can sign in yet")
async def set_up(request: Request) -> Response:
    """Make the account and sign in with it."""
    form = await typed(request)
    place = one(form, "place") or ""
    if one(form, "password") != one(form, "again"):
        return await _show(request, place, 422, form, wrong_field("again", "passwords_differ"))
    wish = {name: one(form, name) for name in ("code", "name", "username", "password")}
    path = "/setup/health" if place == "health" else "/setup"
    answer = await identity.post(path, {name: value for name, value in wish.items() if value is not None})
    if answer.problem is None:
        return await come_in(request, answer, "/?done=set_up")
    return await _show(request, place, answer.status_code, form, _words(answer.problem))


def _words(problem: dict[str, Any]) -> dict[str, Any] | None:
    for error in problem.get("errors") or []:
        if error["field"] == "username" and error["code"] in ("odd_characters", "too_long", "too_short"):
            error["code"] = "username_odd"
    return beside(problem, setup_code_wrong="code")


async def _show(
    request: Request, place: str, status: int = 200, form: Mapping[str, Any] | None = None, problem: dict[str, Any] | None = None
) -> Response:
    if settings().demo:
        return RedirectResponse("/signin", 303)
    stands = await identity.try_get("/setup")
    shown: Place | None = None
    if stands is None or stands["needed"] or place == "administrator":
        shown = "administrator"
    elif stands["health_needed"]:
        shown = "health"
    return page(request, "setup/setup.html", status, place=shown, stands=stands, form=form or {}, problem=problem)
