"""Whoever leaves or cannot be had falls out of what is to come: each place is an alert, and is filled in one step."""

import asyncio
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

from services.duty.known import plan_watch
from shared import clock
from shared.bookings import Span, block, book, hold_time_of, taken
from shared.events import DutiesChanged, GapFilled, GapOpened, PeopleChanged
from tests.doors import Door, errors_of
from tests.people import FANG_JIBAI, GU_CHANGTING, HE_RUONING, JIANG_CAIWEI, LIANG_YUAN, PAN_XIANGYE, STAFF, TEACHING, Person
from tests.services.duties import MONDAY, PLANNER, day, fill, holders, in_turn, people, post, publish, published, read, wish
from tests.services.let_in import state_of

EIGHT = datetime(2021, 8, 9, 0, tzinfo=UTC)  # 08:00 on the Monday, in Shanghai


async def leaves(duty: Door, person: Person, on: str | None, version: int = 2) -> None:
    left_on = date.fromisoformat(on) if on else None
    await duty.hears(PeopleChanged(people=[state_of(person, left_on=left_on, version=version)]))


async def cannot_be_had(personnel: Door, duty: Door, person: Person, begin: float, days: float) -> None:
    begins_at = EIGHT + timedelta(days=begin)
    async with personnel.rows() as tx:
        await block(tx, Span(uuid4(), person.id, begins_at, begins_at + timedelta(days=days), "unavailable"))
    await watch(duty)


async def watch(duty: Door) -> None:
    """The calendar is looked at, as it is every minute."""
    await plan_watch(duty.database)
    await duty.dues()


async def open_gaps(duty: Door) -> list[dict[str, Any]]:
    answer = await duty.get("/gaps", PLANNER)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def stands_in(duty: Door, gap_id: str, person: Person, **more: Any) -> Any:
    return await duty.post(f"/gaps/{gap_id}/filling", {"person_id": str(person.id), **more}, PLANNER)


async def test_whoever_leaves_is_off_what_is_to_come_and_each_place_is_an_alert(duty: Door) -> None:
    await people(duty)
    await published(duty)
    version = (await read(duty))["version"]

    await leaves(duty, LIANG_YUAN, day(2))

    roster = await read(duty)
    assert [number for number, name in enumerate(holders(roster)) if name is None] == [3, 6]
    assert (roster["gap_count"], roster["version"]) == (2, version + 1)
    gaps = await open_gaps(duty)
    assert [(one["on"], one["person"]["name"], one["because"]) for one in gaps] == [
        (day(3), LIANG_YUAN.name, "left"),
        (day(6), LIANG_YUAN.name, "left"),
    ]
    assert [slot["gap_id"] for slot in roster["slots"] if slot["gap_id"]] == [one["id"] for one in gaps]
    opened = await duty.told(GapOpened)
    assert [str(one.gap_id) for one in opened] == [one["id"] for one in gaps]
    assert LIANG_YUAN.id not in opened[0].candidate_ids
    assert not {FANG_JIBAI.id, JIANG_CAIWEI.id} & set(opened[0].candidate_ids)  # they would not have rested
    assert GU_CHANGTING.id in opened[0].candidate_ids
    assert {one.state for one in (await duty.told(DutiesChanged))[-1].duties} == {"released"}
    async with duty.rows() as tx:
        assert len(await taken(tx, [LIANG_YUAN.id], EIGHT, EIGHT + timedelta(7))) == 1


async def test_why_somebody_fell_out_is_not_for_the_wall(duty: Door) -> None:
    await people(duty)
    await published(duty)
    await leaves(duty, LIANG_YUAN, day(2))

    planner, staff = await read(duty), await read(duty, STAFF)

    assert {one["because"] for one in planner["amendments"]} == {"left"}
    assert {one["because"] for one in staff["amendments"]} == {"fell_out"}
    assert [slot["gap_id"] for slot in staff["slots"] if slot["gap_id"]] == []
    assert (await duty.get("/gaps", STAFF)).status_code == 403


