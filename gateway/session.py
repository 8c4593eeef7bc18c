"""Who looks at the page: the cookie becomes a caller token from identity, asked for anew every 30 s; forms come from our own pages."""

import hashlib
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.on_duty import OnDuty
from gateway.pages import error_page
from gateway.services import ASKING, Asking, Away, identity, personnel
from gateway.unread import THEIR_OWN, Unread
from shared import clock
from shared.settings import settings

log = structlog.get_logger()

FRESH_SECONDS = 30
AWAY_SECONDS = 5  # so long nobody who is known waits again for an identity that has just not answered
INSTITUTION_SECONDS = 30
PHONE_DAYS = 30
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_KEPT = 20_000
CSP = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"


@dataclass(slots=True)
class Known:
    """A session as identity last described it."""

    asked_at: float
    until: float
    token: str
    me: dict[str, Any]
    quiet: bool = False  # looked up for a block that refreshed itself, which is no sign that somebody is there

    def is_over(self) -> bool:
        """A duty has ended since, and the rights with it."""
        return self.me.get("officer_until") is not None and clock.now() >= datetime.fromisoformat(self.me["officer_until"])


def _ended(me: dict[str, Any]) -> Any:
    """When the duty ended that gave this person rights when they were last here, or was given to another; else what was said then."""
    until = me.get("officer_until")
    return min(until, clock.now().isoformat(), key=datetime.fromisoformat) if until else me.get("duty_ended_at")


@dataclass(slots=True)
class Sessions:
    """The sessions this process has seen lately. Nothing here outlives identity's word by more than the token's 15 minutes."""

    known: dict[str, Known] = field(default_factory=dict)
    away_until: float = float("-inf")
    institution: str = ""
    institution_asked_at: float = float("-inf")
    on_duty: OnDuty = field(default_factory=OnDuty)
    unread: Unread = field(default_factory=Unread)

    async def look_up(self, secret: str, *, quiet: bool = False) -> tuple[Known | None, bool]:
        """The session, and whether identity is away. A session that identity has ended is None. A quiet look lets it idle on."""
        name = hashlib.sha256(secret.encode()).hexdigest()
        kept = self.known.get(name)
        moment = time.monotonic()
        if kept and moment - kept.asked_at < FRESH_SECONDS and (quiet or not kept.quiet) and not kept.is_over():
            return kept, False
        if kept and moment < min(kept.until, self.away_until):
            return kept, True
        headers = {"muster-session": secret} | ({"muster-background": "true"} if quiet else {})
        try:
            answer = await identity.ask("POST", "/sessions/token", headers=headers)
        except Away:
            answer = None
        if answer is None or answer.status_code >= 500:
            self.away_until = time.monotonic() + AWAY_SECONDS
            return (kept, True) if kept and moment < kept.until else (None, True)
        if answer.status_code >= 400:
            self.known.pop(name, None)
            return None, False
        found = answer.json()
        if len(self.known) >= _KEPT:
            self.known.clear()
        person = found.get("person")
        me = {**found, "name": found.get("name") or (person or {}).get("name", "")}
        if not me.get("officer_until"):
            me["duty_ended_at"] = _ended(kept.me) if kept else None
        fresh = Known(moment, moment + 14 * 60, found["token"], me, quiet)
        self.known[name] = fresh
        return fresh, False

    def forget(self, *, account_ids: set[str] | None = None, session_ids: set[str] | None = None) -> None:
        """Ask identity anew for these at the next request: what they may do has changed, or they have ended."""
        for name, known in list(self.known.items()):
            if known.me.get("account_id") in (account_ids or ()) or known.me.get("session_id") in (session_ids or ()):
                known.asked_at = float("-inf")
                if known.me.get("session_id") in (session_ids or ()):
                    self.known.pop(name, None)

    def drop(self, secret: str) -> None:
        """The session was ended here."""
        self.known.pop(hashlib.sha256(secret.encode()).hexdigest(), None)

    async def name_of_institution(self) -> str:
        """The institution's name, looked up every half minute."""
        moment = time.monotonic()
        if moment - self.institution_asked_at > INSTITUTION_SECONDS:
            self.institution_asked_at = moment
            found = await personnel.try_get("/institution")
            if found is not None:
                self.institution = found["name"]
        return self.institution


def is_https(scope: Scope) -> bool:
    """Does the browser speak https, to us or to the proxy before us?"""
    return settings().public_url.startswith("https://") or scope.get("scheme") == "https"


