"""Around everything: a reference number, a cap on running requests, a time to arrive in, and an answer whatever happens within."""

import asyncio
import re
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import structlog
from fastapi import Request
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.refusals import Refused
from shared.web import problem, reference, unexpected

log = structlog.get_logger()

RUNNING_AT_ONCE = 200
SENDING_SECONDS, SENDING_RATE = 15, 10_000  # a request is here within so long, and a second more for so many bytes of it
_STREAM, _PLAIN = b"text/event-stream", b"text/plain"
_REFERENCE = re.compile(rb"[0-9A-Za-z-]{1,32}")

Spoken = Callable[[Request, BaseException], Any]
Observe = Callable[[Scope, int, float], None]


class Outermost:
    """The last word of a process. An exception that reached uvicorn would cut the connection, and the next request on it would fail
    too (tried: 50 of 50)."""

    def __init__(self, app: ASGIApp, *, last_resort: Spoken = unexpected, observe: Observe | None = None) -> None:
        self.app, self.last_resort, self.observe = app, last_resort, observe
        self.running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = (v.decode() for k, v in scope["headers"] if k == b"muster-reference" and _REFERENCE.fullmatch(v))
        scope["reference"] = next(given, None) or uuid4().hex[:12]
        one = _Running(self, scope, receive, send)
        self.running += 1
        try:
            if self.running > RUNNING_AT_ONCE:
                raise Refused("not_available", 503)
            await self.app(scope, one.receive, one.send)
        except BaseExceptionGroup as several:
            await self._last(one, several.exceptions[0])
        except Exception as odd:
            await self._last(one, odd)
        finally:
            self.running -= one.counted
            if self.observe is not None:
                self.observe(scope, one.status, time.perf_counter() - one.began)

    async def _last(self, one: "_Running", odd: BaseException) -> None:
        request = Request(one.scope)
        if one.ended:
            return  # it was answered in our words already
        if isinstance(odd, ClientDisconnect):  # a half upload: nobody is there to be answered, and nothing of ours broke
            one.status = 400
            return
        if one.started:  # half an answer is out: nothing better than to end it
            log.error("broke off", reference=reference(request), exc_info=odd)
            return
        if isinstance(odd, Refused):
            answer = problem(request, odd.status, odd.code, odd.params, headers={"Retry-After": "2"})
        else:
            answer = self.last_resort(request, odd)
        await answer(one.scope, one.receive, one.send)


class _Running:
    """One request on its way through."""

    def __init__(self, house: Outermost, scope: Scope, receive: Receive, send: Send) -> None:
        self.house, self.scope, self._receive, self._send = house, scope, receive, send
        self.began = time.perf_counter()
        self.started, self.ended, self.counted, self.status = False, False, True, 500
        self._arrived, self._byte_count, self._asked_at = False, 0, 0.0

    async def receive(self) -> Message:
        """What is sent, in good time. Whoever sends a request by the drop takes nobody's place meanwhile, and one when it is here."""
        if self._arrived:
            return await self._receive()
        given_up = self.counted
        self.house.running -= given_up
        try:
            message = await self._in_time()
        finally:
            self.house.running += given_up
        self._arrived = not message.get("more_body", False)
        if self._arrived and self.house.running > RUNNING_AT_ONCE:
            raise Refused("not_available", 503)
        self._byte_count += len(message.get("body", b""))
        return message

    async def _in_time(self) -> Message:
        self._asked_at = self._asked_at or time.perf_counter()
        left = self._asked_at + SENDING_SECONDS + self._byte_count / SENDING_RATE - time.perf_counter()
        try:
            async with asyncio.timeout(max(left, 1)):  # a busy machine gets to what has arrived long since
                return await self._receive()
        except TimeoutError:
            raise Refused("malformed", 408) from None

    async def send(self, message: Message) -> None:
        """What is answered, with our headers."""
        if self.ended:
            return
        if message["type"] == "http.response.start":
            kind = next((value for name, value in message["headers"] if name == b"content-type"), b"")
            if message["status"] == 413 and kind.startswith(_PLAIN):  # the framework's own words for a body that is too large
                await problem(Request(self.scope), 413, "too_large")(self.scope, self._receive, self.send)
                self.ended = True
                return
            self.started, self.status = True, message["status"]
            if self.counted and kind.startswith(_STREAM):
                self.counted = False  # an open page that only waits takes nobody's place
                self.house.running -= 1
            ours = [(b"x-content-type-options", b"nosniff"), (b"muster-reference", self.scope["reference"].encode("latin-1"))]
            message = {**message, "headers": [*message["headers"], *ours]}
        await self._send(message)
