"""Attendance: the site's code or the leader, early, late, twice, never, unplanned; actual times are kept."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from services.dispatch.rules.assigning import LEAVES_LATE, ON_TIME
from services.dispatch.tables import Assignment, Shift, Site
from shared.clock import set_now
from shared.events import AssignmentsChanged
from tests.doors import Door
from tests.people import COORDINATOR, GU_CHANGTING, JIANG_CAIWEI, LIANG_YUAN, PAN_XIANGYE, STAFF, TANG_YINAN, caller
from tests.services.deployment import assignment, is_fit, is_on, knows_everybody, planned, shifts_of
from tests.services.test_assignments import booked_of

SOON = timedelta(seconds=30)  # the clock runs on while a test does
GATE_LEADER = caller(GU_CHANGTING)
OFFICER = caller(TANG_YINAN, "duty_officer")


class Day:
    """A morning at the east gate, led by one, with the codes of both gates."""

    def __init__(self, shift: Shift, codes: list[str]) -> None:
        self.shift, self.codes = shift, codes


async def morning(dispatch: Door, **changes: Any) -> Day:
    await knows_everybody(dispatch)
    sites = [{"name": "东门", "leader_id": str(GU_CHANGTING.id)}, {"name": "西门"}]
    operation = await planned(dispatch, **({"sites": sites} | changes))
    first, *_ = await shifts_of(dispatch, operation)
    async with dispatch.rows() as tx:
        codes = [(await tx.get_one(Site, UUID(one["id"]))).code for one in operation["sites"]]
    return Day(first, codes)


async def comes(dispatch: Door, row_id: UUID, who: Any = STAFF, **body: Any) -> Any:
    return await dispatch.post(f"/assignments/{row_id}/checkin", body, who)


async def test_one_checks_in_with_the_code_of_the_site_and_out_again_and_the_times_are_kept(dispatch: Door) -> None:
    day = await morning(dispatch)
    row_id = await is_on(dispatch, day.shift, LIANG_YUAN)

    came = await comes(dispatch, row_id, code=day.codes[0])
    set_now(day.shift.starts_at + timedelta(hours=2))
    went = await dispatch.post(f"/assignments/{row_id}/checkout", {}, STAFF)

    assert (came.json()["state"], came.json()["late"]) == ("checked_in", False)
    assert went.json()["state"] == "checked_out"
    row = await assignment(dispatch, row_id)
    assert row.checked_out_at is not None
    assert row.checked_in_at is not None
    assert abs(row.checked_out_at - row.checked_in_at - timedelta(hours=2, minutes=20)) < SOON


async def test_who_goes_early_has_the_rest_of_the_time_free_again(dispatch: Door) -> None:
    day = await morning(dispatch)
    row_id = await is_on(dispatch, day.shift, LIANG_YUAN)
    await comes(dispatch, row_id, code=day.codes[0])

    set_now(day.shift.starts_at + timedelta(hours=1))
    await dispatch.post(f"/assignments/{row_id}/checkout", {}, STAFF)

    [booked] = await booked_of(dispatch, LIANG_YUAN)
    assert booked.starts_at == day.shift.starts_at
    assert abs(booked.ends_at - day.shift.starts_at - timedelta(hours=1)) < SOON


async def test_whoever_forgot_to_check_out_has_no_hours_for_days_and_who_leads_says_when_they_went(dispatch: Door) -> None:
    day = await morning(dispatch)
    came_at, ends_at = day.shift.starts_at, day.shift.ends_at
    row_id = await is_on(dispatch, day.shift, LIANG_YUAN, "checked_in", checked_in_at=came_at)
    set_now(ends_at + timedelta(days=2))

    own = await dispatch.post(f"/assignments/{row_id}/checkout", {}, STAFF)
    leads = await dispatch.post(f"/assignments/{row_id}/checkout", {}, GATE_LEADER)
    said = await dispatch.post(f"/assignments/{row_id}/checkout", {"at": (ends_at + timedelta(hours=1)).isoformat()}, GATE_LEADER)

    assert [(no.status_code, no.json()["code"]) for no in (own, leads)] == [(409, "ended_long_ago")] * 2
    assert said.status_code == 200, said.text
    mine = (await dispatch.get("/assignments/mine", STAFF)).json()
    assert mine["hours_total"] == (ends_at - came_at).total_seconds() / 3600 + 1


async def test_who_stays_on_when_the_shift_is_over_checks_out_then(dispatch: Door) -> None:
    day = await morning(dispatch)
    row_id = await is_on(dispatch, day.shift, LIANG_YUAN, "checked_in", checked_in_at=day.shift.starts_at)
    set_now(day.shift.ends_at + LEAVES_LATE - SOON)

    went = await dispatch.post(f"/assignments/{row_id}/checkout", {}, STAFF)

    assert went.json()["state"] == "checked_out"


async def test_the_code_of_another_site_is_the_wrong_one(dispatch: Door) -> None:
    day = await morning(dispatch)
    row_id = await is_on(dispatch, day.shift, LIANG_YUAN)

    answers = [await comes(dispatch, row_id, code=day.codes[1]), await comes(dispatch, row_id), await comes(dispatch, row_id, code="x")]

    assert [(one.status_code, one.json()["code"]) for one in answers] == [(409, "wrong_code")] * 3


async def test_the_code_alone_finds_where_one_should_be(dispatch: Door) -> None:
    day = await morning(dispatch)
    row_id = await is_on(dispatch, day.shift, LIANG_YUAN)

    elsewhere = await dispatch.post("/assignments/checkin", {"code": day.codes[1]}, STAFF)
    somebody_else = await dispatch.post("/assignments/checkin", {"code": day.codes[0]}, caller(JIANG_CAIWEI))
    here = await dispatch.post("/assignments/checkin", {"code": day.codes[0]}, STAFF)
    again = await dispatch.post("/assignments/checkin", {"code": day.codes[0]}, STAFF)

    assert [one.json()["code"] for one in (elsewhere, somebody_else, again)] == ["wrong_code", "wrong_code", "checked_in_already"]
    assert here.json()["id"] == str(row_id)


async def test_nobody_checks_in_for_somebody_else_but_who_leads_or_coordinates(dispatch: Door) -> None:
    day = await morning(dispatch)
    row_id = await is_on(dispatch, day.shift, LIANG_YUAN)
    planner = caller(JIANG_CAIWEI, "duty_planner")  # sees every assignment, to free it

    for who in (caller(PAN_XIANGYE), planner):
        for step in ("checkin", "checkout", "noshow"):
            answer = await dispatch.post(f"/assignments/{row_id}/{step}", {}, who)
            assert answer.status_code == 404, (step, answer.text)
    assert (await comes(dispatch, row_id, GATE_LEADER)).json()["state"] == "checked_in"


@pytest.mark.parametrize("who", [COORDINATOR, OFFICER], ids=["coordinator", "duty officer"])
async def test_who_coordinates_or_is_on_duty_checks_in_without_a_code_and_says_when_it_was(dispatch: Door, who: Any) -> None:
    day = await morning(dispatch)
    row_id = await is_on(dispatch, day.shift, LIANG_YUAN)
    at = day.shift.starts_at + timedelta(minutes=3)
    set_now(day.shift.starts_at + timedelta(hours=1))

    answer = await comes(dispatch, row_id, who, at=at.isoformat())
    future = await dispatch.post(f"/assignments/{row_id}/checkout", {"at": (at + timedelta(hours=9)).isoformat()}, who)
    before = await dispatch.post(f"/assignments/{row_id}/checkout", {"at": (at - timedelta(hours=9)).isoformat()}, who)

    assert (answer.json()["state"], answer.json()["late"]) == ("checked_in", True)
    assert (await assignment(dispatch, row_id)).checked_in_at == at
    assert (future.status_code, before.status_code) == (422, 422)


async def test_ones_own_time_is_now_and_nothing_else(dispatch: Door) -> None:
    day = await morning(dispatch)
    row_id = await is_on(dispatch, day.shift, LIANG_YUAN)
    set_now(day.shift.starts_at + timedelta(hours=1))

    answer = await comes(dispatch, row_id, code=day.codes[0], at=day.shift.starts_at.isoformat())

    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")


async def test_check_in_twice_too_early_or_when_it_is_over(dispatch: Door) -> None:
    day = await morning(dispatch)
    row_id, other = await is_on(dispatch, day.shift, LIANG_YUAN), await is_on(dispatch, day.shift, PAN_XIANGYE)

    set_now(day.shift.starts_at - timedelta(minutes=61))
    early = await comes(dispatch, row_id, code=day.codes[0])
    set_now(day.shift.starts_at)
    once = await comes(dispatch, row_id, code=day.codes[0])
    twice = await comes(dispatch, row_id, code=day.codes[0])
    out_first = await dispatch.post(f"/assignments/{other}/checkout", {}, COORDINATOR)
    set_now(day.shift.ends_at)
    over = await comes(dispatch, other, COORDINATOR)

    assert (once.json()["state"], once.json()["late"]) == ("checked_in", False)
    codes = [one.json()["code"] for one in (early, twice, out_first, over)]
    assert codes == ["too_early", "checked_in_already", "not_checked_in", "over_already"]


async def test_who_is_not_there_when_the_shift_begins_is_late_by_itself_and_stays_so_when_they_come(dispatch: Door) -> None:
    day = await morning(dispatch)
    body = {"shift_id": str(day.shift.id), "role": "登记", "person_ids": [str(LIANG_YUAN.id), str(PAN_XIANGYE.id)]}
    done = (await dispatch.post("/assignments", body, COORDINATOR)).json()["done"]
    ids = {one["person"]["name"]: UUID(one["id"]) for one in done}
    await comes(dispatch, ids["潘向野"], COORDINATOR)

    await dispatch.dues()
    before = (await assignment(dispatch, ids["梁予安"])).late
    set_now(day.shift.starts_at + ON_TIME)
    await dispatch.dues()
    late = await assignment(dispatch, ids["梁予安"])
    on_time = await assignment(dispatch, ids["潘向野"])
    came = await comes(dispatch, ids["梁予安"], code=day.codes[0])

    assert (before, late.late, on_time.late) == (False, True, False)
    assert (came.json()["late"], came.json()["state"]) == (True, "checked_in")
    assert [one.state for told in await dispatch.told(AssignmentsChanged) for one in told.assignments if one.id == late.id] == [
        "proposed",
        "proposed",
        "checked_in",
    ]


async def test_a_shift_that_moved_is_begun_at_its_new_time(dispatch: Door) -> None:
    day = await morning(dispatch)
    body = {"shift_id": str(day.shift.id), "role": "登记", "person_ids": [str(LIANG_YUAN.id)]}
    [done] = (await dispatch.post("/assignments", body, COORDINATOR)).json()["done"]
    later = day.shift.starts_at + timedelta(minutes=30)
    moved = {"starts_at": later.isoformat(), "reason": "雨", "version": day.shift.version}
    assert (await dispatch.patch(f"/shifts/{day.shift.id}", moved, COORDINATOR)).status_code == 200

    set_now(day.shift.starts_at + timedelta(minutes=1))
    await dispatch.dues()
    before = (await assignment(dispatch, UUID(done["id"]))).late
    set_now(later)
    await dispatch.dues()

    assert (before, (await assignment(dispatch, UUID(done["id"]))).late) == (False, True)


async def test_who_did_not_come_gives_the_place_back_and_may_still_come_while_it_is_free(dispatch: Door) -> None:
    day = await morning(dispatch, pattern={"times": [["08:00", "12:00"]], "roles": [{"name": "登记", "head_count": 1}]})
    row_id = await is_on(dispatch, day.shift, LIANG_YUAN)

    early = await dispatch.post(f"/assignments/{row_id}/noshow", {}, GATE_LEADER)
    set_now(day.shift.starts_at + timedelta(minutes=30))
    own = await dispatch.post(f"/assignments/{row_id}/noshow", {}, STAFF)
    marked = await dispatch.post(f"/assignments/{row_id}/noshow", {"reason": "电话未接"}, GATE_LEADER)
    free = await booked_of(dispatch, LIANG_YUAN)
    came = await comes(dispatch, row_id, code=day.codes[0])

    assert (early.json()["code"], own.status_code, marked.json()["state"], free) == ("not_begun", 404, "no_show", [])
    assert (came.json()["state"], came.json()["late"]) == ("checked_in", True)
    assert len(await booked_of(dispatch, LIANG_YUAN)) == 1


async def test_whoever_was_given_up_finds_the_place_taken(dispatch: Door) -> None:
    day = await morning(dispatch, pattern={"times": [["08:00", "12:00"]], "roles": [{"name": "登记", "head_count": 1}]})
    row_id = await is_on(dispatch, day.shift, LIANG_YUAN)
    set_now(day.shift.starts_at + timedelta(minutes=30))
    await dispatch.post(f"/assignments/{row_id}/noshow", {}, GATE_LEADER)

    walked = await dispatch.post(f"/shifts/{day.shift.id}/walkons", {"person_id": str(PAN_XIANGYE.id), "role": "登记"}, GATE_LEADER)
    came = await comes(dispatch, row_id, code=day.codes[0])

    assert (walked.status_code, walked.json()["state"], walked.json()["walk_on"]) == (201, "checked_in", True)
    assert came.json()["code"] == "full"


async def test_who_came_unplanned_is_on_record_if_there_is_room_and_they_are_fit(dispatch: Door) -> None:
    day = await morning(dispatch, requirement="testing_point")
    path = f"/shifts/{day.shift.id}/walkons"
    for person in (LIANG_YUAN, PAN_XIANGYE, TANG_YINAN):
        await is_fit(dispatch, person)
    set_now(day.shift.starts_at + timedelta(minutes=10))

    async def walks(person: Any, who: Any = GATE_LEADER) -> Any:
        return await dispatch.post(path, {"person_id": str(person.id), "role": "登记"}, who)

    unfit, stranger = await walks(JIANG_CAIWEI), await walks(LIANG_YUAN, STAFF)
    first, second, third = await walks(LIANG_YUAN), await walks(PAN_XIANGYE), await walks(TANG_YINAN)

    assert (unfit.json()["code"], stranger.status_code) == ("not_fit", 404)
    assert (first.status_code, second.status_code, third.json()["code"]) == (201, 201, "full")
    [booked] = await booked_of(dispatch, LIANG_YUAN)
    assert abs(booked.starts_at - day.shift.starts_at - timedelta(minutes=10)) < SOON


async def test_who_is_not_fit_any_more_does_not_check_in(dispatch: Door) -> None:
    day = await morning(dispatch, requirement="testing_point")
    row_id = await is_on(dispatch, day.shift, LIANG_YUAN)
    await is_fit(dispatch, LIANG_YUAN, until=day.shift.starts_at + timedelta(hours=1))

    answer = await comes(dispatch, row_id, code=day.codes[0])

    assert answer.json()["code"] == "not_fit"
    assert set(answer.json()["params"]) == {"rule", "until", "person_id"}


async def test_whoever_is_off_the_shift_does_not_come(dispatch: Door) -> None:
    day = await morning(dispatch)
    async with dispatch.rows() as tx:
        times = {"starts_at": day.shift.starts_at, "ends_at": day.shift.ends_at, "asked_at": day.shift.starts_at}
        plain = {"role": "登记", "walk_on": False, "late": False, "version": 1}
        row = Assignment(shift_id=day.shift.id, person_id=LIANG_YUAN.id, state="declined", **times, **plain)
        tx.add(row)

    answer = await comes(dispatch, row.id, replace(STAFF), code=day.codes[0])

    assert answer.json()["code"] == "off_already"