def cookie_name(scope: Scope) -> str:
    """`__Host-` binds the cookie to this host over https; plain http, on loopback and in the demo only, has a plain name."""
    return "__Host-muster" if is_https(scope) else "muster"


def set_session(answer: Response, scope: Scope, secret: str, kind: str) -> None:
    """Put the session into the browser: for 30 days on a phone, until the browser closes at a desk."""
    answer.set_cookie(
        cookie_name(scope),
        secret,
        max_age=PHONE_DAYS * 24 * 3600 if kind == "phone" else None,
        path="/",
        secure=is_https(scope),
        httponly=True,
        samesite="lax",
    )


def end_session(answer: Response, scope: Scope) -> None:
    """Take the session out of the browser, with what it kept of our pages."""
    answer.delete_cookie(cookie_name(scope), path="/", secure=is_https(scope), httponly=True, samesite="lax")
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'


def session_of(request: Request) -> str:
    """The secret in the browser's cookie; empty without one, or when it is none of ours."""
    found = request.cookies.get(cookie_name(request.scope), "")
    return found if found.isascii() and found.isprintable() else ""  # a quoted cookie may hold line breaks, which a header must not


def from_our_page(connection: HTTPConnection) -> bool:
    """Does an unsafe request come from a page of ours? Sec-Fetch-Site says so; plain http has none, then Origin must."""
    site = connection.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none") if site != "none" else connection.headers.get("origin") in (None, _own(connection))
    origin = connection.headers.get("origin")
    return origin is not None and origin == _own(connection)


def _own(connection: HTTPConnection) -> str:
    public = settings().public_url
    if public and not settings().demo:
        parts = urlsplit(public)
        return f"{parts.scheme}://{parts.netloc}"
    return f"{connection.url.scheme}://{connection.headers.get('host', '')}"


class SessionGate:
    """Around the pages: knows who looks, refuses forms that do not come from our pages, adds the headers that keep browsers strict."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope, receive)
        scope.setdefault("state", {})
        ASKING.set(Asking(scope, address=_address(request)))

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                _strict(MutableHeaders(scope=message), scope)
            await send(message)

        path = scope["path"]
        if path.startswith(("/static/", "/api/v1/")) or path in ("/livez", "/readyz", "/metrics"):
            await self.app(scope, receive, with_headers)
            return
        if scope["method"] not in _SAFE and not from_our_page(request):
            log.warning("refused a form from elsewhere", path=path, origin=request.headers.get("origin"))
            await error_page(request, 403, scope.get("reference", ""), {"code": "foreign_page", "params": {}})(scope, receive, with_headers)
            return
        await self._know(request)
        await self.app(scope, receive, with_headers)

    async def _know(self, request: Request) -> None:
        state, sessions = request.state, _sessions(request)
        state.me, state.identity_away, state.on_duty, state.unread_count = None, False, None, 0
        state.now = clock.now().astimezone(clock.zone())
        state.demo = settings().demo
        if secret := session_of(request):
            quiet = request.headers.get("muster-live") == "1" or request.url.path == "/live"  # a stream is opened anew by itself
            known, state.identity_away = await sessions.look_up(secret, quiet=quiet)
            if known is not None:
                state.me = known.me
                asking = ASKING.get()
                assert asking is not None
                asking.token = known.token
                state.on_duty = await sessions.on_duty.at(state.now)
                if known.me.get("person"):
                    unread, person_id = sessions.unread, str(known.me["person"]["id"])
                    state.unread_count = unread.last(person_id) if request.url.path in THEIR_OWN else await unread.of(person_id)
        state.institution = await sessions.name_of_institution()


def _sessions(request: Request) -> Sessions:
    found: Sessions = request.app.state.sessions
    return found


def _address(request: Request) -> str:
    """Where the request came from; the proxy's word counts only when uvicorn was told to trust it."""
    return request.client.host if request.client else ""


def _strict(headers: MutableHeaders, scope: Scope) -> None:
    headers.setdefault("content-security-policy", CSP)
    headers.setdefault("referrer-policy", "same-origin")
    headers.setdefault("cross-origin-opener-policy", "same-origin")
    headers.setdefault("permissions-policy", "camera=(), microphone=(), geolocation=()")
    if is_https(scope):
        headers.setdefault("strict-transport-security", "max-age=31536000")
