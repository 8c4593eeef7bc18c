"""Prying: what people learn of others by routes that they may ask for something else."""

from datetime import timedelta

import httpx

from shared import clock
from shared.events import DepartmentsChanged, HoldersChanged, HolderState
from tests.doors import Door
from tests.people import (
    ADMINISTRATOR,
    COORDINATOR,
    FANG_JIBAI,
    FU_XINGJIAN,
    GU_CHANGTING,
    HE_RUONING,
    HEAD,
    HEALTH,
    JIANG_CAIWEI,
    LEADER,
    LIANG_YUAN,
    LU_ZHIYAO,
    PAN_XIANGYE,
    REPORTER,
    TANG_YINAN,
    TODAY,
    caller,
    client,
)
from tests.services.deployment import is_fit, is_on, knows_everybody, planned, shifts_of
from tests.services.duties import IN_TURN, fill, in_turn, people, post, publish, read
from tests.services.let_in import departments
from tests.services.notified import alerts_of, at, has_left, issued, tell
from tests.services.test_alerts import PLACE
from tests.services.test_leader_numbers import SHIFT, prepare

PLANNER = caller(FANG_JIBAI, "duty_planner")
OFFICER = caller(TANG_YINAN, "duty_officer")
GATE_LEADER = caller(GU_CHANGTING)
GATES = [{"name": "东门", "leader_id": str(GU_CHANGTING.id)}, {"name": "西门"}]


async def test_who_may_free_people_for_a_duty_does_not_read_who_is_where(dispatch: Door) -> None:
    await knows_everybody(dispatch)
    operation = await planned(dispatch)
    shift = (await shifts_of(dispatch, operation))[0]
    await is_on(dispatch, shift, LIANG_YUAN)

    one = (await dispatch.get(f"/shifts/{shift.id}", PLANNER)).json()
    day = (await dispatch.get(f"/operations/{operation['id']}/days/{TODAY}", PLANNER)).json()

    assert one["assignments"] == []
    assert [row["assignments"] for site in day["sites"] for row in site["shifts"] if row["assignments"]] == []


async def test_why_somebody_cannot_come_is_read_by_them_and_by_whoever_puts_people_on_shifts_alone(dispatch: Door) -> None:
    await knows_everybody(dispatch)
    operation = await planned(dispatch, sites=GATES)
    shift = (await shifts_of(dispatch, operation))[0]
    await is_on(dispatch, shift, LIANG_YUAN, reason="身体不适", override_reason="只差半小时休息", override_by_name=LEADER.name)

    def words(answer: httpx.Response) -> list[tuple[str | None, ...]]:
        return [(one["reason"], one["override_reason"], one["override_by"]) for one in answer.json()["assignments"]]

    typed, kept = [("身体不适", "只差半小时休息", LEADER.name)], [(None, None, None)]
    for who, seen in ((caller(LIANG_YUAN), typed), (COORDINATOR, typed), (GATE_LEADER, kept), (client("reader", "dispatch:read"), kept)):
        assert words(await dispatch.get(f"/shifts/{shift.id}", who)) == seen, who.name


async def test_an_open_place_says_the_words_of_whoever_declined_or_released_to_whoever_fills_it(dispatch: Door) -> None:
    await knows_everybody(dispatch)
    shift = (await shifts_of(dispatch, await planned(dispatch)))[0]
    declined, released = await is_on(dispatch, shift, LIANG_YUAN), await is_on(dispatch, shift, PAN_XIANGYE)
    await dispatch.post(f"/assignments/{declined}/answer", {"answer": "decline", "reason": "身体不适"}, caller(LIANG_YUAN))
    await dispatch.post(f"/assignments/{released}/release", {"reason": "调去西门"}, COORDINATOR)

    for who in (COORDINATOR, LEADER, client("filler", "dispatch:write")):
        found = {one["because"]: one["reason"] for one in (await dispatch.get("/alerts", who)).json()["items"]}
        assert found == {"declined": "身体不适", "released": "调去西门"}, who.name
    for who in (OFFICER, GATE_LEADER, client("reader", "dispatch:read")):
        assert (await dispatch.get("/alerts", who)).status_code == 403, who.name


