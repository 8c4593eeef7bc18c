"""Assignments: the last place, who may not go, answers, releases, freeing, overrides, one's own."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import func, select

from services.dispatch.tables import Assignment, KnownPerson, OpenPlace
from shared.auth import Caller
from shared.bookings import Span, block, book, hold_time_of, taken
from shared.clock import now, set_now
from shared.events import AssignmentsChanged, PlaceOpened
from tests.doors import Door
from tests.people import (
    COORDINATOR,
    FANG_JIBAI,
    GU_CHANGTING,
    JIANG_CAIWEI,
    LEADER,
    LIANG_YUAN,
    NOW,
    PAN_XIANGYE,
    STAFF,
    TEACHING,
    Person,
    caller,
    id_of,
)
from tests.services.deployment import assignment, is_fit, is_on, knows_everybody, planned, shifts_of

PLANNER = caller(FANG_JIBAI, "duty_planner")


async def deployed(dispatch: Door, **changes: Any) -> list[Any]:
    """Everybody is known, an operation is open; its first site's shifts."""
    await knows_everybody(dispatch)
    return await shifts_of(dispatch, await planned(dispatch, **changes))


def asks(shift: Any, *people: Person, role: str = "登记", **more: Any) -> dict[str, Any]:
    return {"shift_id": str(shift.id), "role": role, "person_ids": [str(one.id) for one in people], **more}


async def booked_of(door: Door, person: Person) -> list[Span]:
    async with door.rows() as tx:
        return await taken(tx, [person.id], NOW - timedelta(days=30), NOW + timedelta(days=30))


async def a_hundred(dispatch: Door) -> list[Caller]:
    callers = []
    async with dispatch.rows() as tx:
        for number in range(100):
            person_id = id_of(f"volunteer-{number}")
            told = {"number": f"V{number}", "name": f"志愿者{number}", "sort_key": f"v{number}", "employment": "volunteer"}
            tx.add(KnownPerson(id=person_id, department_id=TEACHING.id, version=1, heard_at=now(), **told))
            callers.append(replace(STAFF, person_id=person_id, account_id=uuid4()))
    return callers


async def test_the_last_place_goes_to_exactly_one_of_a_hundred(dispatch: Door) -> None:
    pattern = {"times": [["08:00", "12:00"]], "roles": [{"name": "登记", "head_count": 1}], "signup": True}
    shift, *_ = await deployed(dispatch, pattern=pattern)
    hundred = await a_hundred(dispatch)
    together = asyncio.Semaphore(15)  # as many as the pool has connections for

    async def presses(who: Caller) -> tuple[int, str]:
        async with together:
            answer = await dispatch.post(f"/shifts/{shift.id}/signup", {"role": "登记"}, who)
        return answer.status_code, answer.json().get("code", answer.json().get("state"))

    answers = await asyncio.gather(*(presses(who) for who in hundred))

    assert Counter(answers) == {(201, "confirmed"): 1, (409, "full"): 99}
    assert len(await dispatch.told(AssignmentsChanged)) == 1
    async with dispatch.rows() as tx:
        assert await tx.scalar(select(func.count()).select_from(Assignment)) == 1


async def test_a_coordinator_and_a_volunteer_want_the_last_place_in_one_instant(dispatch: Door) -> None:
    pattern = {"times": [["08:00", "12:00"]], "roles": [{"name": "登记", "head_count": 1}], "signup": True}
    shift, *_ = await deployed(dispatch, pattern=pattern)

    answers = await asyncio.gather(
        dispatch.post("/assignments", asks(shift, GU_CHANGTING), COORDINATOR),
        dispatch.post(f"/shifts/{shift.id}/signup", {"role": "登记"}, STAFF),
    )

    assert sorted(one.status_code for one in answers) == [201, 409]


async def test_several_are_asked_at_once_and_who_cannot_is_named_with_the_reason(dispatch: Door) -> None:
    first, second, *_ = await deployed(dispatch)
    await is_on(dispatch, second, GU_CHANGTING)
    other_site = await shifts_of(dispatch, await planned(dispatch, name="同一时间"))
    await is_on(dispatch, other_site[0], PAN_XIANGYE)

    answer = await dispatch.post("/assignments", asks(first, LIANG_YUAN, PAN_XIANGYE, GU_CHANGTING, JIANG_CAIWEI), COORDINATOR)

    assert answer.status_code == 201, answer.text
    found = answer.json()
    assert [(one["person"]["name"], one["state"]) for one in found["done"]] == [("梁予安", "proposed"), ("顾长亭", "proposed")]
    assert [(one["person"]["name"], one["code"]) for one in found["refused"]] == [("潘向野", "overlap"), ("江采薇", "full")]
    assert found["refused"][0]["params"]["kind"] == "assignment"


async def test_one_alone_who_cannot_is_the_refusal(dispatch: Door) -> None:
    first, *_ = await deployed(dispatch)
    await is_on(dispatch, first, LIANG_YUAN)

    answer = await dispatch.post("/assignments", asks(first, LIANG_YUAN), COORDINATOR)

    assert (answer.status_code, answer.json()["code"]) == (409, "on_it_already")