async def test_of_a_duty_that_runs_over_the_last_day_the_rest_is_open(duty: Door) -> None:
    await people(duty)
    await published(duty)

    await leaves(duty, LIANG_YUAN, day(1))  # on duty from the day before, 08:00, to 08:00

    first = (await open_gaps(duty))[0]
    assert (first["on"], first["starts_at"], first["ends_at"]) == (day(0), "2021-08-09T16:00:00Z", "2021-08-10T00:00:00Z")
    kept = (await duty.get("/duties/mine", STAFF)).json()["items"]
    assert [(one["on"], one["ends_at"]) for one in kept] == [(day(0), "2021-08-09T16:00:00Z")]
    filled = await stands_in(duty, first["id"], GU_CHANGTING)
    assert filled.json()["starts_at"] == "2021-08-09T16:00:00Z"


async def test_an_overtaken_word_of_somebodys_leaving_opens_nothing(duty: Door) -> None:
    await people(duty)
    await published(duty)
    await leaves(duty, LIANG_YUAN, None, version=3)
    await leaves(duty, LIANG_YUAN, day(2), version=2)

    assert await open_gaps(duty) == []
    await leaves(duty, JIANG_CAIWEI, day(1))
    await leaves(duty, JIANG_CAIWEI, day(1))
    assert len(await duty.told(GapOpened)) == 2, "told again it opens nothing twice"


async def test_whoever_leaves_while_the_planner_publishes_is_not_left_on_the_wall(duty: Door) -> None:
    await people(duty)
    kept = await post(duty)
    for week in range(4):
        monday = MONDAY + timedelta(14 * week)  # so that all have rested
        leaver = (LIANG_YUAN, JIANG_CAIWEI, FANG_JIBAI)[week % 3]
        left_on, version = monday + timedelta(1), 10 + 2 * week
        filled = await fill(duty, in_turn(kept["id"], monday), monday=monday)

        answer, _ = await asyncio.gather(
            publish(duty, filled.json()["version"], monday), leaves(duty, leaver, left_on.isoformat(), version)
        )

        roster = await read(duty, monday=monday)
        on_the_wall = {slot["on"] for slot in roster["slots"] if slot["person"] and slot["person"]["name"] == leaver.name}
        assert (answer.status_code, roster["state"]) in ((200, "published"), (409, "draft"))
        assert roster["state"] == "draft" or on_the_wall <= {monday.isoformat()}
        await leaves(duty, leaver, None, version + 1)


async def test_whoever_cannot_be_had_falls_out_within_a_minute(duty: Door, personnel: Door) -> None:
    await people(duty)
    await published(duty)

    await cannot_be_had(personnel, duty, FANG_JIBAI, 2.5, 1)
    await watch(duty)

    [gap] = await open_gaps(duty)
    assert (gap["on"], gap["because"], gap["person"]["name"]) == (day(2), "unavailable", FANG_JIBAI.name)
    [opened] = await duty.told(GapOpened)
    assert opened.because == "unavailable"


async def test_filling_takes_one_step_and_stays_on_record(duty: Door) -> None:
    await people(duty)
    await published(duty)
    await leaves(duty, LIANG_YUAN, day(4))
    [first, second] = await open_gaps(duty)
    ranked = [one["person"]["name"] for one in first["candidates"] if one["free"]]

    answer = await stands_in(duty, second["id"], GU_CHANGTING, reason="电话确认")
    again = await stands_in(duty, second["id"], PAN_XIANGYE)

    assert GU_CHANGTING.name in ranked
    assert answer.status_code == 200, answer.text
    assert (answer.json()["person"]["name"], answer.json()["on"]) == (GU_CHANGTING.name, day(6))
    assert again.json()["code"] == "filled_already"
    [told] = await duty.told(GapFilled)
    assert (str(told.gap_id), told.person_id) == (second["id"], GU_CHANGTING.id)
    [state] = (await duty.told(DutiesChanged))[-1].duties
    assert (state.person_id, state.state) == (GU_CHANGTING.id, "published")
    noted = (await read(duty))["amendments"][0]
    assert (noted["because"], noted["reason"], noted["old"]["name"], noted["new"]["name"]) == (
        "filled",
        "电话确认",
        LIANG_YUAN.name,
        GU_CHANGTING.name,
    )


