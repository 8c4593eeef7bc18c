"""How pages ask the services: one client a service, `get` must succeed, `try_get` may be missing, `gather` holds a page to one deadline."""

import asyncio
import time
from collections.abc import Awaitable, Coroutine, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlencode

import httpx
import structlog
from httpx_aiohttp import AiohttpTransport
from starlette.responses import Response
from starlette.types import Scope

from shared.settings import settings

log = structlog.get_logger()

PAGE_SECONDS = 2.0
CALL_SECONDS = 1.2
FILE_SECONDS = 60.0
KNOCK_SECONDS = 4.0
"""So long may a service that works at a file be silent at its door; one that hangs is silent for ever, and nobody waits a minute for it."""
KEPT_SECONDS = 30.0
NAMES = ("identity", "personnel", "duty", "dispatch", "notifications")
_AWAY = (httpx.TransportError, TimeoutError, OSError)


@dataclass(slots=True)
class Asking:
    """On whose behalf the services are asked: set by the session for each request, read by every call."""

    scope: Scope
    token: str = ""
    address: str = ""

    def headers(self) -> dict[str, str]:
        """What every call carries: who asks, from which page, where from, under which reference."""
        route = self.scope.get("route")
        found = {"muster-purpose": str(getattr(route, "path", ""))[:80], "muster-client-address": self.address}
        if self.token:
            found["authorization"] = f"Bearer {self.token}"
        if reference := self.scope.get("reference"):
            found["muster-reference"] = reference
        return found


ASKING: ContextVar[Asking | None] = ContextVar("asking", default=None)


class Away(Exception):
    """A service cannot be reached, or does not answer in time."""

    def __init__(self, service: str) -> None:
        super().__init__(service)
        self.service = service


