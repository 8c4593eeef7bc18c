"""One's own account: devices that are signed in, the password, whose it is, the language, one's sign-ins, and the way out."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote
from uuid import UUID

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from gateway.entering import A_CODE, beside, one, wrong_field
from gateway.forms import form_key, typed
from gateway.pages import Pages, page
from gateway.qr import own_address, qr
from gateway.services import Said, duty, gather, identity
from gateway.session import Sessions, end_session, session_of
from shared.policy import ACTIONS

pages = Pages()

SIGN_INS_SHOWN = 10
_SECRET = re.compile(r"[\w-]{20,100}", re.ASCII)
_OF_A_FEED = ("content-type", "cache-control", "x-content-type-options")
_OF_THE_CODE = ("no_activation", "code_used", "code_ended", "code_dead", "code_expired")


@pages.get("/me")
async def show_account(request: Request) -> Response:
    """The account of whoever looks."""
    return await _show(request)


@pages.post("/me/password")
async def change_password(request: Request) -> Response:
    """Change one's own password; all other devices are signed out."""
    form = await typed(request)
    if one(form, "new") != one(form, "again"):
        return await _show(request, 422, wrong_field("again", "passwords_differ"))
    wish = {name: one(form, name) for name in ("old", "new")}
    answer = await identity.post("/passwords", {name: value for name, value in wish.items() if value is not None})
    if answer.problem is None:
        return RedirectResponse("/me?done=password_changed", 303)
    problem = answer.problem
    if problem["code"] == "wrong_credentials":
        problem = {**problem, "code": "old_wrong"}
    elif problem["code"] == "no_account":
        problem = {**problem, "code": "no_password"}
    # 401 is the answer to who one is; here it is only the old password that is wrong
    return await _show(request, 409 if answer.status_code == 401 else answer.status_code, beside(problem, old_wrong="old"))


@pages.post("/me/person")
async def say_who_one_is(request: Request) -> Response:
    """Whoever came in by the set-up says which person they are. Who has an account already signs in with that one from now on."""
    form = await typed(request)
    if request.state.me["person"]:  # said in another window
        return RedirectResponse("/me", 303)
    code, proof, accepted = (one(form, name) or "" for name in ("code", "proof", "accepted"))
    if not A_CODE.fullmatch(code):
        return await _show(request, 422, form=form, who_problem=wrong_field("code", "no_activation" if code else "required"))
    if not accepted:
        return await _show(request, 422, form=form, who_problem=wrong_field("accepted", "accept_first"))
    answer = await identity.post(f"/activations/{quote(code, safe='')}/account", {"proof": proof, "notice_version": accepted})
    if answer.problem is not None:
        problem = beside(answer.problem, proof_wrong="proof", notice_changed="accepted", **dict.fromkeys(_OF_THE_CODE, "code"))
        return await _show(request, answer.status_code, form=form, who_problem=problem)
    sessions: Sessions = request.app.state.sessions
    sessions.forget(account_ids={request.state.me["account_id"]})
    return RedirectResponse("/signin?done=joined" if answer.data["joined"] else "/me?done=said_who", 303)


@pages.post("/me/sessions/{session_id}/end")
async def end_device(request: Request, session_id: UUID) -> Response:
    """Sign a device out. This one goes to the sign-in page."""
    await typed(request)
    answer = await identity.send("DELETE", f"/sessions/{session_id}", key=form_key(request))
    sessions: Sessions = request.app.state.sessions
    if answer.problem is not None and answer.status_code != 404:  # ended already is ended
        return await _show(request, answer.status_code, device_problem=answer.problem)
    sessions.forget(session_ids={str(session_id)})
    if str(session_id) != request.state.me["session_id"]:
        return RedirectResponse("/me?done=device_signed_out", 303)
    sessions.drop(session_of(request))
    left = RedirectResponse("/signin?done=signed_out", 303)
    end_session(left, request.scope)
    return left


@pages.post("/me/feeds")
async def make_feed(request: Request) -> Response:
    """Make a link to one's own duties and shifts for a calendar; it is shown this once."""
    await typed(request)
    answer = await duty.post("/feeds", key=form_key(request))
    if answer.problem is not None:
        return await _show(request, answer.status_code, feed_problem=answer.problem)
    secret = str(answer.data["path"]).split("/")[2]
    url = f"{own_address(request)}/calendar/{secret}.ics"
    return page(request, "account/feed.html", url=url, picture=qr(url))


@pages.post("/me/feeds/{feed_id}/end")
async def end_feed(request: Request, feed_id: UUID) -> Response:
    """End a link: whoever has it reads nothing any more."""
    await typed(request)
    answer = await duty.send("DELETE", f"/feeds/{feed_id}", key=form_key(request))
    if answer.problem is not None and answer.status_code != 404:
        return await _show(request, answer.status_code, feed_problem=answer.problem)
    return RedirectResponse("/me?done=feed_ended", 303)


@pages.get("/calendar/{secret}.ics", open_to_all="a calendar signs in nowhere: the secret in the link is the proof, and it can be ended")
async def read_feed(request: Request, secret: str) -> Response:
    """One's own duties and shifts for one's own calendar, as duty writes them."""
    if not _SECRET.fullmatch(secret):
        raise Said(404, {"code": "not_found", "status": 404, "params": {}, "errors": []})
    found = await duty.file(f"/feeds/{secret}/duties.ics")
    return Response(found.content, headers={name: found.headers[name] for name in _OF_A_FEED if name in found.headers})


async def _nothing() -> None:
    """What the page does not ask for."""


async def _show(
    request: Request,
    status: int = 200,
    problem: Mapping[str, Any] | None = None,
    device_problem: Mapping[str, Any] | None = None,
    who_problem: Mapping[str, Any] | None = None,
    feed_problem: Mapping[str, Any] | None = None,
    form: Mapping[str, Any] | None = None,
) -> Response:
    me: dict[str, Any] = request.state.me
    sees_sign_ins = any(role in ACTIONS["sign_in.read"] for role in me["roles"])
    devices, sign_ins, notice, feeds = await gather(
        identity.try_get("/sessions"),
        identity.try_get("/signins", account_id=me["account_id"], page_size=SIGN_INS_SHOWN) if sees_sign_ins else _nothing(),
        _nothing() if me["person"] else identity.try_get("/notice"),
        duty.try_get("/feeds/mine") if me["person"] else _nothing(),
    )
    known = {"devices": devices, "sign_ins": sign_ins, "sees_sign_ins": sees_sign_ins, "notice": notice, "feeds": feeds, "form": form or {}}
    problems = {"problem": problem, "device_problem": device_problem, "who_problem": who_problem, "feed_problem": feed_problem}
    return page(request, "account/account.html", status, **known, **problems)