async def test_whoever_cannot_hold_it_does_not_stand_in(duty: Door, dispatch: Door) -> None:
    await people(duty)
    kept = await post(duty, pool_departments=[str(TEACHING.id)], pool_people=[str(PAN_XIANGYE.id), str(HE_RUONING.id)])
    await fill(duty, in_turn(kept["id"]))
    assert (await publish(duty)).status_code == 200
    await leaves(duty, LIANG_YUAN, day(4))
    gap = (await open_gaps(duty))[1]
    async with dispatch.rows() as tx:
        await hold_time_of(tx, PAN_XIANGYE.id)
        await book(tx, Span(uuid4(), PAN_XIANGYE.id, EIGHT + timedelta(6), EIGHT + timedelta(6.2), "assignment"))

    said = {}
    for person in (GU_CHANGTING, PAN_XIANGYE, FANG_JIBAI, LIANG_YUAN):
        answer = await stands_in(duty, gap["id"], person)
        said[person.name] = (answer.status_code, answer.json()["code"])
    stranger = await duty.post(f"/gaps/{gap['id']}/filling", {"person_id": str(uuid4())}, PLANNER)

    assert said == {
        GU_CHANGTING.name: (409, "not_in_pool"),
        PAN_XIANGYE.name: (409, "overlap"),
        FANG_JIBAI.name: (409, "too_little_rest"),
        LIANG_YUAN.name: (409, "has_left"),
    }
    assert errors_of(stranger) == [("person_id", "unknown_id", {})]
    assert len(await open_gaps(duty)) == 2


async def test_of_two_planners_who_fill_at_once_one_does(duty: Door) -> None:
    await people(duty)
    await published(duty)
    await leaves(duty, LIANG_YUAN, day(4))
    gap = (await open_gaps(duty))[1]

    answers = await asyncio.gather(*(stands_in(duty, gap["id"], one) for one in (GU_CHANGTING, PAN_XIANGYE, HE_RUONING)))

    assert Counter(one.status_code for one in answers) == {200: 1, 409: 2}
    async with duty.rows() as tx:
        held = await taken(tx, [GU_CHANGTING.id, PAN_XIANGYE.id, HE_RUONING.id], EIGHT, EIGHT + timedelta(8))
    assert len(held) == 1


async def test_an_amendment_fills_a_gap_too(duty: Door) -> None:
    await people(duty)
    await published(duty)
    await leaves(duty, LIANG_YUAN, day(4))
    roster = await read(duty)

    answer = await fill(duty, [wish(roster["posts"][0]["id"], day(6), GU_CHANGTING)], roster["version"], reason="顶班")

    assert answer.status_code == 200, answer.text
    assert answer.json()["gap_count"] == 1
    assert [one["on"] for one in await open_gaps(duty)] == [day(3)]
    assert [one.person_id for one in await duty.told(GapFilled)] == [GU_CHANGTING.id]
    assert answer.json()["amendments"][0]["old"]["name"] == LIANG_YUAN.name


async def test_a_gap_that_is_over_is_not_listed_nor_filled(duty: Door) -> None:
    await people(duty)
    await published(duty)
    await leaves(duty, LIANG_YUAN, day(4))
    gap = (await open_gaps(duty))[1]
    clock.set_now(EIGHT + timedelta(days=7))

    assert await open_gaps(duty) == []
    assert (await stands_in(duty, gap["id"], GU_CHANGTING)).json()["code"] == "over"


async def test_a_gap_of_a_duty_that_runs_is_filled_from_now_on(duty: Door, personnel: Door) -> None:
    await people(duty)
    await published(duty)
    clock.set_now(EIGHT + timedelta(hours=10))
    await cannot_be_had(personnel, duty, LIANG_YUAN, 0.4, 1)
    [gap] = await open_gaps(duty)
    clock.set_now(EIGHT + timedelta(hours=11))

    answer = await stands_in(duty, gap["id"], GU_CHANGTING)

    assert answer.status_code == 200, answer.text
    [now_on] = (await duty.get("/now", STAFF)).json()["items"]
    assert now_on["person"]["name"] == GU_CHANGTING.name
    assert now_on["starts_at"] >= "2021-08-09T11:00:00"
    assert MONDAY.isoformat() == now_on["on"]
