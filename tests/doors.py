"""The doors of the services as tests use them: requests by a caller, rows that are there, events that were told, work that gets done."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import cached_property
from typing import Any, TypeVar
from uuid import UUID, uuid4

import httpx
from fastapi import FastAPI
from sqlalchemy import event, select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlalchemy.orm import DeclarativeBase

from shared.auth import NOBODY, SYSTEM, Caller, mint
from shared.clock import now
from shared.db import Database, Scope, engine_for
from shared.due import DueLoop
from shared.errand import ErrandLoop
from shared.events import Event
from shared.house import Outbox
from shared.job import JobLoop
from shared.messaging.inbox import handle_once

Told = TypeVar("Told", bound=Event)
Kept = TypeVar("Kept", bound=DeclarativeBase)


def engine_of(url: str) -> AsyncEngine:
    """An engine for a test's copy."""
    return engine_for(url, pool_size=5, overflow=15)


class Door:
    """One service in this process. Its loops are off: `hears`, `works` and `dues` move time on when the test says so."""

    def __init__(self, app: FastAPI, engine: AsyncEngine, scope: Scope, slices: Sequence[Any]) -> None:
        self.app, self.slices = app, slices
        self.database = Database(engine, scope)
        app.state.database, app.state.loops = self.database, False
        app.state.heard = None
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        self.client = httpx.AsyncClient(transport=transport, base_url="http://service")
        self.statements: list[str] = []
        self._listened = (engine.sync_engine, "before_cursor_execute", self._count)
        event.listen(*self._listened)

    def _count(self, _c: Any, _cu: Any, statement: str, *_: Any) -> None:
        self.statements.append(statement)

    async def close(self) -> None:
        """Let go of the database, which goes on."""
        event.remove(*self._listened)
        await self.client.aclose()

    async def request(self, method: str, path: str, caller: Caller = NOBODY, key: str | None = None, **given: Any) -> httpx.Response:
        """A request by a caller; `key` is its Idempotency-Key."""
        headers = dict(given.pop("headers", None) or {})
        if caller.kind != "nobody":
            headers["authorization"] = f"Bearer {mint(caller)}"
        if caller.purpose:
            headers["muster-purpose"] = caller.purpose
        if key is not None:
            headers["idempotency-key"] = key
        self.statements.clear()
        return await self.client.request(method, path, headers=headers, **given)

    async def get(self, path: str, caller: Caller = NOBODY, **given: Any) -> httpx.Response:
        """GET."""
        return await self.request("GET", path, caller, **given)

    async def post(self, path: str, body: Any = None, caller: Caller = NOBODY, **given: Any) -> httpx.Response:
        """POST of a JSON body."""
        return await self.request("POST", path, caller, json=body, **given)

    async def put(self, path: str, body: Any = None, caller: Caller = NOBODY, **given: Any) -> httpx.Response:
        """PUT of a JSON body."""
        return await self.request("PUT", path, caller, json=body, **given)

    async def patch(self, path: str, body: Any = None, caller: Caller = NOBODY, **given: Any) -> httpx.Response:
        """PATCH with a JSON body."""
        return await self.request("PATCH", path, caller, json=body, **given)

    async def delete(self, path: str, caller: Caller = NOBODY, **given: Any) -> httpx.Response:
        """DELETE."""
        return await self.request("DELETE", path, caller, **given)

    @asynccontextmanager
    async def rows(self) -> AsyncIterator[AsyncSession]:
        """A transaction as SYSTEM."""
        async with self.database.transaction(SYSTEM) as tx:
            yield tx

    async def has(self, row: Kept) -> Kept:
        """The row is there."""
        async with self.rows() as tx:
            tx.add(row)
        return row

    async def told(self, kind: type[Told]) -> list[Told]:
        """What was told of this kind, in order."""
        async with self.rows() as tx:
            bodies = await tx.scalars(select(Outbox.body).where(Outbox.subject == kind.subject).order_by(Outbox.id))
            return [kind.from_envelope(body)[1] for body in bodies]

    async def told_bodies(self) -> list[tuple[str, bytes]]:
        """Every envelope that was told, in order."""
        async with self.rows() as tx:
            found = await tx.execute(select(Outbox.subject, Outbox.body).order_by(Outbox.id))
            return [(subject, body) for subject, body in found]

    async def hears(self, said: Event, event_id: UUID | None = None) -> None:
        """An event arrives; the same id again is the same message again. What the service does not hear is a mistake of the test."""
        name = self.app.state.name
        assert any(handler.event is type(said) for handler in self.app.state.handlers), f"{name} does not hear {said.subject}"
        await self.hears_body(said.subject, said.envelope(event_id or uuid4(), now()))

    async def hears_body(self, subject: str, body: bytes) -> None:
        """An envelope arrives at every handler of its subject."""
        for handler in self.app.state.handlers:
            if handler.subject == subject:
                await handle_once(self.database, handler, body)

    async def works(self) -> None:
        """Every job that waits is run."""
        loop = JobLoop(self.database, {kind: work for one in self.slices for kind, work in one.works.items()})
        while await loop.round():
            pass

    async def errands(self) -> None:
        """Every errand that waits is run."""
        await ErrandLoop(self.database, {kind: run for one in self.slices for kind, run in one.errands.items()}).drain()

    async def dues(self) -> None:
        """Everything that is due by now is done."""
        loop = DueLoop(self.database, {kind: act for one in self.slices for kind, act in one.dues.items()})
        while await loop.round():
            pass


