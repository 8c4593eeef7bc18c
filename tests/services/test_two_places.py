"""duty and dispatch side by side, under random commands fired at both at once: nobody in two places at any instant, and no deadlock."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from services.dispatch.tables import HOLDS_PLACE, OPEN_STATES, Assignment, ShiftRole
from shared.bookings import booking
from shared.db import is_away
from shared.events import FitnessChanged, FitnessState
from tests.doors import Door
from tests.people import COORDINATOR, FANG_JIBAI, GU_CHANGTING, JIANG_CAIWEI, LEADER, LIANG_YUAN, NOW, PAN_XIANGYE, caller
from tests.services.deployment import knows_everybody, planned, shifts_of
from tests.services.duties import GATE, PLANNER, day, fill, people, post, publish, read, wish

CAST = (LIANG_YUAN, JIANG_CAIWEI, FANG_JIBAI, GU_CHANGTING, PAN_XIANGYE)
MONDAY = date(2021, 8, 9)
SIDE_BY_SIDE = 8
COMMANDS = 240


class Both:
    """A week of the gate and two days of an operation that want the same five people."""

    def __init__(self, duty: Door, dispatch: Door, seed: int) -> None:
        self.duty, self.dispatch, self.random = duty, dispatch, random.Random(seed)
        self.answers: Counter[tuple[str, int, str]] = Counter()
        self.made: set[UUID] = set()
        self.version = 1

    async def begin(self) -> None:
        await people(self.duty)
        await knows_everybody(self.dispatch)
        self.post_id = (await post(self.duty, **GATE | {"head_count": 1}))["id"]
        in_turn = [wish(self.post_id, day(number), CAST[number % 5]) for number in range(7)]
        assert (await fill(self.duty, in_turn)).status_code == 200
        assert (await publish(self.duty)).status_code == 200
        pattern = {"times": [["08:00", "12:00"], ["11:00", "15:00"]], "roles": [{"name": "登记", "head_count": 2}], "signup": True}
        days: dict[str, Any] = {"from_on": "2021-08-09", "until_on": "2021-08-12"}
        operation = await planned(self.dispatch, pattern=pattern, requirement="testing_point", **days)
        self.shifts = [one for site in (0, 1) for one in await shifts_of(self.dispatch, operation, site)]
        await self.tell(True)

    async def tell(self, fit: bool) -> None:
        self.version += 1
        told = [
            FitnessState(
                person_id=one.id,
                rule="testing_point",
                fit_from=NOW if fit else None,
                fit_until=None,
                version=self.version,
            )
            for one in (CAST if fit else [self.random.choice(CAST)])
        ]
        await self._heard(FitnessChanged(fitness=told))

    async def _heard(self, said: FitnessChanged) -> None:
        """As the inbox does it: whoever waited in vain for a lock is told again."""
        while True:
            try:
                return await self.dispatch.hears(said)
            except DBAPIError as odd:
                if not is_away(odd):
                    raise
                self.answers["told", 503, ""] += 1

    async def does(self, what: str, ask: Callable[[], Awaitable[httpx.Response]]) -> None:
        """As a client does it: 503 says that nothing was done, and one asks again."""
        while (answer := await ask()).status_code == 503:
            self.answers[what, 503, ""] += 1
        said = answer.json()
        self.answers[what, answer.status_code, said.get("code", "")] += 1
        if answer.status_code == 201:
            self.made |= {UUID(one["id"]) for one in said.get("done", [said])}

    async def asked(self) -> None:
        chosen = self.random.sample(CAST, self.random.randint(1, 4))
        body = {"shift_id": str(self.random.choice(self.shifts).id), "role": "登记", "person_ids": [str(one.id) for one in chosen]}
        overridden = self.random.random() < 0.3
        more = {"override": "x"} if overridden else {}
        by = LEADER if overridden else COORDINATOR
        await self.does("asked", lambda: self.dispatch.post("/assignments", body | more, by))

    async def signs_up(self) -> None:
        path = f"/shifts/{self.random.choice(self.shifts).id}/signup"
        by = caller(self.random.choice(CAST))
        await self.does("signs up", lambda: self.dispatch.post(path, {"role": "登记"}, by))

    async def put_on_duty(self) -> None:
        version = (await read(self.duty))["version"]
        wished = [wish(self.post_id, day(number), self.random.choice(CAST)) for number in self.random.sample(range(4), 2)]
        await self.does("on duty", lambda: fill(self.duty, wished, version, reason="调整"))

    async def _some(self, *states: str) -> UUID | None:
        async with self.dispatch.rows() as tx:
            found = list(await tx.scalars(select(Assignment.id).where(Assignment.state.in_(states))))
        return self.random.choice(found) if found else None

    async def released(self) -> None:
        if row_id := await self._some(*OPEN_STATES):
            await self.does("released", lambda: self.dispatch.post(f"/assignments/{row_id}/release", {"reason": "x"}, COORDINATOR))

    async def freed(self) -> None:
        if row_id := await self._some(*OPEN_STATES):
            await self.does("freed", lambda: self.dispatch.post("/assignments/freeing", {"refs": [str(row_id)]}, PLANNER))

    async def moved(self) -> None:
        shift = self.random.choice(self.shifts)
        now_at = (await self.dispatch.get(f"/shifts/{shift.id}", COORDINATOR)).json()
        starts_at = shift.starts_at + timedelta(hours=self.random.randint(-2, 2))
        times = {"starts_at": starts_at.isoformat(), "ends_at": (starts_at + timedelta(hours=4)).isoformat()}
        await self.does("moved", lambda: self.dispatch.patch(f"/shifts/{shift.id}", times | {"version": now_at["version"]}, COORDINATOR))

    async def turns_unfit(self) -> None:
        await self.tell(False)
        await self.tell(True)

    async def place_filled(self) -> None:
        if found := (await self.dispatch.get("/alerts", COORDINATOR)).json()["items"]:
            body = {"person_id": str(self.random.choice(CAST).id)}
            path = f"/alerts/{self.random.choice(found)['assignment_id']}/filling"
            await self.does("filled", lambda: self.dispatch.post(path, body, COORDINATOR))

    async def fire(self) -> None:
        """All commands, so many at once, in an order that nobody planned."""
        often = ["asked"] * 4 + ["signs_up"] * 3 + ["put_on_duty"] * 3 + ["released", "freed", "moved", "moved", "place_filled"]
        ways: list[Callable[[], Awaitable[None]]] = [getattr(self, name) for name in (*often, "turns_unfit")]
        waiting = [self.random.choice(ways) for _ in range(COMMANDS)]

        async def works() -> None:
            while waiting:
                await waiting.pop()()

        await asyncio.gather(*(works() for _ in range(SIDE_BY_SIDE)))


async def two_places(door: Door) -> list[tuple[Any, Any]]:
    """Bookings of one person that meet, in one snapshot of the calendar."""
    async with door.rows() as tx:
        other = booking.alias("other")
        met = (booking.c.person_id == other.c.person_id, booking.c.ref < other.c.ref, booking.c.during.op("&&")(other.c.during))
        return [(one, two) for one, two in await tx.execute(select(booking.c.ref, other.c.ref).where(*met))]


async def deadlocks(door: Door) -> int:
    """How many the server has broken in this database; a handler that was given up is run again, so that no answer tells."""
    async with door.rows() as tx:
        found = await tx.scalar(text("select deadlocks from pg_stat_database where datname = current_database()"))
    return int(found or 0)


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_nobody_is_in_two_places_whatever_both_do_at_once(duty: Door, dispatch: Door, seed: int) -> None:
    both = Both(duty, dispatch, seed)
    await both.begin()
    before = await deadlocks(dispatch)
    seen: list[Any] = []
    over = asyncio.Event()

    async def watches() -> None:
        while not over.is_set():
            seen.append(await two_places(dispatch))
            await asyncio.sleep(0.02)

    watching = asyncio.create_task(watches())
    try:
        await both.fire()
    finally:
        over.set()
        await watching

    assert len(seen) > 10
    assert not any(seen), "somebody was in two places"
    assert {status for _, status, _ in both.answers} <= {200, 201, 409, 503}, both.answers
    done = {what for what, status, _ in both.answers if status < 300}
    assert {"asked", "signs up", "on duty", "released", "moved"} <= done, both.answers
    async with dispatch.rows() as tx:
        rows = list(await tx.scalars(select(Assignment)))
        heads = {(one.shift_id, one.name): one.head_count for one in await tx.scalars(select(ShiftRole))}
        theirs = select(booking.c.ref, booking.c.person_id).where(booking.c.kind == "assignment")
        booked = {row.ref: row.person_id for row in await tx.execute(theirs)}
    held = Counter((row.shift_id, row.role) for row in rows if row.state in HOLDS_PLACE)
    assert all(count <= heads[key] for key, count in held.items())
    assert {row.id for row in rows} == both.made, "what was answered as done is there, and nothing else"
    assert {row.id: row.person_id for row in rows if row.state in OPEN_STATES} == booked
    await asyncio.sleep(1.5)  # the server tells of deadlocks a second later
    assert await deadlocks(dispatch) == before, "somebody waited in a ring, and one had to give up"