async def test_nobody_is_asked_who_is_not_fit_for_all_of_it_and_never_says_why(dispatch: Door) -> None:
    first, *_ = await deployed(dispatch, requirement="testing_point")
    ends_early = NOW + timedelta(hours=2)
    await is_fit(dispatch, GU_CHANGTING, until=ends_early)

    unknown = await dispatch.post("/assignments", asks(first, LIANG_YUAN), COORDINATOR)
    ending = await dispatch.post("/assignments", asks(first, GU_CHANGTING), COORDINATOR)

    assert (unknown.status_code, unknown.json()["code"]) == (409, "not_fit")
    assert unknown.json()["params"] == {"rule": "testing_point", "person_id": str(LIANG_YUAN.id)}
    assert set(ending.json()["params"]) == {"rule", "until", "person_id"}


async def test_only_a_leader_overrides_fitness_and_rest_with_a_reason_on_record(dispatch: Door) -> None:
    first, *_ = await deployed(dispatch, requirement="testing_point")

    coordinator = await dispatch.post("/assignments", asks(first, LIANG_YUAN, override="人手不足"), COORDINATOR)
    without = await dispatch.post("/assignments", asks(first, LIANG_YUAN, override=" "), LEADER)
    leader = await dispatch.post("/assignments", asks(first, LIANG_YUAN, override="人手不足"), LEADER)

    assert (coordinator.status_code, without.status_code, leader.status_code) == (403, 422, 201)
    [done] = leader.json()["done"]
    assert (done["override_reason"], done["override_by"]) == ("人手不足", LEADER.name)
    assert (await assignment(dispatch, done["id"])).override_by == LEADER.id


async def test_an_override_is_never_of_being_in_two_places_nor_of_one_too_many(dispatch: Door, duty: Door) -> None:
    first, *_ = await deployed(dispatch)
    async with duty.rows() as tx:
        await hold_time_of(tx, LIANG_YUAN.id)
        await book(tx, Span(uuid4(), LIANG_YUAN.id, first.starts_at, first.ends_at, "duty"))
    for person in (GU_CHANGTING, PAN_XIANGYE):
        await is_on(dispatch, first, person)

    full = await dispatch.post("/assignments", asks(first, JIANG_CAIWEI, override="x"), LEADER)
    overlap = await dispatch.post("/assignments", asks(first, LIANG_YUAN, role="秩序", override="x"), LEADER)

    assert (full.json()["code"], overlap.json()["code"]) == ("full", "overlap")
    assert overlap.json()["params"]["kind"] == "duty"


async def test_what_needed_no_override_carries_none(dispatch: Door) -> None:
    first, *_ = await deployed(dispatch)

    answer = await dispatch.post("/assignments", asks(first, LIANG_YUAN, override="x"), LEADER)

    assert answer.json()["done"][0]["override_reason"] is None


async def test_who_cannot_be_had_is_not_asked(dispatch: Door, personnel: Door) -> None:
    first, *_ = await deployed(dispatch)
    async with personnel.rows() as tx:
        await block(tx, Span(uuid4(), LIANG_YUAN.id, NOW, NOW + timedelta(days=9), "unavailable"))

    answer = await dispatch.post("/assignments", asks(first, LIANG_YUAN), COORDINATOR)

    assert (answer.json()["code"], answer.json()["params"]) == ("unavailable", {"person_id": str(LIANG_YUAN.id)})


async def test_one_signs_up_before_the_shift_begins_where_it_allows_that(dispatch: Door) -> None:
    signup = {"times": [["08:00", "12:00"]], "roles": [{"name": "登记", "head_count": 1}], "signup": True}
    shift, *_ = await deployed(dispatch, pattern=signup)
    plain, *_ = await shifts_of(dispatch, await planned(dispatch, name="只由协调员安排"))
    closed, *_ = await shifts_of(dispatch, await planned(dispatch, name="未开放", pattern=signup, opened=False))

    answers = [await dispatch.post(f"/shifts/{one.id}/signup", {"role": "登记"}, STAFF) for one in (plain, closed)]
    set_now(shift.starts_at)
    answers.append(await dispatch.post(f"/shifts/{shift.id}/signup", {"role": "登记"}, STAFF))

    assert [one.json()["code"] for one in answers] == ["no_signup", "not_open", "has_begun"]


async def test_who_has_left_or_is_unknown_is_not_asked(dispatch: Door) -> None:
    first, *_ = await deployed(dispatch)
    async with dispatch.rows() as tx:
        (await tx.get_one(KnownPerson, LIANG_YUAN.id)).left_on = NOW.date()

    left = await dispatch.post("/assignments", asks(first, LIANG_YUAN), COORDINATOR)
    unknown = await dispatch.post("/assignments", asks(first) | {"person_ids": [str(uuid4())]}, COORDINATOR)
    role = await dispatch.post("/assignments", asks(first, GU_CHANGTING, role="没有"), COORDINATOR)

    assert (left.json()["code"], unknown.status_code, role.status_code) == ("has_left", 422, 422)


