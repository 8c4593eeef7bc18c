"""An assignment from asked to checked out, whatever coordinators, volunteers, leaders, the clock and personnel do in whatever order: nobody
in two places, never one too many, each open place an alert and only that, and others were told what stands."""

import asyncio
from collections import Counter
from collections.abc import Coroutine
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import select

from services.dispatch.rules.assigning import CORRECTABLE, STEPS, unfit_reason
from services.dispatch.tables import HOLDS_PLACE, OPEN_STATES, Assignment, KnownFitness, OpenPlace, Shift, ShiftRole
from shared.bookings import taken
from shared.clock import now, set_now
from shared.events import AssignmentsChanged, FitnessChanged, FitnessState, PeopleChanged, PlaceFilled, PlaceOpened
from tests.doors import Door
from tests.people import COORDINATOR, GU_CHANGTING, JIANG_CAIWEI, LEADER, LIANG_YUAN, NOW, PAN_XIANGYE, TANG_YINAN, Person, caller
from tests.services.deployment import knows_everybody, planned, shifts_of
from tests.services.let_in import state_of

CAST = (LIANG_YUAN, GU_CHANGTING, PAN_XIANGYE, JIANG_CAIWEI)
GATE_LEADER = caller(TANG_YINAN)
PATTERN = {
    "times": [["08:00", "12:00"], ["12:00", "16:00"]],
    "roles": [{"name": "登记", "head_count": 1}, {"name": "秩序", "head_count": 2}],
}
MAY_ANSWER = (200, 201, 409)

who, which, role = st.sampled_from(CAST), st.integers(0, 3), st.sampled_from(["登记", "秩序"])