class Doors:
    """All services, and the way of events between them."""

    def __init__(self, engines: dict[str, AsyncEngine]) -> None:
        self.engines = engines
        self._passed: set[str] = set()

    @cached_property
    def identity(self) -> Door:
        """Who may come in, and as whom."""
        from services.identity.app import SLICES, app
        from services.identity.scope import SCOPE

        return Door(app, self.engines["identity"], SCOPE, SLICES)

    @cached_property
    def personnel(self) -> Door:
        """Who the institution answers for, and how they stand."""
        from services.personnel.app import SLICES, app
        from services.personnel.scope import SCOPE

        return Door(app, self.engines["personnel"], SCOPE, SLICES)

    @cached_property
    def duty(self) -> Door:
        """Who is on duty."""
        from services.duty.app import SLICES, app
        from services.duty.scope import SCOPE

        return Door(app, self.engines["duty"], SCOPE, SLICES)

    @cached_property
    def dispatch(self) -> Door:
        """Who goes where."""
        from services.dispatch.app import SLICES, app
        from services.dispatch.scope import SCOPE

        return Door(app, self.engines["dispatch"], SCOPE, SLICES)

    @cached_property
    def notifications(self) -> Door:
        """Who has been told."""
        from services.notifications.app import SLICES, app
        from services.notifications.scope import SCOPE

        return Door(app, self.engines["notifications"], SCOPE, SLICES)

    @property
    def all(self) -> tuple[Door, ...]:
        """Every service."""
        return self.identity, self.personnel, self.duty, self.dispatch, self.notifications

    async def pass_events(self) -> None:
        """Whatever was told and has not arrived yet arrives everywhere."""
        for door in self.all:
            for subject, body in await door.told_bodies():
                event_id = json.loads(body)["id"]
                if event_id not in self._passed:
                    self._passed.add(event_id)
                    for other in self.all:
                        await other.hears_body(subject, body)

    async def close(self) -> None:
        """Let go of the copy."""
        for name in self.engines:
            if name in self.__dict__:
                await self.__dict__[name].close()


def errors_of(answer: httpx.Response) -> list[tuple[str, str, dict[str, Any]]]:
    """What a problem+json says of the fields: field, code, params; the sentence beside them is for people."""
    assert all(one["title"] for one in answer.json()["errors"])
    return [(one["field"], one["code"], one["params"]) for one in answer.json()["errors"]]