async def test_received_is_one_tap_and_cannot_come_opens_the_place_with_whom_to_ask_instead(dispatch: Door) -> None:
    first, *_ = await deployed(dispatch)
    row_id = await is_on(dispatch, first, LIANG_YUAN, state="proposed")

    received = await dispatch.post(f"/assignments/{row_id}/answer", {"answer": "received"}, STAFF)
    again = await dispatch.post(f"/assignments/{row_id}/answer", {"answer": "received"}, STAFF)
    silent = await dispatch.post(f"/assignments/{row_id}/answer", {"answer": "decline"}, STAFF)
    declined = await dispatch.post(f"/assignments/{row_id}/answer", {"answer": "decline", "reason": "家中有事"}, STAFF)

    assert received.json()["state"] == "confirmed"
    assert (again.json()["code"], silent.status_code) == ("confirmed_already", 422)
    assert (declined.json()["state"], declined.json()["reason"]) == ("declined", "家中有事")
    [opened] = await dispatch.told(PlaceOpened)
    assert (opened.because, opened.assignment_id) == ("declined", row_id)
    assert opened.candidate_ids
    assert LIANG_YUAN.id not in opened.candidate_ids
    assert await booked_of(dispatch, LIANG_YUAN) == []


async def test_nobody_answers_for_another(dispatch: Door) -> None:
    first, *_ = await deployed(dispatch)
    row_id = await is_on(dispatch, first, LIANG_YUAN, state="proposed")

    for who in (COORDINATOR, caller(GU_CHANGTING)):
        answer = await dispatch.post(f"/assignments/{row_id}/answer", {"answer": "received"}, who)
        assert answer.status_code == 404


async def test_a_coordinator_releases_and_the_place_is_an_alert(dispatch: Door) -> None:
    first, *_ = await deployed(dispatch)
    row_id = await is_on(dispatch, first, LIANG_YUAN)

    answer = await dispatch.post(f"/assignments/{row_id}/release", {"reason": "调往东门"}, COORDINATOR)
    again = await dispatch.post(f"/assignments/{row_id}/release", {"reason": "x"}, COORDINATOR)

    assert (answer.json()["state"], again.json()["code"]) == ("released", "off_already")
    async with dispatch.rows() as tx:
        [place] = await tx.scalars(select(OpenPlace))
    assert (place.because, place.state) == ("released", "open")


async def test_a_planner_frees_people_for_a_duty_in_one_step(dispatch: Door) -> None:
    first, second, *_ = await deployed(dispatch)
    refs = [await is_on(dispatch, first, LIANG_YUAN), await is_on(dispatch, second, GU_CHANGTING)]
    body = {"refs": [str(one) for one in (*refs, uuid4())], "because": "duty"}

    freed = await dispatch.post("/assignments/freeing", body, PLANNER)
    again = await dispatch.post("/assignments/freeing", body, PLANNER)

    assert {one["id"] for one in freed.json()["freed"]} == {str(one) for one in refs}
    assert again.json() == {"freed": []}
    assert [one.because for one in await dispatch.told(PlaceOpened)] == ["duty", "duty"]


async def test_ones_own_say_where_when_what_to_bring_and_who_leads(dispatch: Door) -> None:
    night = {"times": [["20:00", "02:00"]], "roles": [{"name": "登记", "head_count": 1}]}
    sites = [{"name": "东门采样点", "leader_id": str(GU_CHANGTING.id)}]
    shift, *_ = await deployed(dispatch, pattern=night, bring="身份证", sites=sites)
    await dispatch.patch(f"/shifts/{shift.id}", {"bring": "头灯", "version": shift.version}, COORDINATOR)
    await is_on(dispatch, shift, LIANG_YUAN)
    done = {"checked_in_at": NOW - timedelta(days=2), "checked_out_at": NOW - timedelta(days=2) + timedelta(minutes=90)}
    later, *_ = (await shifts_of(dispatch, await planned(dispatch, name="前天")))[1:]
    async with dispatch.rows() as tx:
        times = {"starts_at": NOW - timedelta(days=2), "ends_at": NOW - timedelta(days=2) + timedelta(hours=4)}
        plain = {"role": "登记", "state": "checked_out", "asked_at": NOW, "walk_on": False, "late": False, "version": 1}
        tx.add(Assignment(shift_id=later.id, person_id=LIANG_YUAN.id, **times, **plain, **done))

    found = (await dispatch.get("/assignments/mine", STAFF)).json()

    assert (found["hours_28_days"], found["hours_total"]) == (1.5, 1.5)
    past, coming = found["items"]
    assert (past["state"], past["hours"]) == ("checked_out", 1.5)
    assert (coming["next_day"], coming["bring"], coming["leader"]["name"]) == (True, ["身份证", "头灯"], "顾长亭")
    assert (coming["operation"], coming["site"]["name"]) == ("社区核酸检测支援", "东门采样点")
    until = (await dispatch.get("/assignments/mine?from=2021-08-04&until=2021-08-04", STAFF)).json()
    assert [one["id"] for one in until["items"]] == [coming["id"]]
    assert (await dispatch.get("/assignments/mine", caller(JIANG_CAIWEI))).json()["items"] == []
