"""The test of tests: each promise is probed with its guard on, and again with the guard switched off, when the probe must go red.

All switches of guards stand here. They are for this module alone.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from fastapi import Request
from fastapi.routing import APIRoute, iter_route_contexts
from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

import gateway.session
import services.personnel.acts
import shared.once
import shared.service
from infra.nats import Nats
from infra.postgres import Postgres
from services.identity.tables import Look
from services.personnel.tables import Remark
from shared.auth import Caller, Door, caller_of, doors_of
from shared.clock import now, real_now
from shared.events import Event, HealthRecordChanged, RecordLooked, fresh_id
from shared.house import Outbox, StreamSeen
from shared.messaging.relay import Relay
from shared.messaging.streams import EVENTS, connect_within
from tests.doors import Doors
from tests.gateway.door import GatewayDoor
from tests.people import HEALTH, JIANG_CAIWEI, LIANG_YUAN, STAFF
from tests.services.institution import settle
from tests.services.matrix import routes_of
from tests.services.test_permissions import seed_records, wrong_at_the_doors, wrong_in_the_rows

_numbers = count(1)


@dataclass(frozen=True)
class House:
    """What probes and switches act on: the services, and the database as its superuser."""

    doors: Doors
    database_url: str
    patch: pytest.MonkeyPatch
    begun: list[asyncio.Task[None]] = field(default_factory=list)  # what a switch does beside the request

    async def ddl(self, statement: str) -> None:
        """Change the schema of this test's copy."""
        connection = await asyncpg.connect(self.database_url)
        await connection.execute(statement)
        await connection.close()


@pytest.fixture
async def house(doors: Doors, postgres: Postgres, database_name: str, monkeypatch: pytest.MonkeyPatch) -> House:
    """The cast is settled, and everybody has a row of each kind."""
    await settle(doors.personnel)
    await seed_records(doors.personnel)
    return House(doors, postgres.url("postgres", database=database_name), monkeypatch)


async def an_event_heard_twice_has_one_effect(house: House) -> None:
    """Guard: the done-row of the inbox."""
    look = RecordLooked(
        looked_at=now(),
        looker_name=HEALTH.name,
        account_id=HEALTH.account_id,
        client_id=None,
        looker_id=HEALTH.person_id,
        what="record",
        person_ids=[LIANG_YUAN.id],
        people_count=1,
        filter={},
        purpose=f"probe {next(_numbers)}",
    )
    event_id = uuid4()
    for _ in range(2):
        await house.doors.identity.hears(look, event_id)
    async with house.doors.identity.rows() as tx:
        kept = await tx.scalar(select(func.count()).select_from(Look).where(Look.purpose == look.purpose))
    assert kept == 1


@asynccontextmanager
async def without_done_rows(house: House) -> AsyncIterator[None]:
    """A done-row is never there already."""
    await house.ddl("alter table identity.done drop constraint done_pkey")
    yield


async def what_does_not_commit_is_not_told(house: House) -> None:
    """Guard: the outbox row lies in the transaction that it tells of."""
    personnel = house.doors.personnel
    before = len(await personnel.told(HealthRecordChanged))
    await house.ddl(
        "create or replace function personnel.breaks() returns trigger language plpgsql as"
        " $$ begin raise 'broken at the last moment' using errcode = '23514', constraint = 'statement__breaks'; end $$;"
        " create constraint trigger breaks after insert on personnel.statement deferrable initially deferred"
        " for each row execute function personnel.breaks()"
    )
    said = {"person_id": str(LIANG_YUAN.id), "kind": "declined", "on": "2021-08-03"}
    answer = await personnel.post("/statements", said, HEALTH)
    await house.ddl("drop trigger breaks on personnel.statement")
    await asyncio.gather(*house.begun)
    assert (answer.status_code, answer.json()["code"]) == (409, "breaks"), "the probe must fail at commit"
    assert len(await personnel.told(HealthRecordChanged)) == before


