"""What the institution is called: on every page, on every sheet that is printed."""

from typing import Any

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from gateway.forms import form_key, typed
from gateway.pages import Pages, page
from gateway.services import Said, personnel
from shared.policy import ACTIONS

pages = Pages()


@pages.get("/institution")
async def show_institution(request: Request) -> Response:
    """The name, its zone, and what time it is here."""
    if not ACTIONS["institution.change"].keys() & set(request.state.me["roles"]):  # reading it is open to all, this page is not
        raise Said(403, {"code": "not_allowed", "params": {}})
    return await _show(request)


async def _show(request: Request, status: int = 200, **context: Any) -> Response:
    known = {"shown": await personnel.get("/institution"), "form": {}, "problem": None}
    return page(request, "institution/institution.html", status, **{**known, **context})


@pages.post("/institution")
async def rename(request: Request) -> Response:
    """Change the name, unless somebody else just did."""
    form = await typed(request)
    version = str(form.get("version", ""))
    wish = {"name": form.get("name", ""), "version": int(version) if version.isdecimal() else version}
    answer = await personnel.send("PUT", "/institution", wish, form_key(request))
    if answer.problem:
        return await _show(request, answer.status_code, form=form, problem=answer.problem)
    request.app.state.sessions.institution_asked_at = float("-inf")
    return RedirectResponse("/institution?done=saved", 303)
