"""Coming in for the first time: the code of a sheet, a proof, the privacy notice, a password, and then one's own record."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from gateway.entering import A_CODE, beside, come_in, device_key_of, device_of, one, wrong_field
from gateway.forms import typed
from gateway.pages import Pages, page
from gateway.services import Away, Said, gather, identity

pages = Pages()


@pages.get("/activate", open_to_all="whoever holds a sheet has no account yet")
async def ask_code(request: Request) -> Response:
    """Ask for the short code, for those who cannot scan."""
    return page(request, "activate/code.html", form={}, problem=None)


@pages.post("/activate", open_to_all="whoever holds a sheet has no account yet")
async def take_code(request: Request) -> Response:
    """To the page of the typed code."""
    form = await typed(request)
    code = one(form, "code")
    if code is None:
        return page(request, "activate/code.html", 422, form=form, problem=wrong_field("code", "required"))
    if not A_CODE.fullmatch(code):
        return page(request, "activate/code.html", 422, form=form, problem=wrong_field("code", "no_activation"))
    return RedirectResponse(f"/activate/{quote(code, safe='')}", 303)


@pages.get("/activate/{code}", open_to_all="whoever holds a sheet has no account yet")
async def show_activation(request: Request, code: str) -> Response:
    """Whose code it is, and what is asked; or why it does not work and what helps."""
    return await _show(request, code)


@pages.post("/activate/{code}", open_to_all="whoever holds a sheet has no account yet")
async def activate(request: Request, code: str) -> Response:
    """Come in with the code, and stay signed in on this phone."""
    form = await typed(request)
    if one(form, "accepted") is None:
        return await _show(request, code, 422, form, wrong_field("accepted", "accept_first"))
    if one(form, "password") != one(form, "again"):
        return await _show(request, code, 422, form, wrong_field("again", "passwords_differ"))
    if not A_CODE.fullmatch(code):
        return await _show(request, code, 404, form)
    wish = {
        "proof": one(form, "proof"),
        "password": one(form, "password"),
        "notice_version": one(form, "accepted"),
        "kind": "phone" if one(form, "stay") else "desk",
        "device": device_of(request),
        "device_key": device_key_of(request),
    }
    answer = await identity.post(f"/activations/{quote(code, safe='')}", {name: value for name, value in wish.items() if value is not None})
    if answer.problem is None:
        return await come_in(request, answer, "/?done=activated")
    problem = beside(answer.problem, proof_wrong="proof", notice_changed="accepted")
    if answer.problem["code"] == "proof_wrong" and answer.problem["params"].get("tries_left") == 0:
        problem = None  # the code is dead now, which is what is to be said
    return await _show(request, code, answer.status_code, form, problem)


async def _show(
    request: Request, code: str, status: int = 200, form: Mapping[str, Any] | None = None, problem: dict[str, Any] | None = None
) -> Response:
    try:
        if not A_CODE.fullmatch(code):
            raise Said(404, {"code": "no_activation"})
        stands, notice = await gather(identity.get(f"/activations/{quote(code, safe='')}"), identity.try_get("/notice"))
    except Said as no:
        if no.problem["code"] == "no_activation":  # a letter was misread: it is mended where it stands
            typed_code = {"code": code} if A_CODE.fullmatch(code) else {}
            return page(request, "activate/code.html", no.status, form=typed_code, problem=wrong_field("code", "no_activation"))
        return page(request, "activate/refused.html", no.status, refused=no.problem, tried=form is not None)
    except Away:
        return page(request, "activate/refused.html", 503, refused={"code": "not_available", "params": {}}, tried=form is not None)
    return page(request, "activate/activate.html", status, code=code, stands=stands, notice=notice, form=form or {}, problem=problem)
