"""Passes «something changed» to open pages as server-sent events, without data: the page asks for its block again with its own rights.
That something changed is told only to those who may ask for it: of whose record, and when, is news by itself."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from gateway.pages import Pages
from gateway.session import Sessions
from shared import events
from shared.messaging.streams import connect
from shared.policy import ACTIONS, OWN
from shared.settings import settings

MOST_TOPICS = 40
MOST_PAGES = 30  # of one session with a stream each; the next ones ask every half minute
QUIET_SECONDS = 15
QUIET = "quiet"
CROWD_SECONDS = 1.0  # a thousand answers in a second are one hint to each page that follows the notice


@dataclass(slots=True, eq=False)
class Listener:
    """An open page: what it wants to hear of, and who looks at it."""

    wanted: frozenset[str]
    me: Mapping[str, Any]
    queue: asyncio.Queue[str] = field(default_factory=lambda: asyncio.Queue(maxsize=100))
    over: bool = False

    def stop(self) -> None:
        """It hears nothing more; one that waits is woken."""
        self.over = True
        if not self.queue.full():
            self.queue.put_nowait("")

    def may_hear(self, topic: str, action: str) -> bool:
        """What is one's own; else what the action reaches beyond oneself."""
        whose = topic.partition(":")[2]
        if not action or (whose and whose == (self.me.get("person") or {}).get("id")):
            return True
        return any(ACTIONS[action].get(role, OWN) != OWN for role in self.me["roles"])


class Hints:
    """The open pages and what each wants to hear of."""

    def __init__(self, sessions: Sessions) -> None:
        self.sessions = sessions
        self.listeners: set[Listener] = set()
        self.nc: Client | None = None
        self.closing = asyncio.Event()
        self.soon: dict[str, str] = {}
        self.lately: set[str] = set()

    async def listen(self) -> None:
        """Hear the events; when NATS is away pages ask by themselves every 30 s."""
        while True:
            with contextlib.suppress(NatsError, OSError, TimeoutError):
                self.nc = await asyncio.wait_for(connect(settings().nats_url.get_secret_value(), "gateway", self._came_back), 10)
                await self.nc.subscribe("event.>", cb=self._heard)
                return
            await asyncio.sleep(1)

    async def _came_back(self) -> None:
        self.tell({"all": ""})

    async def _heard(self, message: Msg) -> None:
        try:
            data: dict[str, Any] = json.loads(message.data)["data"]
        except (ValueError, KeyError, TypeError):
            return
        if message.subject == events.RolesChanged.subject:
            self.sessions.forget(account_ids={str(one) for one in data["account_ids"]})
            self.end("account_id", data["account_ids"])
        elif message.subject == events.SessionsEnded.subject:
            self.sessions.forget(session_ids={str(one) for one in data["session_ids"]})
            self.end("session_id", data["session_ids"])
        elif message.subject == events.DutiesChanged.subject:
            self.sessions.on_duty.forget()
        elif message.subject == events.NoticesChanged.subject:
            self.sessions.unread.forget()
        elif message.subject in (events.AcknowledgementsChanged.subject, events.AlertsChanged.subject):
            self.sessions.unread.forget(data["person_ids"])
        if message.subject == events.AcknowledgementsChanged.subject:
            self.tell_soon(topics_of(message.subject, data))
        else:
            self.tell_once(topics_of(message.subject, data))

    def tell_once(self, topics: Mapping[str, str]) -> None:
        """Say at once what was not said within the last second, and the rest soon: a hundred changes in a second are two hints."""
        again = {topic: action for topic, action in topics.items() if topic in self.lately}
        self.tell({topic: action for topic, action in topics.items() if topic not in again})
        self.tell_soon(again)
        if fresh := topics.keys() - self.lately:
            self.lately |= fresh
            asyncio.get_running_loop().call_later(CROWD_SECONDS, self.lately.difference_update, fresh)

    def tell(self, topics: Mapping[str, str]) -> None:
        """Say to whoever waits for one of these, and may know, that it changed. Each topic comes with the action that lets one know."""
        for one in self.listeners:
            for topic in topics.keys() & (one.wanted | {"all"}):
                if one.may_hear(topic, topics[topic]) and not one.queue.full():
                    one.queue.put_nowait(topic)

    def tell_soon(self, topics: Mapping[str, str]) -> None:
        """Say it within a second, once, however often it is heard until then."""
        if topics and not self.soon:
            asyncio.get_running_loop().call_later(CROWD_SECONDS, self._tell_those)
        self.soon |= topics

    def _tell_those(self) -> None:
        topics, self.soon = self.soon, {}
        self.tell(topics)

    def end(self, name: str, ids: list[str]) -> None:
        """End the streams of these accounts or sessions: a page whose session lives on opens another, with the rights of then."""
        for one in self.listeners:
            if str(one.me.get(name)) in ids:
                one.stop()

    async def close(self) -> None:
        """End the open streams, so that the process can stop."""
        self.closing.set()
        for one in self.listeners:
            one.stop()
        if self.nc is not None:
            with contextlib.suppress(Exception):  # a connection that is away cannot be closed in order, and need not be
                await asyncio.wait_for(self.nc.close(), 2)

    async def stream(self, topics: frozenset[str], me: Mapping[str, Any]) -> AsyncIterator[ServerSentEvent]:
        """What one open page hears, until it goes, its session ends, its roles change or the process stops."""
        if sum(one.me.get("session_id") == me.get("session_id") for one in self.listeners) >= MOST_PAGES:
            yield ServerSentEvent(comment="too many open pages", retry=30_000)
            return
        listener = Listener(topics, me)
        self.listeners.add(listener)
        try:
            yield ServerSentEvent(comment="here", retry=2000)
            while topic := await self._next(listener):
                yield ServerSentEvent(comment="here") if topic == QUIET else ServerSentEvent(raw_data=topic, event="changed")
        finally:
            self.listeners.discard(listener)

    async def _next(self, listener: Listener) -> str:
        """The next topic; a sign of life when nothing came for a while; the empty word when it is over."""
        if self.closing.is_set() or listener.over:
            return ""
        try:
            return await asyncio.wait_for(listener.queue.get(), QUIET_SECONDS)
        except TimeoutError:
            return QUIET


