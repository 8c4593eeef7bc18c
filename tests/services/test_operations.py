"""Operations are planned with all their shifts in one go, opened, lengthened; days are copied."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from services.dispatch.tables import Assignment, OpenPlace
from shared import clock
from shared.bookings import Span, block, booking
from shared.events import AssignmentsChanged, ShiftCancelled, ShiftsChanged
from tests.doors import Door, errors_of
from tests.people import COORDINATOR, GU_CHANGTING, JIANG_CAIWEI, LIANG_YUAN, PAN_XIANGYE, STAFF, TANG_YINAN
from tests.services.deployment import OPERATION, PATTERN, is_fit, is_on, knows_everybody, planned, shifts_of


async def test_the_shifts_of_every_day_are_made_from_the_pattern(dispatch: Door) -> None:
    await knows_everybody(dispatch)

    operation = await planned(dispatch, opened=False)

    assert (operation["state"], operation["site_count"], operation["shift_count"]) == ("planned", 2, 12)
    assert [(day["on"], day["shift_count"], day["place_count"]) for day in operation["days"]] == [
        (f"2021-08-0{day}", 4, 12) for day in (4, 5, 6)
    ]
    first, second, *_ = await shifts_of(dispatch, operation)
    assert first.starts_at == datetime(2021, 8, 4, tzinfo=UTC)  # 08:00 in Shanghai
    assert first.ends_at == second.starts_at
    told = [shift for event in await dispatch.told(ShiftsChanged) for shift in event.shifts]
    assert len(told) == 12
    assert {(one.operation_name, one.state) for one in told} == {("社区核酸检测支援", "planned")}


async def test_many_shifts_are_told_two_hundred_at_a_time_and_cost_no_more_statements(dispatch: Door) -> None:
    await knows_everybody(dispatch)
    sites = [{"name": f"第{n}点"} for n in range(50)]

    operation = await planned(dispatch, opened=False, sites=sites, until_on="2021-08-10")
    answer = await dispatch.post(f"/operations/{operation['id']}/opening", None, COORDINATOR)

    assert answer.json()["shift_count"] == 700
    assert len(dispatch.statements) <= 10
    assert [len(event.shifts) for event in await dispatch.told(ShiftsChanged)] == [200, 200, 200, 100] * 2


async def test_opening_opens_the_shifts_and_tells_them(dispatch: Door) -> None:
    await knows_everybody(dispatch)

    operation = await planned(dispatch)

    assert operation["state"] == "open"
    assert {shift.state for shift in await shifts_of(dispatch, operation)} == {"open"}
    told = (await dispatch.told(ShiftsChanged))[-1]
    assert {(one.state, one.version) for one in told.shifts} == {("open", 2)}
    again = await dispatch.post(f"/operations/{operation['id']}/opening", None, COORDINATOR)
    assert (again.status_code, again.json()["code"]) == (409, "opened_already")


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"until_on": "2021-08-03"}, "until_on", "ends_before_it_begins"),
        ({"until_on": "2023-08-03"}, "until_on", "too_big"),
        ({"pattern": PATTERN | {"times": [["8:00", "12:00"]]}}, "pattern.times.0.0", "not_a_wall_time"),
        ({"pattern": PATTERN | {"times": [["08:00", "12:00"]] * 2}}, "pattern.times", "named_twice"),
        ({"pattern": PATTERN | {"roles": PATTERN["roles"] * 2}}, "pattern.roles", "named_twice"),
        ({"requirement": "dancing"}, "requirement", "not_a_choice"),
        ({"sites": [{"name": "东门", "leader_id": str(uuid4())}]}, "leader_id", "unknown_id"),
        ({"sites": [{"name": f"{n}"} for n in range(200)], "until_on": "2021-09-04"}, "pattern", "too_many_shifts"),
    ],
)
async def test_a_form_that_is_wrong_says_where(dispatch: Door, changes: dict[str, object], field: str, code: str) -> None:
    await knows_everybody(dispatch)

    answer = await dispatch.post("/operations", OPERATION | changes, COORDINATOR)

    assert answer.status_code == 422
    assert [(one[0], one[1]) for one in errors_of(answer)] == [(field, code)]


async def test_a_site_that_is_added_gets_its_shifts_from_a_pattern(dispatch: Door) -> None:
    await knows_everybody(dispatch)
    operation = await planned(dispatch)
    path = f"/operations/{operation['id']}"
    added = (await dispatch.post(f"{path}/sites", {"name": "北门", "leader_id": str(TANG_YINAN.id)}, COORDINATOR)).json()
    site = next(one for one in added["sites"] if one["name"] == "北门")

    wish = {**PATTERN, "times": [["22:00", "06:00"]], "site_ids": [site["id"]], "days": ["2021-08-05"]}
    answer = await dispatch.post(f"{path}/shifts", wish, COORDINATOR)

    assert answer.status_code == 201, answer.text
    [night] = await shifts_of(dispatch, answer.json(), 2)
    assert (night.starts_at, night.ends_at) == (datetime(2021, 8, 5, 14, tzinfo=UTC), datetime(2021, 8, 5, 22, tzinfo=UTC))
    assert (night.leader_id, night.state) == (TANG_YINAN.id, "open")


async def test_the_same_shifts_are_not_made_twice(dispatch: Door) -> None:
    await knows_everybody(dispatch)
    operation = await planned(dispatch)

    answer = await dispatch.post(f"/operations/{operation['id']}/shifts", PATTERN, COORDINATOR)

    assert (answer.status_code, answer.json()["code"]) == (409, "made_already")


@pytest.mark.parametrize("day", ["2021-08-03", "2021-08-07"])
async def test_a_day_outside_the_operation_gets_no_shifts(dispatch: Door, day: str) -> None:
    await knows_everybody(dispatch)
    operation = await planned(dispatch)

    answer = await dispatch.post(f"/operations/{operation['id']}/shifts", PATTERN | {"days": [day]}, COORDINATOR)

    assert errors_of(answer) == [("days", "outside_operation", {})]


async def test_a_site_of_another_operation_is_unknown(dispatch: Door) -> None:
    await knows_everybody(dispatch)
    operation, other = await planned(dispatch), await planned(dispatch, name="另一次")

    wish = PATTERN | {"site_ids": [other["sites"][0]["id"]]}
    answer = await dispatch.post(f"/operations/{operation['id']}/shifts", wish, COORDINATOR)

    assert errors_of(answer) == [("site_ids", "unknown_id", {})]


async def test_a_day_that_has_shifts_is_not_taken_away(dispatch: Door) -> None:
    await knows_everybody(dispatch)
    operation = await planned(dispatch)
    path = f"/operations/{operation['id']}"

    shorter = await dispatch.patch(path, {"until_on": "2021-08-05", "version": 2}, COORDINATOR)
    longer = await dispatch.patch(path, {"until_on": "2021-08-08", "version": 2}, COORDINATOR)

    assert (shorter.status_code, shorter.json()["code"]) == (409, "shifts_outside")
    assert [day["on"] for day in longer.json()["days"]][-1] == "2021-08-08"


async def test_a_new_name_is_told_with_every_shift_to_come(dispatch: Door) -> None:
    await knows_everybody(dispatch)
    operation = await planned(dispatch)

    await dispatch.patch(f"/operations/{operation['id']}", {"name": "全员核酸", "version": 2}, COORDINATOR)

    told = (await dispatch.told(ShiftsChanged))[-1]
    assert len(told.shifts) == 12
    assert {one.operation_name for one in told.shifts} == {"全员核酸"}


async def test_everybody_sees_the_operation_and_how_it_is_covered(dispatch: Door) -> None:
    await knows_everybody(dispatch)
    operation = await planned(dispatch)
    [first, second, *_] = await shifts_of(dispatch, operation)
    await is_on(dispatch, first, LIANG_YUAN)
    await is_on(dispatch, second, PAN_XIANGYE, "proposed")
    await is_on(dispatch, second, GU_CHANGTING, "declined")

    answer = await dispatch.get(f"/operations/{operation['id']}", STAFF)

    [day, *_] = answer.json()["days"]
    assert (day["held_count"], day["proposed_count"]) == (1, 1)
    assert PAN_XIANGYE.name not in answer.text
    listed = (await dispatch.get("/operations?since=2021-08-06", STAFF)).json()
    assert [(one["name"], one["shift_count"]) for one in listed["items"]] == [("社区核酸检测支援", 12)]
    assert (await dispatch.get("/operations?since=2021-08-07", STAFF)).json()["total"] == 0


async def test_a_day_is_copied_at_the_same_times_and_what_is_there_is_left_out(dispatch: Door) -> None:
    await knows_everybody(dispatch)
    operation = await planned(dispatch, until_on="2021-08-04")
    path = f"/operations/{operation['id']}"
    await dispatch.patch(path, {"until_on": "2021-08-08", "version": 2}, COORDINATOR)
    wish = PATTERN | {"times": [["08:00", "12:00"]], "days": ["2021-08-08"]}
    await dispatch.post(f"{path}/shifts", wish, COORDINATOR)

    answer = await dispatch.post(f"{path}/days/copy", {"from_on": "2021-08-04", "to_on": "2021-08-08"}, COORDINATOR)

    assert answer.status_code == 201, answer.text
    assert (answer.json()["shift_count"], answer.json()["left_out_count"]) == (2, 2)
    shifts = await shifts_of(dispatch, operation)
    assert shifts[-1].starts_at - shifts[1].starts_at == timedelta(days=4)


async def test_people_are_asked_for_the_copied_day_where_they_can(dispatch: Door, personnel: Door) -> None:
    await knows_everybody(dispatch)
    operation = await planned(dispatch, until_on="2021-08-04", requirement="testing_point")
    path = f"/operations/{operation['id']}"
    await dispatch.patch(path, {"until_on": "2021-08-05", "version": 2}, COORDINATOR)
    first, second = await shifts_of(dispatch, operation)
    for person in (LIANG_YUAN, PAN_XIANGYE, JIANG_CAIWEI):
        await is_on(dispatch, first, person)
    await is_on(dispatch, second, GU_CHANGTING)
    await is_fit(dispatch, LIANG_YUAN)
    await is_fit(dispatch, PAN_XIANGYE)
    await is_fit(dispatch, GU_CHANGTING, until=datetime(2021, 8, 5, 3, tzinfo=UTC))
    async with personnel.rows() as tx:  # somebody is booked elsewhere that morning
        await block(
            tx, Span(uuid4(), PAN_XIANGYE.id, first.starts_at + timedelta(days=1), first.ends_at + timedelta(days=1), "unavailable")
        )

    wish = {"from_on": "2021-08-04", "to_on": "2021-08-05", "with_people": True}
    answer = await dispatch.post(f"{path}/days/copy", wish, COORDINATOR)

    assert answer.status_code == 201, answer.text
    found = answer.json()
    assert (found["shift_count"], found["asked_count"]) == (4, 1)
    assert {(one["person"]["name"], one["code"]) for one in found["refused"]} == {
        (PAN_XIANGYE.name, "unavailable"),
        (JIANG_CAIWEI.name, "not_fit"),
        (GU_CHANGTING.name, "not_fit"),
    }
    async with dispatch.rows() as tx:
        asked = (await tx.scalars(select(Assignment).where(Assignment.state == "proposed"))).one()
    assert (asked.person_id, asked.starts_at) == (LIANG_YUAN.id, first.starts_at + timedelta(days=1))
    told = (await dispatch.told(AssignmentsChanged))[-1].assignments
    assert [UUID(str(one.id)) for one in told] == [asked.id]


async def test_a_day_without_shifts_has_nothing_to_copy(dispatch: Door) -> None:
    await knows_everybody(dispatch)
    operation = await planned(dispatch, pattern=None)

    wish = {"from_on": "2021-08-04", "to_on": "2021-08-05"}
    answer = await dispatch.post(f"/operations/{operation['id']}/days/copy", wish, COORDINATOR)

    assert errors_of(answer) == [("from_on", "no_shifts", {})]


async def test_who_may_not_plan_is_refused(dispatch: Door) -> None:
    answer = await dispatch.post("/operations", OPERATION, STAFF)

    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")


async def test_the_list_of_a_day_names_who_holds_a_place_to_those_who_may_see_them(dispatch: Door) -> None:
    await knows_everybody(dispatch)
    operation = await planned(dispatch)
    first, second, *_ = await shifts_of(dispatch, operation)
    await is_on(dispatch, first, LIANG_YUAN)
    await is_on(dispatch, first, PAN_XIANGYE, state="declined")
    await is_on(dispatch, second, TANG_YINAN, state="proposed")

    answer = await dispatch.get(f"/operations/{operation['id']}/days/2021-08-04", COORDINATOR)
    statements = len(dispatch.statements)
    own = (await dispatch.get(f"/operations/{operation['id']}/days/2021-08-04", STAFF)).json()
    nothing = (await dispatch.get(f"/operations/{operation['id']}/days/2021-09-04", COORDINATOR)).json()

    def names(day: dict[str, Any]) -> list[str]:
        return [one["person"]["name"] for site in day["sites"] for shift in site["shifts"] for one in shift["assignments"]]

    assert names(answer.json()) == [LIANG_YUAN.name, TANG_YINAN.name]
    assert [(role["name"], role["head_count"]) for role in answer.json()["sites"][0]["shifts"][0]["roles"]] == [("登记", 2), ("秩序", 1)]
    assert statements <= 10
    assert names(own) == [LIANG_YUAN.name]  # one's own
    assert nothing["sites"] == []
    assert (await dispatch.get(f"/operations/{uuid4()}/days/2021-08-04", COORDINATOR)).status_code == 404


async def test_what_is_over_is_listed_apart_from_what_lasts(dispatch: Door) -> None:
    await knows_everybody(dispatch)
    for name, on in (("昨天", "2021-08-03"), ("今天", "2021-08-04")):
        wish = {"name": name, "kind": "gate", "place": "南门", "from_on": on, "until_on": on}
        assert (await dispatch.post("/operations", wish, COORDINATOR)).status_code == 201

    over = (await dispatch.get("/operations", COORDINATOR, params={"before": "2021-08-04"})).json()
    lasting = (await dispatch.get("/operations", COORDINATOR, params={"since": "2021-08-04"})).json()

    assert ([one["name"] for one in over["items"]], over["total"]) == (["昨天"], 1)
    assert [one["name"] for one in lasting["items"]] == ["今天"]


async def test_an_operation_that_ends_early_calls_off_what_is_to_come_and_tells_why(dispatch: Door) -> None:
    await knows_everybody(dispatch)
    operation = await planned(dispatch)
    running, later, tomorrow, *_ = await shifts_of(dispatch, operation)
    clock.set_now(running.starts_at + timedelta(minutes=5))
    here = await is_on(dispatch, running, LIANG_YUAN, "checked_in", checked_in_at=clock.now())
    off = [await is_on(dispatch, later, PAN_XIANGYE), await is_on(dispatch, tomorrow, JIANG_CAIWEI, "proposed")]

    answer = await dispatch.post(f"/operations/{operation['id']}/closing", {"reason": "任务提前完成"}, COORDINATOR)

    assert answer.status_code == 200, answer.text
    assert (answer.json()["until_on"], answer.json()["shift_count"]) == ("2021-08-04", 2)  # those that run, one a site
    async with dispatch.rows() as tx:
        states = {one.id: (one.state, one.reason) for one in await tx.scalars(select(Assignment))}
        open_places = await tx.scalar(select(func.count()).select_from(OpenPlace))
        assert await tx.scalar(select(booking.c.person_id)) == LIANG_YUAN.id  # the others have their time back
    assert states == {here: ("checked_in", None), **dict.fromkeys(off, ("released", "任务提前完成"))}
    assert open_places == 0
    told = {tuple(one.person_ids): one.reason for one in await dispatch.told(ShiftCancelled)}
    assert told == {(PAN_XIANGYE.id,): "任务提前完成", (JIANG_CAIWEI.id,): "任务提前完成"}
    asked = [(operation["id"], COORDINATOR), (uuid4(), COORDINATOR), (operation["id"], STAFF)]
    codes = [(await dispatch.post(f"/operations/{one}/closing", {"reason": "再一次"}, who)).status_code for one, who in asked]
    assert codes == [409, 404, 403]


async def test_an_operation_that_was_ended_is_over_at_once_and_nothing_is_added_to_it(dispatch: Door) -> None:
    await knows_everybody(dispatch)
    operation = await planned(dispatch)
    place, days = f"/operations/{operation['id']}", {"from_on": "2021-08-04", "to_on": "2021-08-05"}

    ended = (await dispatch.post(f"{place}/closing", {"reason": "任务提前完成"}, COORDINATOR)).json()
    wishes = [
        ("POST", "/days/copy", days),
        ("POST", "/shifts", OPERATION["pattern"]),
        ("POST", "/sites", {"name": "南门"}),
        ("POST", "/opening", None),
        ("POST", "/closing", {"reason": "再一次"}),
        ("PATCH", "", {"until_on": "2021-08-09", "version": ended["version"]}),
    ]
    refused = [await dispatch.request(method, f"{place}{path}", COORDINATOR, json=body) for method, path, body in wishes]
    over = (await dispatch.get("/operations", COORDINATOR, params={"before": "2021-08-04"})).json()
    lasting = (await dispatch.get("/operations", COORDINATOR, params={"since": "2021-08-04"})).json()
    board = (await dispatch.get(f"{place}/board", COORDINATOR)).json()

    assert (ended["state"], board["operation"]["state"]) == ("ended", "ended")
    assert [(no.status_code, no.json()["code"]) for no in refused] == [(409, "ended_already")] * 6
    assert ([(one["name"], one["state"]) for one in over["items"]], lasting["items"]) == ([(operation["name"], "ended")], [])
