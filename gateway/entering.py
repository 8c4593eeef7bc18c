"""What signing in, setting up and activating have in common: which device it is, how a refusal stands beside its field, and the way in."""

import re
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.forms import Typed
from gateway.services import Answer, identity
from gateway.session import Sessions, cookie_name, is_https, session_of, set_session

DEVICE_DAYS = 365
_DEVICE = "-device"
A_CODE = re.compile(r"[0-9A-Za-z -]{1,40}")  # what can be one however it is typed; everything else is none, and no part of an address
_BROWSERS = (  # the first that fits: most browsers name several others
    ("MicroMessenger/", "WeChat"),
    ("DingTalk/", "DingTalk"),
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("HuaweiBrowser/", "Huawei Browser"),
    ("MiuiBrowser/", "Mi Browser"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("HarmonyOS", "HarmonyOS"),
    ("OpenHarmony", "HarmonyOS"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def device_of(request: Request) -> str | None:
    """What the browser says it is, in two words a person recognises: `Chrome · Android`. None when it says nothing known."""
    said = request.headers.get("user-agent", "")[:500]
    names = [next((name for sign, name in known if sign in said), "") for known in (_BROWSERS, _SYSTEMS)]
    return " · ".join(name for name in names if name) or None


def is_phone(request: Request) -> bool:
    """Does the browser say it runs on a phone?"""
    return request.headers.get("sec-ch-ua-mobile") == "?1" or bool(re.search(r"\bMobile\b|iPhone", request.headers.get("user-agent", "")))


def device_key_of(request: Request) -> str | None:
    """The key that this browser was given at a sign-in before; others' wrong passwords do not lock a browser that has one."""
    found = request.cookies.get(cookie_name(request.scope) + _DEVICE, "")
    return found if re.fullmatch(r"[A-Za-z0-9_-]{43}", found) else None


def keep_device_key(answer: Response, request: Request, key: str) -> None:
    """It outlives the session: one signs out, and is known when one signs in again."""
    name, secure = cookie_name(request.scope) + _DEVICE, is_https(request.scope)
    answer.set_cookie(name, key, max_age=DEVICE_DAYS * 24 * 3600, path="/", secure=secure, httponly=True, samesite="strict")


def one(form: Typed, name: str) -> str | None:
    """What was typed in a field that is there once; the last of several, None when it is empty."""
    value = form.get(name)
    return str(value[-1]) if isinstance(value, list) and value else value if isinstance(value, str) else None


def beside(problem: Mapping[str, Any] | None, **fields: str) -> dict[str, Any] | None:
    """The problem with a refusal of the whole form put beside the field it speaks of: `beside(problem, wrong_credentials="password")`."""
    if problem is None:
        return None
    field = fields.get(str(problem.get("code", "")))
    if field is None:
        return dict(problem)
    error = {"field": field, "code": problem["code"], "params": problem.get("params") or {}}
    return {**problem, "code": "invalid", "errors": [error]}


def wrong_field(field: str, code: str) -> dict[str, Any]:
    """The problem that one field is wrong, as a service would say it."""
    return {"code": "invalid", "status": 422, "title": "", "params": {}, "errors": [{"field": field, "code": code, "params": {}}]}


async def come_in(request: Request, begun: Answer, goal: str) -> Response:
    """The way in with a new session. One that was open in this browser ends: nobody finds it there later."""
    sessions: Sessions = request.app.state.sessions
    before = getattr(request.state, "me", None)
    if before is not None:
        await identity.send("DELETE", f"/sessions/{before['session_id']}")
        sessions.drop(session_of(request))
    answer = RedirectResponse(goal, 303)
    set_session(answer, request.scope, begun.data["secret"], begun.data["kind"])
    keep_device_key(answer, request, begun.data["device_key"])
    return answer