@asynccontextmanager
async def with_events_told_at_once(house: House) -> AsyncIterator[None]:
    """An event is told where it is said, not when its transaction commits."""

    async def tell(event: Event) -> None:
        event_id = fresh_id()
        body = event.envelope(event_id, now())
        await house.doors.personnel.has(Outbox(event_id=event_id, subject=event.subject, body=body, created_at=real_now()))

    def at_once(tx: AsyncSession, event: Event) -> None:
        house.begun.append(asyncio.create_task(tell(event)))

    with house.patch.context() as patch:
        patch.setattr(services.personnel.acts, "publish", at_once)
        yield


async def the_same_jab_is_kept_once(house: House) -> None:
    """Guard: the constraint `dose__twice`."""
    given = {"person_id": str(JIANG_CAIWEI.id), "product": "科兴", "given_on": f"2021-07-{next(_numbers):02}"}
    answers = [await house.doors.personnel.post("/doses", given, HEALTH) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 409]
    assert answers[1].json()["code"] == "twice"


@asynccontextmanager
async def without_the_constraint(house: House) -> AsyncIterator[None]:
    """The database takes whatever comes."""
    await house.ddl("drop index personnel.dose__twice")
    yield


async def whoever_may_not_is_refused(house: House) -> None:
    """Guard: the door of each route."""
    wanted = {"personnel PUT /institution", "personnel GET /status", "personnel GET /imports"}
    personnel = house.doors.personnel
    wrong, asked = await wrong_at_the_doors(personnel, [one for one in routes_of(personnel.app) if one.name in wanted])
    assert asked > 30, asked
    assert wrong == []


@asynccontextmanager
async def without_doors(house: House) -> AsyncIterator[None]:
    """Every door of personnel stands open."""
    app = house.doors.personnel.app

    def welcome(request: Request) -> Caller:
        return caller_of(request)

    def open_up(dependant: Any) -> None:
        if getattr(dependant.call, "door", None) is not None:
            app.dependency_overrides[dependant.call] = welcome
        for inner in dependant.dependencies:
            open_up(inner)

    for found in iter_route_contexts(app.routes):
        if isinstance(found.original_route, APIRoute):
            open_up(found.original_route.dependant)
    yield
    app.dependency_overrides.clear()


async def nobody_sees_rows_out_of_reach(house: House) -> None:
    """Guard: the scope of rows."""
    wanted = {"personnel GET /people/{person_id}", "personnel GET /coverage/urge"}
    personnel = house.doors.personnel
    wrong, asked = await wrong_in_the_rows(personnel, [one for one in routes_of(personnel.app) if one.name in wanted])
    assert min(asked.values()) > 5, asked
    assert wrong == []


@asynccontextmanager
async def without_row_scope(house: House) -> AsyncIterator[None]:
    """Whoever came in sees every row."""
    with house.patch.context() as patch:
        patch.setattr(house.doors.personnel.database, "scope", {})
        yield


async def a_repeated_write_has_one_effect(house: House) -> None:
    """Guard: the kept answer to an Idempotency-Key."""
    personnel, text = house.doors.personnel, f"第{next(_numbers)}条意见"
    answers = [await personnel.post("/remarks", {"about": "dose", "text": text}, STAFF, key=text.encode().hex()) for _ in range(2)]
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    async with personnel.rows() as tx:
        assert await tx.scalar(select(func.count()).select_from(Remark).where(Remark.text == text)) == 1


@asynccontextmanager
async def without_kept_answers(house: House) -> AsyncIterator[None]:
    """No key is ever seen."""
    with house.patch.context() as patch:
        patch.setattr(shared.once, "_key", lambda request: None)
        yield


async def a_naked_route_stops_the_start(house: House) -> None:
    """Guard: the start check of doors."""
    naked = shared.service.Slice(prefix="/naked")

    @naked.get("")
    async def show_naked() -> dict[str, str]:
        """Nobody asks who asks."""
        return {}

    said = ""
    try:
        shared.service.service("personnel", [naked], scope={}, sentences={})
    except RuntimeError as refused:
        said = str(refused)
    assert "without a door" in said, "a service with a naked route started"