class Said(Exception):
    """A service refused what a page cannot do without; the page of errors shows it."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(problem.get("code", ""))
        self.status, self.problem = status, problem


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a form: the status, what was answered, or the problem to show beside the fields."""

    status_code: int
    data: Any = None
    problem: dict[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


NOT_AVAILABLE = {
    "code": "not_available",
    "status": 503,
    "title": "This part cannot be reached now; nothing was lost.",
    "params": {},
    "errors": [],
}


class Service:
    """One service as pages see it."""

    def __init__(self, name: Literal["identity", "personnel", "duty", "dispatch", "notifications"]) -> None:
        self.name = name
        self.transport: httpx.AsyncBaseTransport | None = None
        self.base_url = ""
        self.kept: dict[str, tuple[float, Any]] = {}

    def connect(self, transport: httpx.AsyncBaseTransport | None = None, base_url: str | None = None) -> None:
        """Open the connections; tests hand in a transport that reaches the service in this process."""
        self.kept.clear()
        limits = httpx.Limits(max_connections=40, max_keepalive_connections=40, keepalive_expiry=5)
        self.transport = transport or AiohttpTransport(limits=limits)
        self.base_url = base_url or getattr(settings(), f"{self.name}_url")

    async def close(self) -> None:
        """Let go of the connections."""
        if self.transport is not None:
            await self.transport.aclose()

    async def ask(self, method: str, path: str, *, timeout: float | None = None, **given: Any) -> httpx.Response:
        """One call, of what works at a file with a time limit of its own. A connection that broke is tried once more: a GET always, a write
        only with its Idempotency-Key. Raises Away."""
        asking = ASKING.get()
        said = (asking.headers() if asking else {}) | dict(given.pop("headers", None) or {})
        headers = [(name.encode(), value.encode("latin-1", "replace")) for name, value in said.items()]  # back to the bytes that came
        repeatable = method == "GET" or "idempotency-key" in said
        for attempt in (1, 2):
            try:
                answer = self._call(method, path, timeout or CALL_SECONDS, headers=headers, **given)
                return await (self._patiently(answer) if timeout else answer)
            except (httpx.ReadError, httpx.RemoteProtocolError, httpx.WriteError) as broke:
                if attempt == 2 or not repeatable:
                    raise Away(self.name) from broke
            except _AWAY as away:
                raise Away(self.name) from away
        raise Away(self.name)

    async def _call(self, method: str, path: str, timeout: float, **given: Any) -> httpx.Response:
        """Straight to the transport: a client's cookies, redirects and merged addresses are nothing for our own services, and cost a third
        of a call."""
        assert self.transport is not None, "the gateway has not begun"
        limits = {"timeout": {"connect": 0.5, "read": timeout, "write": timeout, "pool": timeout}}
        answer = await self.transport.handle_async_request(httpx.Request(method, self.base_url + path, extensions=limits, **given))
        try:
            await answer.aread()
        finally:
            await answer.aclose()
        return answer

    async def _patiently(self, answer: Coroutine[Any, Any, httpx.Response]) -> httpx.Response:
        """What takes its time is waited for as long as the service answers a knock at its door."""
        coming = asyncio.create_task(answer)
        try:
            while not (await asyncio.wait({coming}, timeout=CALL_SECONDS))[0]:
                await self._call("GET", "/livez", KNOCK_SECONDS)
            return coming.result()
        finally:
            coming.cancel()

    async def get(self, path: str, **query: Any) -> Any:
        """What stands there. Raises Said when it is refused, Away when it cannot be reached."""
        answer = await self.ask("GET", address(path, query))
        if answer.status_code >= 500:
            raise Away(self.name)
        if answer.status_code >= 400:
            raise Said(answer.status_code, problem_of(answer))
        return answer.json()

    async def try_kept(self, path: str) -> Any | None:
        """Like `try_get`, for what is the same for everybody and changes with a release alone: asked for every half minute."""
        moment, kept = time.monotonic(), self.kept.get(path)
        if kept is None or moment - kept[0] > KEPT_SECONDS:
            if (found := await self.try_get(path)) is None:
                return None
            self.kept[path] = kept = (moment, found)
        return kept[1]

    async def try_get(self, path: str, **query: Any) -> Any | None:
        """What stands there, or None: the page is right without it and says what is missing."""
        try:
            return await self.get(path, **query)
        except (Away, Said) as missing:
            log.info("left out", service=self.name, path=path, reason=str(missing))
            return None

    async def post(self, path: str, body: Any = None, key: str = "") -> Answer:
        """Send a form. A refusal and a service that is away come back as a problem to show beside what was typed."""
        return await self.send("POST", path, body, key)

    async def send(self, method: str, path: str, body: Any = None, key: str = "", **given: Any) -> Answer:
        """POST, PATCH, PUT or DELETE, like `post`."""
        headers = {"idempotency-key": key} if key else {}
        try:
            answer = await self.ask(method, path, headers=headers, **({"json": body} if body is not None else {}), **given)
        except Away:
            return Answer(503, problem=dict(NOT_AVAILABLE))
        if answer.status_code >= 400:
            return Answer(answer.status_code, problem=problem_of(answer), headers=answer.headers)
        return Answer(answer.status_code, answer.json() if answer.content else None, headers=answer.headers)

    async def file(self, path: str, **query: Any) -> httpx.Response:
        """A file to pass on, with a time limit of its own. Raises Said or Away."""
        answer = await self.ask("GET", address(path, query), timeout=FILE_SECONDS)
        if answer.status_code >= 500:
            raise Away(self.name)
        if answer.status_code >= 400:
            raise Said(answer.status_code, problem_of(answer))
        return answer


def passed_on(found: httpx.Response) -> Response:
    """A file of a service, for the reader's own disk."""
    kept = {name: found.headers[name] for name in ("content-type", "content-disposition") if name in found.headers}
    return Response(found.content, headers={**kept, "cache-control": "no-store"})


def address(path: str, query: Mapping[str, Any]) -> str:
    """A path with its query; what is None or empty is left out, a list is sent several times."""
    pairs = [(name, one) for name, value in query.items() for one in (value if isinstance(value, list | tuple) else [value])]
    kept = [(name, one) for name, one in pairs if one is not None and one != ""]
    return f"{path}?{urlencode(kept)}" if kept else path


def problem_of(answer: httpx.Response) -> dict[str, Any]:
    """The problem+json of an answer; what is none is named not available."""
    try:
        found = answer.json()
    except ValueError:
        found = None
    return found if isinstance(found, dict) and "code" in found else dict(NOT_AVAILABLE)


async def gather(*calls: Awaitable[Any]) -> list[Any]:
    """All of them side by side, under one deadline for the page. Raises Away when it passes, Said when one that must succeed is refused."""
    try:
        async with asyncio.timeout(PAGE_SECONDS):
            return list(await asyncio.gather(*calls))
    except TimeoutError as late:
        raise Away("page") from late


identity = Service("identity")
personnel = Service("personnel")
duty = Service("duty")
dispatch = Service("dispatch")
notifications = Service("notifications")
ALL = (identity, personnel, duty, dispatch, notifications)
