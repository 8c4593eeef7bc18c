"""What dispatch was told of people: fitness, in any order; who is not fit any more, has left or cannot be had is off the shifts to come."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

from services.dispatch.tables import KnownFitness
from shared.bookings import Span, block
from shared.clock import set_now
from shared.events import FitnessChanged, FitnessState, PeopleChanged, PeopleRemoved, PlaceOpened
from tests.doors import Door
from tests.people import COORDINATOR, GU_CHANGTING, LEADER, LIANG_YUAN, NOW, PAN_XIANGYE, Person
from tests.services.deployment import assignment, is_fit, is_on
from tests.services.let_in import state_of
from tests.services.test_assignments import asks, booked_of, deployed


def fitness(person: Person, version: int, fit: bool = True, rule: str = "testing_point", until: Any = None) -> FitnessState:
    fit_from = NOW - timedelta(days=1) if fit else None
    return FitnessState(person_id=person.id, rule=rule, fit_from=fit_from, fit_until=until, version=version)


async def test_the_newer_word_wins_in_whatever_order_it_comes(dispatch: Door) -> None:
    await dispatch.hears(FitnessChanged(fitness=[fitness(LIANG_YUAN, 2, fit=False)]))
    await dispatch.hears(FitnessChanged(fitness=[fitness(LIANG_YUAN, 1)]))

    async with dispatch.rows() as tx:
        row = await tx.get_one(KnownFitness, (LIANG_YUAN.id, "testing_point"))
    assert (row.fit_from, row.version) == (None, 2)


async def test_whoever_turns_unfit_is_off_the_shifts_to_come_and_of_that_rule_alone(dispatch: Door) -> None:
    first, second, *_ = await deployed(dispatch, requirement="testing_point")
    await is_fit(dispatch, LIANG_YUAN)
    row_id, other = await is_on(dispatch, first, LIANG_YUAN), await is_on(dispatch, second, GU_CHANGTING)
    await is_fit(dispatch, GU_CHANGTING)

    await dispatch.hears(FitnessChanged(fitness=[fitness(LIANG_YUAN, 2, fit=False, rule="flood_rescue")]))
    untouched = (await assignment(dispatch, row_id)).state
    await dispatch.hears(FitnessChanged(fitness=[fitness(LIANG_YUAN, 2, fit=False)]))

    assert (untouched, (await assignment(dispatch, row_id)).state) == ("confirmed", "released")
    assert (await assignment(dispatch, other)).state == "confirmed"
    [opened] = await dispatch.told(PlaceOpened)
    assert (opened.because, opened.candidate_ids) == ("unfit", [GU_CHANGTING.id])  # right after it, and eight hours in all
    assert await booked_of(dispatch, LIANG_YUAN) == []


async def test_fit_until_the_middle_of_a_shift_is_not_fit_for_it(dispatch: Door) -> None:
    first, *_, last = await deployed(dispatch, requirement="testing_point")
    await is_fit(dispatch, LIANG_YUAN)
    ids = [await is_on(dispatch, one, LIANG_YUAN) for one in (first, last)]

    await dispatch.hears(FitnessChanged(fitness=[fitness(LIANG_YUAN, 2, until=last.starts_at + timedelta(hours=1))]))

    assert [(await assignment(dispatch, one)).state for one in ids] == ["confirmed", "released"]


async def test_what_a_leader_overrode_stays(dispatch: Door) -> None:
    first, *_ = await deployed(dispatch, requirement="testing_point")
    [done] = (await dispatch.post("/assignments", asks(first, LIANG_YUAN, override="人手不足"), LEADER)).json()["done"]

    await dispatch.hears(FitnessChanged(fitness=[fitness(LIANG_YUAN, 2, fit=False)]))

    assert (await assignment(dispatch, done["id"])).state == "proposed"


async def test_who_is_there_already_stays_and_what_is_over_is_not_touched(dispatch: Door) -> None:
    first, *_ = await deployed(dispatch, requirement="testing_point")
    there = await is_on(dispatch, first, LIANG_YUAN, state="checked_in", checked_in_at=NOW)
    past = await is_on(dispatch, first, GU_CHANGTING)
    set_now(first.ends_at)

    await dispatch.hears(FitnessChanged(fitness=[fitness(one, 1, fit=False) for one in (LIANG_YUAN, GU_CHANGTING)]))

    assert [(await assignment(dispatch, one)).state for one in (there, past)] == ["checked_in", "confirmed"]


async def test_whoever_leaves_is_off_the_shifts_after_that_day(dispatch: Door) -> None:
    today, *_, last = await deployed(dispatch)
    ids = [await is_on(dispatch, one, LIANG_YUAN) for one in (today, last)]

    await dispatch.hears(PeopleChanged(people=[state_of(LIANG_YUAN, left_on=NOW.date() + timedelta(days=1), version=2)]))

    assert [(await assignment(dispatch, one)).state for one in ids] == ["confirmed", "released"]
    assert [one.because for one in await dispatch.told(PlaceOpened)] == ["left"]


async def test_of_whoever_is_removed_nothing_is_planned_and_no_fitness_is_kept(dispatch: Door) -> None:
    first, *_ = await deployed(dispatch)
    await is_fit(dispatch, LIANG_YUAN)
    row_id = await is_on(dispatch, first, LIANG_YUAN)

    await dispatch.hears(PeopleRemoved(person_ids=[LIANG_YUAN.id]))

    assert (await assignment(dispatch, row_id)).state == "released"
    async with dispatch.rows() as tx:
        assert await tx.get(KnownFitness, (LIANG_YUAN.id, "testing_point")) is None


async def test_who_cannot_be_had_is_freed_and_why_is_said_to_nobody(dispatch: Door, personnel: Door) -> None:
    first, *_ = await deployed(dispatch)
    row_id = await is_on(dispatch, first, PAN_XIANGYE)
    async with personnel.rows() as tx:
        await block(tx, Span(uuid4(), PAN_XIANGYE.id, first.starts_at, first.ends_at, "unavailable"))

    await dispatch.hears(FitnessChanged(fitness=[fitness(PAN_XIANGYE, 1)]))

    assert (await assignment(dispatch, row_id)).state == "released"
    [opened] = await dispatch.told(PlaceOpened)
    assert opened.because == "unavailable"


async def test_of_being_asked_and_turning_unfit_in_one_instant_nobody_unfit_stays(dispatch: Door) -> None:
    shifts = await deployed(dispatch, requirement="testing_point")
    await is_fit(dispatch, LIANG_YUAN)

    answers, _ = await asyncio.gather(
        asyncio.gather(
            *(dispatch.post("/assignments", asks(shift, LIANG_YUAN), COORDINATOR) for shift in (shifts[0], shifts[2], shifts[4]))
        ),
        dispatch.hears(FitnessChanged(fitness=[fitness(LIANG_YUAN, 2, fit=False)])),
    )

    for answer in answers:
        assert answer.status_code in (201, 409)
        if answer.status_code == 201:
            assert (await assignment(dispatch, answer.json()["done"][0]["id"])).state == "released"
    assert await booked_of(dispatch, LIANG_YUAN) == []