@asynccontextmanager
async def without_the_start_check(house: House) -> AsyncIterator[None]:
    """Every route is taken for one with a door."""
    with house.patch.context() as patch:
        patch.setattr(shared.service, "doors_of", lambda dependant: [Door(), *doors_of(dependant)])
        yield


GUARDS: list[tuple[Callable[[House], Awaitable[None]], Callable[[House], Any]]] = [
    (an_event_heard_twice_has_one_effect, without_done_rows),
    (what_does_not_commit_is_not_told, with_events_told_at_once),
    (the_same_jab_is_kept_once, without_the_constraint),
    (whoever_may_not_is_refused, without_doors),
    (nobody_sees_rows_out_of_reach, without_row_scope),
    (a_repeated_write_has_one_effect, without_kept_answers),
    (a_naked_route_stops_the_start, without_the_start_check),
]


@pytest.mark.parametrize("probe, switched_off", GUARDS, ids=[probe.__name__ for probe, _ in GUARDS])
async def test_the_probe_holds_and_goes_red_without_its_guard(
    house: House, probe: Callable[[House], Awaitable[None]], switched_off: Callable[[House], Any]
) -> None:
    await probe(house)

    async with switched_off(house):
        with pytest.raises(AssertionError):
            await probe(house)


async def a_form_from_elsewhere_is_refused(door: GatewayDoor) -> None:
    """Guard: where an unsafe request comes from."""
    browser = await door.browser(LIANG_YUAN)
    answer = await browser.post("/language", data={"lang": "en"}, headers={"origin": "http://elsewhere.example"})
    assert answer.status_code == 403


async def test_a_form_from_elsewhere_goes_through_without_its_guard(doors: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    door = GatewayDoor(doors)
    await door.settle()
    await a_form_from_elsewhere_is_refused(door)

    monkeypatch.setattr(gateway.session, "from_our_page", lambda connection: True)
    with pytest.raises(AssertionError):
        await a_form_from_elsewhere_is_refused(door)
    await door.close()


async def what_is_sent_twice_lies_in_the_stream_once(doors: Doors, nats: Nats) -> None:
    """Guard: the Nats-Msg-Id. The relay dies after it published and before its mark was committed; the next one sends again."""
    personnel = doors.personnel
    async with personnel.rows() as tx:
        await tx.execute(delete(Outbox))
    await personnel.post("/remarks", {"about": "dose", "text": f"第{next(_numbers)}条意见"}, STAFF)
    nc = await connect_within(nats.url("personnel"), "personnel")
    try:
        relay = Relay(personnel.database, nc)
        await relay.round()
        before = (await relay.js.stream_info(EVENTS)).state.messages
        async with personnel.rows() as tx:  # as its transaction leaves it when it dies
            await tx.execute(update(Outbox).values(sent_at=None))
            await tx.execute(delete(StreamSeen))
        again = await relay.round()
        after = (await relay.js.stream_info(EVENTS)).state.messages
    finally:
        await nc.close()
    assert (again.sent_count, before > 0) == (1, True), "the probe sent nothing"
    assert after == before, "what was sent twice lies there twice"


async def test_what_is_sent_twice_is_doubled_without_its_guard(doors: Doors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await settle(doors.personnel)
    nats = Nats(tmp_path / "nats", {name: [] for name in ("identity", "personnel")}, fsync=False)
    nats.start()
    try:
        await what_is_sent_twice_lies_in_the_stream_once(doors, nats)

        async def nameless(relay: Relay, row: Any) -> int:
            ack = await relay.js.publish(row.subject, row.body)
            return int(ack.seq)

        monkeypatch.setattr(Relay, "_send", nameless)
        with pytest.raises(AssertionError, match="sent twice"):
            await what_is_sent_twice_lies_in_the_stream_once(doors, nats)
    finally:
        nats.stop()