async def test_who_leads_a_shift_learns_of_a_walk_on_what_forbids_it_and_not_where_they_are_nor_until_when_they_are_fit(
    dispatch: Door,
) -> None:
    await knows_everybody(dispatch)
    operation = await planned(dispatch, sites=GATES, requirement="testing_point")
    here, elsewhere = (await shifts_of(dispatch, operation))[0], (await shifts_of(dispatch, operation, 1))[0]
    await is_fit(dispatch, PAN_XIANGYE, until=here.ends_at - timedelta(hours=1))
    await is_fit(dispatch, TANG_YINAN)
    await is_on(dispatch, elsewhere, TANG_YINAN)

    said = {}
    officer = caller(LIANG_YUAN, "duty_officer")
    for who in (GATE_LEADER, COORDINATOR, officer):
        for person in (PAN_XIANGYE, TANG_YINAN):
            body = {"person_id": str(person.id), "role": "登记"}
            problem = (await dispatch.post(f"/shifts/{here.id}/walkons", body, who)).json()
            said[who.name, problem["code"]] = set(problem["params"])

    assert said[GATE_LEADER.name, "not_fit"] == {"rule", "person_id"}
    assert said[officer.name, "not_fit"] == {"rule", "person_id"}
    assert said[GATE_LEADER.name, "overlap"] == {"person_id"}
    assert {"until"} < said[COORDINATOR.name, "not_fit"]
    assert {"starts_at", "ends_at"} < said[COORDINATOR.name, "overlap"]


async def test_the_code_of_a_site_is_for_who_leads_there_now_or_later(dispatch: Door) -> None:
    await knows_everybody(dispatch)
    operation = await planned(dispatch, sites=[{"name": "东门"}])
    site = operation["sites"][0]["id"]
    first = (await shifts_of(dispatch, operation))[0]
    led = await dispatch.patch(f"/shifts/{first.id}", {"leader_id": str(GU_CHANGTING.id), "version": first.version}, COORDINATOR)
    assert led.status_code == 200, led.text

    during = await dispatch.get(f"/sites/{site}/code", GATE_LEADER)
    clock.set_now(first.ends_at + timedelta(hours=13))
    after = await dispatch.get(f"/sites/{site}/code", GATE_LEADER)

    assert (during.status_code, after.status_code) == (200, 404)


async def test_who_led_a_shift_counts_on_its_day_alone(dispatch: Door) -> None:
    await knows_everybody(dispatch)
    operation = await planned(dispatch, sites=[{"name": "东门"}])
    site = operation["sites"][0]["id"]
    first = (await shifts_of(dispatch, operation))[0]
    await dispatch.patch(f"/shifts/{first.id}", {"leader_id": str(GU_CHANGTING.id), "version": first.version}, COORDINATOR)
    clock.set_now(first.starts_at + timedelta(days=1, hours=6))

    own = await dispatch.put(f"/sites/{site}/counts", {"on": "2021-08-04", "hour": 9, "samples": 10}, GATE_LEADER)
    others = await dispatch.put(f"/sites/{site}/counts", {"on": "2021-08-05", "hour": 9, "samples": 10}, GATE_LEADER)
    read = await dispatch.get(f"/sites/{site}/counts?on=2021-08-05", GATE_LEADER)

    assert (own.status_code, others.status_code, read.status_code) == (200, 404, 404)


async def test_a_head_reads_of_a_notice_to_named_people_only_those_of_the_department(notifications: Door) -> None:
    await tell(notifications)
    notice = await issued(notifications, audience={"kind": "people", "ids": [str(LIANG_YUAN.id), str(PAN_XIANGYE.id)]})

    seen = (await notifications.get(f"/notices/{notice['id']}", HEAD)).json()["audience"]
    whole = (await notifications.get(f"/notices/{notice['id']}", LEADER)).json()["audience"]

    assert (seen["ids"], seen["names"]) == ([str(LIANG_YUAN.id)], [LIANG_YUAN.name])
    assert whole["ids"] == [str(LIANG_YUAN.id), str(PAN_XIANGYE.id)]