class Assignments(RuleBasedStateMachine):
    """What may happen to the people of a morning; the checks hold after every step."""

    dispatch: Door
    empty: Any
    loop: asyncio.AbstractEventLoop

    def __init__(self) -> None:
        super().__init__()
        self.stood: dict[UUID, str] = {}
        self.version = 1

    def do(self, what: Coroutine[Any, Any, Any]) -> Any:
        """In the loop of the test, from the machine's thread."""
        return asyncio.run_coroutine_threadsafe(what, self.loop).result(60)

    @initialize()
    def an_operation_is_open(self) -> None:
        self.do(self._begin())

    async def _begin(self) -> None:
        await self.empty()
        set_now(NOW)
        await knows_everybody(self.dispatch)
        sites = [{"name": "东门", "leader_id": str(TANG_YINAN.id)}, {"name": "西门", "leader_id": str(TANG_YINAN.id)}]
        days: dict[str, Any] = {"until_on": "2021-08-04", "requirement": "testing_point"}
        operation = await planned(self.dispatch, sites=sites, pattern=PATTERN | {"signup": True}, **days)
        self.shifts: list[Shift] = [one for site in (0, 1) for one in await shifts_of(self.dispatch, operation, site)]
        told = [self._fitness(person, True) for person in CAST]
        await self.dispatch.hears(FitnessChanged(fitness=told))

    def _fitness(self, person: Person, fit: bool) -> FitnessState:
        fit_from = NOW - timedelta(days=1) if fit else None
        return FitnessState(person_id=person.id, rule="testing_point", fit_from=fit_from, fit_until=None, version=self.version)

    def post(self, path: str, body: Any, by: Any = COORDINATOR) -> Any:
        answer = self.do(self.dispatch.post(path, body, by))
        assert answer.status_code in MAY_ANSWER, answer.text
        return answer

    def one_of(self, person: Person) -> UUID | None:
        """The person's newest assignment."""
        return self.do(self._one_of(person))  # type: ignore[no-any-return]

    async def _one_of(self, person: Person) -> UUID | None:
        async with self.dispatch.rows() as tx:
            wanted = select(Assignment.id).where(Assignment.person_id == person.id).order_by(Assignment.asked_at.desc())
            return await tx.scalar(wanted.limit(1))

    @rule(shift=which, people=st.lists(who, min_size=1, max_size=4), role=role, override=st.booleans())
    def people_are_asked(self, shift: int, people: list[Person], role: str, override: bool) -> None:
        body = {"shift_id": str(self.shifts[shift].id), "role": role, "person_ids": [str(one.id) for one in people]}
        self.post("/assignments", body | ({"override": "人手不足"} if override else {}), LEADER if override else COORDINATOR)

    @rule(shift=which, person=who, role=role)
    def somebody_signs_up(self, shift: int, person: Person, role: str) -> None:
        self.post(f"/shifts/{self.shifts[shift].id}/signup", {"role": role}, caller(person))

    @rule(person=who, received=st.booleans())
    def somebody_answers(self, person: Person, received: bool) -> None:
        if row_id := self.one_of(person):
            body = {"answer": "received"} if received else {"answer": "decline", "reason": "家中有事"}
            self.post(f"/assignments/{row_id}/answer", body, caller(person))

    @rule(person=who, step=st.sampled_from(["checkin", "checkin", "checkout", "noshow", "release"]))
    def a_leader_or_coordinator_takes_a_step(self, person: Person, step: str) -> None:
        if row_id := self.one_of(person):
            by = COORDINATOR if step == "release" else GATE_LEADER
            self.post(f"/assignments/{row_id}/{step}", {"reason": "x"} if step == "release" else {}, by)

    @rule(person=who, came=st.sampled_from([-90, -10, 0, 30, 200]), went=st.sampled_from([None, -5, 60, 240, 490]), ahead=st.booleans())
    def times_are_said_anew(self, person: Person, came: int, went: int | None, ahead: bool) -> None:
        if row_id := self.one_of(person):
            begins_at = self.shifts[int(ahead)].starts_at
            times = {"checked_in_at": begins_at + timedelta(minutes=came), "checked_out_at": went and begins_at + timedelta(minutes=went)}
            body = {name: at and at.isoformat() for name, at in times.items()} | {"reason": "看错了钟"}
            answer = self.do(self.dispatch.post(f"/assignments/{row_id}/correction", body, GATE_LEADER))
            assert answer.status_code in (*MAY_ANSWER, 422), answer.text

    @rule(shift=which, person=who, role=role)
    def somebody_walks_on(self, shift: int, person: Person, role: str) -> None:
        self.post(f"/shifts/{self.shifts[shift].id}/walkons", {"person_id": str(person.id), "role": role}, GATE_LEADER)

    @rule(person=who)
    def the_first_alert_is_filled(self, person: Person) -> None:
        if found := self.do(self.dispatch.get("/alerts", COORDINATOR)).json()["items"]:
            self.post(f"/alerts/{found[0]['assignment_id']}/filling", {"person_id": str(person.id)})

    @rule(person=who, fit=st.booleans())
    def personnel_tells_of_fitness(self, person: Person, fit: bool) -> None:
        self.version += 1
        self.do(self.dispatch.hears(FitnessChanged(fitness=[self._fitness(person, fit)])))

    @rule(person=who, back=st.booleans())
    def somebody_leaves_or_comes_back(self, person: Person, back: bool) -> None:
        self.version += 1
        told = state_of(person, left_on=None if back else NOW.date(), version=self.version)
        self.do(self.dispatch.hears(PeopleChanged(people=[told])))

    @rule(minutes=st.sampled_from([10, 30, 120, 300]))
    def time_passes(self, minutes: int) -> None:
        set_now(now() + timedelta(minutes=minutes))
        self.do(self.dispatch.dues())

    @invariant()
    def it_holds(self) -> None:
        if hasattr(self, "shifts"):
            self.do(self._it_holds())

    async def _it_holds(self) -> None:
        async with self.dispatch.rows() as tx:
            rows = list(await tx.scalars(select(Assignment)))
            heads = {(one.shift_id, one.name): one.head_count for one in await tx.scalars(select(ShiftRole))}
            places = list(await tx.scalars(select(OpenPlace)))
            fitness = {one.person_id: one for one in await tx.scalars(select(KnownFitness))}
            spans = await taken(tx, [one.id for one in CAST], NOW - timedelta(1), NOW + timedelta(3))
        for row in rows:
            before = self.stood.get(row.id, row.state)
            assert row.state == before or _reached(before, row.state), f"{before} -> {row.state}"
        self.stood = {row.id: row.state for row in rows}
        held = Counter((row.shift_id, row.role) for row in rows if row.state in HOLDS_PLACE)
        assert all(count <= heads[key] for key, count in held.items()), "a shift never holds more people than it asks for"
        for one in spans:
            theirs = [other for other in spans if other.ref != one.ref and other.person_id == one.person_id]
            assert not [other for other in theirs if other.starts_at < one.ends_at and one.starts_at < other.ends_at]
        booked = {one.ref for one in spans}
        assert {row.id for row in rows if row.state in OPEN_STATES} <= booked
        assert not booked & {row.id for row in rows if row.state in ("declined", "released", "no_show")}
        for row in rows:
            if row.state in ("proposed", "confirmed") and row.override_reason is None and row.ends_at > now():
                known = fitness[row.person_id]
                begins_at: datetime = max(row.starts_at, now())
                assert not unfit_reason("testing_point", known.fit_from, known.fit_until, begins_at, row.ends_at)
        await self._others_were_told(rows, places)

    async def _others_were_told(self, rows: list[Assignment], places: list[OpenPlace]) -> None:
        told = {one.id: one for event in await self.dispatch.told(AssignmentsChanged) for one in event.assignments}
        assert {row.id: (row.state, row.version) for row in rows} == {key: (one.state, one.version) for key, one in told.items()}
        opened = {one.assignment_id for one in await self.dispatch.told(PlaceOpened)}
        filled = {one.assignment_id for one in await self.dispatch.told(PlaceFilled)}
        assert opened == {one.assignment_id for one in places}
        assert filled == {one.assignment_id for one in places if one.state == "filled"}


def _reached(before: str, after: str) -> bool:
    """May it have got there in one command?"""
    return after in STEPS[before] or {before, after} <= CORRECTABLE


async def test_whatever_happens_to_a_morning_it_stays_whole(dispatch: Door, database: Any) -> None:
    Assignments.dispatch, Assignments.loop = dispatch, asyncio.get_running_loop()
    Assignments.empty = staticmethod(database.empty)
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    tries = settings(max_examples=15, stateful_step_count=25, deadline=None, suppress_health_check=checks, database=None)
    await asyncio.to_thread(run_state_machine_as_test, Assignments, settings=tries)
