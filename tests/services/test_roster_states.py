"""A roster from draft to published to amended, whatever planners, leavers and coordinators do in whatever order: never a silent gap, nobody
in two places, nothing of the record lost."""

import asyncio
from collections.abc import Coroutine
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from shared.bookings import Span, book, hold_time_of, taken
from shared.events import DutiesChanged, GapFilled, GapOpened, PeopleChanged
from shared.refusals import Refused
from tests.doors import Door
from tests.people import FANG_JIBAI, GU_CHANGTING, HE_RUONING, JIANG_CAIWEI, LIANG_YUAN, PAN_XIANGYE, Person
from tests.services.duties import MONDAY, PLANNER, day, fill, in_turn, people, post, publish, read, wish
from tests.services.let_in import state_of

CAST = (LIANG_YUAN, JIANG_CAIWEI, FANG_JIBAI, GU_CHANGTING, PAN_XIANGYE, HE_RUONING)
EIGHT = datetime(2021, 8, 9, 0, tzinfo=UTC)

who, which_day = st.sampled_from(CAST), st.integers(0, 6)


class Rosters(RuleBasedStateMachine):
    """What may happen to a week; the checks hold after every step."""

    duty: Door
    dispatch: Door
    empty: Any
    loop: asyncio.AbstractEventLoop

    def __init__(self) -> None:
        super().__init__()
        self.noted: list[Any] = []
        self.version = 1
        self.was_published = False

    def do(self, what: Coroutine[Any, Any, Any]) -> Any:
        """In the loop of the test, from the machine's thread."""
        return asyncio.run_coroutine_threadsafe(what, self.loop).result(60)

    @initialize(published=st.sampled_from([True, True, False]))
    def a_week_is_drafted(self, published: bool) -> None:
        self.do(self._begin())
        if published:
            self.the_planner_publishes()

    async def _begin(self) -> None:
        await self.empty()
        await people(self.duty)
        self.post_id = (await post(self.duty))["id"]
        assert (await fill(self.duty, in_turn(self.post_id))).status_code == 200
        self.roster = await read(self.duty)

    @rule(number=which_day, person=who, emptied=st.booleans())
    def the_planner_changes_a_place(self, number: int, person: Person, emptied: bool) -> None:
        before = self.roster
        wished = wish(self.post_id, day(number), None if emptied else person)
        answer = self.do(fill(self.duty, [wished], before["version"], reason="调整"))
        if before["state"] == "draft":
            assert answer.status_code == 200, answer.text
        elif emptied:
            assert answer.status_code == 200 if not before["slots"][number]["person"] else answer.json()["code"] == "gaps"
        else:
            assert answer.status_code in (200, 409), answer.text

    @rule()
    def the_planner_publishes(self) -> None:
        before = self.roster
        answer = self.do(publish(self.duty, before["version"]))
        if before["state"] == "published":
            assert answer.json()["code"] == "published_already"
        elif before["gap_count"]:
            assert answer.json()["code"] == "gaps"
        elif before["problem_count"]:
            assert answer.json()["code"] == "clashes"
        else:
            assert answer.status_code == 200, answer.text
            self.was_published = True

    @rule(number=which_day, person=who)
    def another_planner_comes_too_late(self, number: int, person: Person) -> None:
        answer = self.do(fill(self.duty, [wish(self.post_id, day(number), person)], self.roster["version"] - 1, reason="x"))
        assert answer.json()["code"] == "changed_meanwhile"

    @rule(number=which_day, person=who)
    def somebody_is_assigned_elsewhere(self, number: int, person: Person) -> None:
        self.do(self._assign(person, number))

    async def _assign(self, person: Person, number: int) -> None:
        begins_at = EIGHT + timedelta(days=number, hours=3)
        try:
            async with self.dispatch.rows() as tx:
                await hold_time_of(tx, person.id)
                await book(tx, Span(uuid4(), person.id, begins_at, begins_at + timedelta(hours=2), "assignment"))
        except Refused as no:
            assert no.code in ("overlap", "too_little_rest", "too_many_hours")  # noqa: PT017  # whichever comes first

    @rule(person=who, number=st.integers(0, 6), comes_back=st.booleans())
    def somebody_leaves_or_comes_back(self, person: Person, number: int, comes_back: bool) -> None:
        self.version += 1
        left_on = None if comes_back else date.fromisoformat(day(number))
        self.do(self.duty.hears(PeopleChanged(people=[state_of(person, left_on=left_on, version=self.version)])))

    @precondition(lambda self: self.was_published)
    @rule(person=who)
    def the_first_gap_is_filled(self, person: Person) -> None:
        gaps = self.do(self.duty.get("/gaps", PLANNER)).json()["items"]
        if gaps:
            answer = self.do(self.duty.post(f"/gaps/{gaps[0]['id']}/filling", {"person_id": str(person.id)}, PLANNER))
            assert answer.status_code in (200, 409), answer.text

    @invariant()
    def it_holds(self) -> None:
        if hasattr(self, "roster"):
            self.do(self._it_holds())

    async def _it_holds(self) -> None:
        self.roster = roster = await read(self.duty)
        assert roster["state"] == ("published" if self.was_published else "draft"), "published once, published for good"
        open_slots = {slot["on"] for slot in roster["slots"] if slot["person"] is None}
        alerts = {one["on"] for one in (await self.duty.get("/gaps", PLANNER)).json()["items"]}
        assert alerts == (open_slots if self.was_published else set()), "a published place that nobody holds is an alert, and only that"
        opened, filled = await self.duty.told(GapOpened), await self.duty.told(GapFilled)
        assert len(opened) - len(filled) == len(alerts)
        kept = [one["at"] for one in roster["amendments"]]
        assert len(kept) >= len(self.noted), "what was amended stays on record"
        self.noted = kept
        await self._nobody_is_in_two_places()
        await self._others_were_told()

    async def _nobody_is_in_two_places(self) -> None:
        async with self.duty.rows() as tx:
            spans = await taken(tx, [one.id for one in CAST], EIGHT - timedelta(1), EIGHT + timedelta(9))
        for one in spans:
            theirs = [other for other in spans if other is not one and other.person_id == one.person_id]
            assert not [other for other in theirs if other.starts_at < one.ends_at and one.starts_at < other.ends_at]
        booked = {(str(one.person_id), one.starts_at) for one in spans if one.kind == "duty"}
        shown = (await self.duty.get(f"/duties?from={MONDAY}&until={day(8)}", PLANNER)).json()["items"]
        assert booked == {(one["person"]["id"], datetime.fromisoformat(one["starts_at"])) for one in shown}

    async def _others_were_told(self) -> None:
        """Whoever kept the newest version of each duty knows what the wall says."""
        told = {one.id: one for event in await self.duty.told(DutiesChanged) for one in event.duties}
        wall = {slot["duty_id"] for slot in self.roster["slots"] if slot["duty_id"]} if self.was_published else set()
        relieved = {str(one.id) for one in told.values() if one.state == "published"} - wall
        assert wall <= {str(one.id) for one in told.values() if one.state == "published"}
        assert all(told[key].ends_at - told[key].starts_at < timedelta(hours=24) for key in told if str(key) in relieved)


async def test_whatever_happens_to_a_week_it_stays_whole(duty: Door, dispatch: Door, database: Any) -> None:
    Rosters.duty, Rosters.dispatch, Rosters.loop = duty, dispatch, asyncio.get_running_loop()
    Rosters.empty = staticmethod(database.empty)
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    tries = settings(max_examples=12, stateful_step_count=15, deadline=None, suppress_health_check=checks, database=None)
    await asyncio.to_thread(run_state_machine_as_test, Rosters, settings=tries)