def topics_of(subject: str, data: dict[str, Any]) -> dict[str, str]:
    """The topic words of an event, what pages name in data-live; and the action that lets one know, none for what concerns all."""
    match subject:
        case events.HealthRecordChanged.subject:
            lists = {"people": "standing.read", "coverage": "coverage.read", "exemptions": "exemption.decide"}
            return {f"person:{one}": "health.read" for one in data["person_ids"]} | lists
        case events.PeopleChanged.subject:
            lists = {"people": "person.search", "coverage": "coverage.read"}
            return {f"person:{one['id']}": "person.read" for one in data["people"]} | lists
        case events.DepartmentsChanged.subject:
            return {"departments": "department.read"}
        case events.ImportMoved.subject:
            return {f"import:{data['import_id']}": "import.run", "imports": "import.run"}
        case events.RemarkWritten.subject:
            return {"remarks": "remark.read", f"remarks:{data['person_id']}": "remark.read"}
        case events.RecordLooked.subject:
            return {f"looks:{one}": "look.read" for one in data["person_ids"]}
        case events.RolesChanged.subject:
            return {"roles": "role.read", "accounts": "account.read"}
        case events.SessionsEnded.subject:
            return {"sessions": "", "accounts": "account.read"}
        case events.TeamsChanged.subject:
            return {"teams": "team.read"} | {f"team:{one['id']}": "team.read" for one in data["teams"]}
        case events.ShiftsChanged.subject:
            operations = {f"operation:{one['operation_id']}": "board.read" for one in data["shifts"]}
            shifts = {f"shift:{one['id']}": "assignment.read" for one in data["shifts"]}
            return {"operations": "board.read"} | operations | shifts | {f"places:{one['id']}": "" for one in data["shifts"]}
        case events.AssignmentsChanged.subject:
            shifts = {f"shift:{one['shift_id']}": "assignment.read" for one in data["assignments"]}
            own = {f"assignments:{one['person_id']}": "assignment.read" for one in data["assignments"]}
            places = {f"places:{one['shift_id']}": "" for one in data["assignments"]}  # how many hold one is no secret
            return {"assignments": "assignment.read"} | shifts | own | places
        case events.CountsChanged.subject:
            return {f"operation:{data['operation_id']}": "board.read"}
        case events.PlaceOpened.subject | events.PlaceFilled.subject | events.PlaceClosed.subject:
            return {"openings": "candidate.read", f"shift:{data['shift_id']}": "assignment.read"}
        case events.DutiesChanged.subject:
            return {"rosters": "roster.read", "on_duty": "roster.read"}
        case events.GapOpened.subject | events.GapFilled.subject:
            return {"gaps": "roster.plan", "rosters": "roster.read"}
        case events.NoticesChanged.subject:
            return {"notices": "", f"notice:{data['notice_id']}": "notice.progress"}
        case events.AcknowledgementsChanged.subject:
            own = {f"inbox:{one}": "notice.read" for one in data["person_ids"]}
            return {f"notice:{data['notice_id']}": "notice.progress"} | own
        case events.AlertsChanged.subject:
            return {f"alerts:{one}": "notice.read" for one in data["person_ids"]}
        case _:
            return {}


pages = Pages()


@pages.get("/live", response_class=EventSourceResponse)
async def hear(request: Request, topics: Annotated[str, Query(max_length=2000)] = "") -> AsyncIterator[ServerSentEvent]:
    """One stream an open page: `changed` with a topic word, nothing else. `topics` are the words it wants, separated by commas."""
    hints: Hints = request.app.state.hints
    wanted = frozenset(one for one in topics.split(",") if one)
    async for said in hints.stream(frozenset(list(wanted)[:MOST_TOPICS]), request.state.me):
        yield said