async def test_a_notice_to_who_is_to_be_urged_is_followed_by_those_who_may_read_whom_to_urge_alone(notifications: Door) -> None:
    await tell(notifications)
    audience = {"kind": "people", "ids": [str(LIANG_YUAN.id), str(PAN_XIANGYE.id)]}
    notice = await issued(notifications, HEALTH, audience=audience, about_health=True)
    path = f"/notices/{notice['id']}"

    for who in (COORDINATOR, LEADER, caller(TANG_YINAN, "duty_officer"), REPORTER, client("reader", "notices:read")):
        assert [(await notifications.get(one, who)).status_code for one in (path, f"{path}/people", f"{path}/progress")] == [404] * 3
        assert (await notifications.get("/notices", who)).json()["total"] == 0
    people = {who.name: (await notifications.get(f"{path}/people", who)).json()["items"] for who in (HEALTH, HEAD)}

    assert {one["person"]["name"] for one in people[HEALTH.name]} == {LIANG_YUAN.name, PAN_XIANGYE.name}
    assert {one["person"]["name"] for one in people[HEAD.name]} == {LIANG_YUAN.name}
    assert (await notifications.get(f"/inbox/{notice['id']}", caller(PAN_XIANGYE))).status_code == 200
    reached = (await notifications.get(path, caller(PAN_XIANGYE, "coordinator"))).json()
    assert (reached["audience"]["ids"], reached["totals"]["told_count"]) == ([str(PAN_XIANGYE.id)], 0)


async def test_how_many_on_a_shift_are_not_fit_is_for_those_who_may_ask_who_is(dispatch: Door) -> None:
    await knows_everybody(dispatch)
    operation = await planned(dispatch, requirement="testing_point")
    shift = (await shifts_of(dispatch, operation))[0]
    await is_fit(dispatch, LIANG_YUAN)
    await is_on(dispatch, shift, LIANG_YUAN)
    await is_on(dispatch, shift, TANG_YINAN)
    path = f"/operations/{operation['id']}/board"

    for who, count in ((COORDINATOR, 1), (LEADER, 1), (OFFICER, None), (client("reader", "dispatch:read"), None)):
        board = (await dispatch.get(path, who)).json()
        told = {role["unfit_since"] for role in board["sites"][0]["shifts"][0]["roles"] if role["name"] == "登记"}
        assert (told, board["totals"]["unfit_since"]) == ({count}, count), who.name


async def test_who_is_missing_of_those_to_be_urged_is_told_to_heads_and_to_who_keeps_health_records_alone(notifications: Door) -> None:
    headless = [one.model_copy(update={"head_id": None, "version": 2}) for one in departments()]
    await tell(notifications)
    await notifications.hears(DepartmentsChanged(departments=headless))
    await notifications.hears(HoldersChanged(holders=[HolderState(person_id=LU_ZHIYAO.id, roles=["health"], version=1)]))
    await issued(notifications, HEALTH, audience={"kind": "people", "ids": [str(LIANG_YUAN.id)]}, about_health=True)
    await has_left(notifications, HE_RUONING)

    await at(notifications, "10:00")

    for who in (REPORTER, COORDINATOR, LEADER, ADMINISTRATOR):
        assert await alerts_of(notifications, who) == [], who.name
    assert [one["params"]["missing_count"] for one in await alerts_of(notifications, caller(LU_ZHIYAO, "health"))] == [1]


async def test_an_administrator_who_stands_in_learns_that_a_place_is_free_and_not_who_is_unfit_or_fit(notifications: Door) -> None:
    await tell(notifications)
    nobody = [HolderState(person_id=one, roles=[], version=2) for one in (JIANG_CAIWEI.id, FU_XINGJIAN.id)]
    await notifications.hears(HoldersChanged(holders=nobody))

    await notifications.hears(PLACE.model_copy(update={"because": "unfit"}))

    (alert,) = await alerts_of(notifications, ADMINISTRATOR)
    assert (alert["params"]["instead_of"], alert["params"]["because"], alert["candidates"]) == ("coordinator", None, [])


async def test_who_may_say_who_leads_a_shift_reads_no_number_by_it(notifications: Door) -> None:
    await prepare(notifications)
    path = f"/shifts/{SHIFT}/leader_number"

    seen = [(await notifications.get(path, caller(LIANG_YUAN, *roles))).status_code for roles in ((), ("coordinator",))]

    assert seen == [200, 404]


async def test_who_is_in_the_pool_of_a_post_by_name_is_for_those_who_plan(duty: Door) -> None:
    await people(duty)
    ids = [str(one.id) for one in IN_TURN]
    kept = await post(duty, pool_people=ids)
    await publish(duty, (await fill(duty, in_turn(kept["id"]))).json()["version"])

    for who, seen in ((PLANNER, ids), (caller(TANG_YINAN), []), (client("wall", "duty:read"), [])):
        posts = (await duty.get("/posts", who)).json()["items"] + (await read(duty, who))["posts"]
        assert [(one["id"], one["pool_people"], one["pool_people_count"]) for one in posts] == [(kept["id"], seen, 3)] * 2, who.name
