"""Passes «something changed» to open pages as server-sent events, without data: the page asks for its block again with its own rights."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any
from urllib.parse import unquote, urlsplit

import nats
import structlog
from fastapi import Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from gateway.pages import Pages
from gateway.session import Sessions
from shared import events
from shared.settings import settings

log = structlog.get_logger()

MOST_TOPICS = 40
QUIET_SECONDS = 15
QUIET = "quiet"


class Hints:
    """The open pages and what each wants to hear of."""

    def __init__(self, sessions: Sessions) -> None:
        self.sessions = sessions
        self.listeners: dict[asyncio.Queue[str], frozenset[str]] = {}
        self.nc: Client | None = None
        self.closing = asyncio.Event()

    async def listen(self) -> None:
        """Hear the events; when NATS is away pages ask by themselves every 30 s."""
        parts = urlsplit(settings().nats_url.get_secret_value())
        while True:
            with contextlib.suppress(NatsError, OSError, TimeoutError):
                self.nc = await asyncio.wait_for(
                    nats.connect(
                        f"{parts.scheme}://{parts.hostname}:{parts.port or 4222}",
                        name="gateway",
                        user=unquote(parts.username or ""),
                        password=unquote(parts.password or ""),
                        inbox_prefix=b"_INBOX_gateway",
                        max_reconnect_attempts=-1,
                        reconnect_time_wait=0.25,
                        ping_interval=5,
                        max_outstanding_pings=2,
                        connect_timeout=2,
                        error_cb=_complain,
                        reconnected_cb=self._came_back,
                    ),
                    10,
                )
                await self.nc.subscribe("event.>", cb=self._heard)
                return
            await asyncio.sleep(1)

    async def _came_back(self) -> None:
        self.tell({"all"})

    async def _heard(self, message: Msg) -> None:
        try:
            data: dict[str, Any] = json.loads(message.data)["data"]
        except (ValueError, KeyError, TypeError):
            return
        if message.subject == events.RolesChanged.subject:
            self.sessions.forget(account_ids={str(one) for one in data["account_ids"]})
        elif message.subject == events.SessionsEnded.subject:
            self.sessions.forget(session_ids={str(one) for one in data["session_ids"]})
        self.tell(topics_of(message.subject, data))

    def tell(self, topics: set[str]) -> None:
        """Say to whoever waits for one of these that it changed."""
        for queue, wanted in self.listeners.items():
            for topic in topics & (wanted | {"all"}):
                if not queue.full():
                    queue.put_nowait(topic)

    async def close(self) -> None:
        """End the open streams, so that the process can stop."""
        self.closing.set()
        for queue in self.listeners:
            if not queue.full():
                queue.put_nowait("")
        if self.nc is not None:
            with contextlib.suppress(Exception):  # a connection that is away cannot be closed in order, and need not be
                await asyncio.wait_for(self.nc.close(), 2)

    async def stream(self, topics: frozenset[str]) -> AsyncIterator[ServerSentEvent]:
        """What one open page hears, until it goes or the process stops."""
        queue: asyncio.Queue[str] = asyncio.Queue(maxsize=100)
        self.listeners[queue] = topics
        try:
            yield ServerSentEvent(comment="here", retry=2000)
            while topic := await self._next(queue):
                yield ServerSentEvent(comment="here") if topic == QUIET else ServerSentEvent(raw_data=topic, event="changed")
        finally:
            self.listeners.pop(queue, None)

    async def _next(self, queue: asyncio.Queue[str]) -> str:
        """The next topic; a sign of life when nothing came for a while; the empty word when the process stops."""
        if self.closing.is_set():
            return ""
        try:
            return await asyncio.wait_for(queue.get(), QUIET_SECONDS)
        except TimeoutError:
            return QUIET


async def _complain(error: Exception) -> None:
    log.warning("nats", error=str(error) or type(error).__name__)


def topics_of(subject: str, data: dict[str, Any]) -> set[str]:
    """The topic words of an event: what pages name in data-live."""
    match subject:
        case events.HealthRecordChanged.subject:
            return {f"person:{one}" for one in data["person_ids"]} | {"people", "coverage", "exemptions"}
        case events.PeopleChanged.subject:
            return {f"person:{one['id']}" for one in data["people"]} | {"people", "coverage"}
        case events.DepartmentsChanged.subject:
            return {"departments"}
        case events.ImportMoved.subject:
            return {f"import:{data['import_id']}", "imports"}
        case events.RemarkWritten.subject:
            return {"remarks", f"remarks:{data['person_id']}"}
        case events.RecordLooked.subject:
            return {f"looks:{one}" for one in data["person_ids"]}
        case events.RolesChanged.subject:
            return {"roles", "accounts"}
        case events.SessionsEnded.subject:
            return {"sessions", "accounts"}
        case _:
            return set()


pages = Pages()


@pages.get("/live", response_class=EventSourceResponse)
async def hear(request: Request, topics: Annotated[str, Query(max_length=2000)] = "") -> AsyncIterator[ServerSentEvent]:
    """One stream an open page: `changed` with a topic word, nothing else. `topics` are the words it wants, separated by commas."""
    hints: Hints = request.app.state.hints
    wanted = frozenset(one for one in topics.split(",") if one)
    async for said in hints.stream(frozenset(list(wanted)[:MOST_TOPICS])):
        yield said
