"""Operations: planned by one form, shown by day, filled from a team after the plan was seen, copied, lengthened, printed."""

import re
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from services.dispatch.tables import Shift
from shared.policy import ACTIONS
from tests.gateway.deployment import coordinator, operation_tomorrow, team_of
from tests.gateway.door import GatewayDoor, hidden, partial, words_of
from tests.gateway.forms import fields_of
from tests.people import COORDINATOR, FU_XINGJIAN, GU_CHANGTING, JIANG_CAIWEI, LIANG_YUAN, PAN_XIANGYE, TANG_YINAN
from tests.services.deployment import PATTERN, assigned, is_fit, is_on, planned, shifts_of

ROLES = ("role_0", "count_0", "role_1", "count_1")
WISH = {
    "name": "青禾、石桥全员核酸",
    "place": "青禾社区",
    "sites": "青禾 1 号点，东门停车场\n青禾 2 号点\n\n柳渡村点",
    "role_0": "信息登记",
    "count_0": "2",
    "role_1": "秩序维护",
    "count_1": "1",
}


async def test_one_form_makes_the_operation_its_sites_and_all_their_shifts(gateway: GatewayDoor) -> None:
    browser = await coordinator(gateway)
    form = fields_of(await browser.get("/operations/new"))

    answer = await browser.post("/operations/new", data={**form, **WISH, "kind": "testing"})
    shown = await browser.get(answer.headers["location"])
    found = (await gateway.doors.dispatch.get("/operations", COORDINATOR)).json()["items"][0]

    assert (form["from_on"], form["until_on"]) == ("2021-08-05", "2021-08-05")  # tomorrow
    assert [form[f"begins_{n}"] for n in range(3)] == ["08:00", "12:40", "17:20"]
    assert answer.status_code == 303
    assert (found["site_count"], found["shift_count"], found["state"]) == (3, 9, "planned")
    for said in ("行动已建立", "青禾 1 号点", "东门停车场", "08:00–12:40", "17:20–22:00", "缺 3", "信息登记 2", "还在筹划"):
        assert said in words_of(shown)


async def test_what_is_wrong_with_a_row_is_said_below_the_rows_and_all_that_was_typed_stays(gateway: GatewayDoor) -> None:
    browser = await coordinator(gateway)

    answer = await browser.post("/operations/new", data={**WISH, "count_0": "0", "begins_0": "08:00", "until_on": "2021-08-04"})
    form = fields_of(answer)

    assert answer.status_code == 422
    assert {"f_roles_error", "f_times_error", "f_from_on_error", "f_kind_error"} <= set(
        re.findall(r'class="error" id="(\w+)"', answer.text)
    )
    assert (form["role_0"], form["count_0"], form["begins_0"]) == ("信息登记", "0", "08:00")
    assert "柳渡村点" in answer.text


async def test_running_coming_and_past_ones_stand_apart(gateway: GatewayDoor) -> None:
    browser = await coordinator(gateway)
    empty = words_of(await browser.get("/operations"))
    for name, on in (("昨天的", "2021-08-03"), ("今天的", "2021-08-04"), ("明天的", "2021-08-05")):
        await gateway.doors.dispatch.post(
            "/operations", {"name": name, "kind": "gate", "place": "南门", "from_on": on, "until_on": on}, COORDINATOR
        )

    shown = words_of(await browser.get("/operations"))

    assert "还没有行动" in empty
    assert re.search("进行中.*今天的.*将要开始.*明天的.*已结束.*昨天的", shown)


async def test_the_day_shows_how_each_shift_is_covered(gateway: GatewayDoor) -> None:
    operation, [first, *_] = await operation_tomorrow(gateway)
    await is_on(gateway.doors.dispatch, first, LIANG_YUAN)
    await is_on(gateway.doors.dispatch, first, PAN_XIANGYE, state="proposed")
    browser = await coordinator(gateway)

    shown = await browser.get(f"/operations/{operation['id']}?on=2021-08-05")
    block = await browser.get(f"/operations/{operation['id']}?on=2021-08-05", headers=partial("day"))
    other = words_of(await browser.get(f"/operations/{operation['id']}?on=2021-08-06"))

    for said in ("1/3", "缺 1 秩序", "等回复 1", "已确认 1", "还缺 10"):
        assert said in words_of(shown)
    assert f'data-live="operation:{operation["id"]} assignments"' in block.text
    assert "<html" not in block.text
    assert "还缺 12" in other


async def test_an_operation_is_opened_once(gateway: GatewayDoor) -> None:
    operation, _ = await operation_tomorrow(gateway, opened=False)
    browser = await coordinator(gateway)

    answer = await browser.post(f"/operations/{operation['id']}/opening", data={})
    again = await browser.post(f"/operations/{operation['id']}/opening", data={})

    assert "行动已开放" in words_of(await browser.get(answer.headers["location"]))
    assert (again.status_code, "已经开放" in words_of(again) or "已开放" in words_of(again)) == (409, True)


async def test_the_plan_is_shown_and_just_that_plan_is_carried_out(gateway: GatewayDoor) -> None:
    operation, _ = await operation_tomorrow(gateway)
    team = await team_of(gateway)
    browser = await coordinator(gateway)
    query = f"on=2021-08-05&team_id={team['id']}"

    plan = await browser.get(f"/operations/{operation['id']}/filling?{query}")
    asked_before = await gateway.doors.dispatch.get(f"/operations/{operation['id']}", COORDINATOR)
    form = {"on": "2021-08-05", "team_id": team["id"], "plan": hidden(plan, "plan"), "once": hidden(plan, "once")}
    answer = await browser.post(f"/operations/{operation['id']}/filling", data=form)
    twice = await browser.post(f"/operations/{operation['id']}/filling", data=form)
    day = (await gateway.doors.dispatch.get(f"/operations/{operation['id']}", COORDINATOR)).json()["days"][0]

    assert "这样位置就都有人了" in words_of(plan)
    assert "派工这 12 人次" in words_of(plan)
    assert asked_before.json()["days"][0]["proposed_count"] == 0
    assert (answer.status_code, twice.status_code, day["proposed_count"]) == (303, 303, 12)
    assert parse_qs(urlsplit(answer.headers["location"]).query) == {"on": ["2021-08-05"], "done": ["day_filled"]}


async def test_a_plan_that_would_be_another_by_now_is_shown_again_and_nobody_is_asked(gateway: GatewayDoor) -> None:
    operation, [first, *_] = await operation_tomorrow(gateway)
    team = await team_of(gateway)
    browser = await coordinator(gateway)
    plan = await browser.get(f"/operations/{operation['id']}/filling?on=2021-08-05&team_id={team['id']}")
    await is_on(gateway.doors.dispatch, first, LIANG_YUAN)

    form = {"on": "2021-08-05", "team_id": team["id"], "plan": hidden(plan, "plan")}
    answer = await browser.post(f"/operations/{operation['id']}/filling", data=form)

    assert answer.status_code == 409
    assert "这是现在的方案" in words_of(answer)
    assert hidden(answer, "plan") != form["plan"]
    assert "派工这 11 人次" in words_of(answer)


async def test_the_plan_says_what_stays_open_and_why_somebody_is_on_no_shift(gateway: GatewayDoor) -> None:
    operation, _ = await operation_tomorrow(gateway, requirement="testing_point")
    await is_fit(gateway.doors.dispatch, LIANG_YUAN)
    team = await team_of(gateway, LIANG_YUAN, PAN_XIANGYE)
    browser = await coordinator(gateway)

    shown = words_of(await browser.get(f"/operations/{operation['id']}/filling?on=2021-08-05&team_id={team['id']}"))
    over = await browser.get(f"/operations/{operation['id']}/filling?on=2021-08-20&team_id={team['id']}")

    assert re.search(r"还有 1\d 个位置空着", shown)
    assert "潘向野 后勤服务中心 不符合：核酸采样点。" in shown
    assert (over.status_code, "这一天没有班次" in words_of(over)) == (422, True)


async def test_a_day_is_copied_with_its_people_and_who_cannot_is_named(gateway: GatewayDoor) -> None:
    dispatch = gateway.doors.dispatch
    operation, _ = await operation_tomorrow(gateway, pattern=None)
    answer = await dispatch.post(f"/operations/{operation['id']}/shifts", {**PATTERN, "days": ["2021-08-05"]}, COORDINATOR)
    first, second = await shifts_of(dispatch, operation)
    await is_on(dispatch, first, LIANG_YUAN)
    await is_on(dispatch, second, PAN_XIANGYE)
    _, elsewhere = await operation_tomorrow(gateway, name="另一处")
    await is_on(dispatch, next(one for one in elsewhere if one.starts_at - first.starts_at == timedelta(days=1)), LIANG_YUAN)
    browser = await coordinator(gateway)
    form = {"from_on": "2021-08-05", "to_on": "2021-08-06", "with_people": "on"}

    copied = await browser.post(f"/operations/{operation['id']}/copy", data=form)
    outside = await browser.post(f"/operations/{operation['id']}/copy", data={**form, "to_on": "2021-09-01"})
    shown = words_of(await browser.get(f"/operations/{operation['id']}?on=2021-08-06"))

    assert answer.status_code == 201
    assert "1 人没有再次派工" in words_of(copied)
    assert "梁予安 教务处 登记 这段时间已有别的安排。" in words_of(copied)
    assert "等回复 1" in shown
    assert (outside.status_code, 'id="f_to_on_error"' in outside.text) == (422, True)


async def test_a_day_is_copied_without_its_people(gateway: GatewayDoor) -> None:
    operation, _ = await operation_tomorrow(gateway, pattern=None)
    wish = {**PATTERN, "days": ["2021-08-05"]}
    await gateway.doors.dispatch.post(f"/operations/{operation['id']}/shifts", wish, COORDINATOR)
    [first, *_] = await shifts_of(gateway.doors.dispatch, operation)
    await is_on(gateway.doors.dispatch, first, LIANG_YUAN)
    browser = await coordinator(gateway)

    answer = await browser.post(f"/operations/{operation['id']}/copy", data={"from_on": "2021-08-05", "to_on": "2021-08-06"})
    shown = words_of(await browser.get(answer.headers["location"]))

    assert answer.headers["location"].endswith("?on=2021-08-06&done=day_copied")
    assert "已复制这一天" in shown
    assert "等回复 1" not in shown


async def test_sites_and_shifts_are_added(gateway: GatewayDoor) -> None:
    operation, _ = await operation_tomorrow(gateway)
    browser = await coordinator(gateway)
    more: dict[str, Any] = {"begins_0": "20:00", "ends_0": "02:00", "role_0": "守夜", "count_0": "2", "days": "2021-08-05"}

    taken = await browser.post(f"/operations/{operation['id']}/sites", data={"name": "东门采样点"})
    site = await browser.post(f"/operations/{operation['id']}/sites", data={"name": "南门采样点", "address": "南门", "on": "2021-08-05"})
    roleless = await browser.post(f"/operations/{operation['id']}/shifts", data={**more, "role_0": "", "count_0": ""})
    answer = await browser.post(f"/operations/{operation['id']}/shifts", data={**more, "site_ids": [operation["sites"][0]["id"]]})
    shown = words_of(await browser.get(answer.headers["location"]))

    assert (taken.status_code, "叫这个名字的点位" in words_of(taken)) == (409, True)
    assert site.headers["location"].endswith("/more?on=2021-08-05&done=site_added")
    assert (roleless.status_code, 'id="f_roles_error"' in roleless.text) == (422, True)
    for said in ("南门采样点", "20:00–02:00 次日", "缺 2 守夜"):
        assert said in shown


async def test_two_change_an_operation_and_the_second_decides(gateway: GatewayDoor) -> None:
    operation, _ = await operation_tomorrow(gateway)
    browser = await coordinator(gateway)
    form = fields_of(await browser.get(f"/operations/{operation['id']}/edit"))
    await gateway.doors.dispatch.patch(f"/operations/{operation['id']}", {"place": "石桥", "version": form["version"]}, COORDINATOR)

    stale = await browser.post(f"/operations/{operation['id']}/edit", data={**form, "place": "柳渡"})
    answer = await browser.post(f"/operations/{operation['id']}/edit", data={**fields_of(stale), "take_place": "mine"})

    assert stale.status_code == 409
    assert all(said in words_of(stale) for said in ("石桥", "柳渡"))
    assert answer.status_code == 303
    assert "柳渡" in words_of(await browser.get(f"/operations/{operation['id']}"))


async def test_the_lists_for_paper_name_everybody_and_leave_lines_for_open_places(gateway: GatewayDoor) -> None:
    operation, [first, *_] = await operation_tomorrow(gateway)
    await is_on(gateway.doors.dispatch, first, JIANG_CAIWEI)
    async with gateway.doors.dispatch.rows() as tx:
        (await tx.get_one(Shift, first.id)).leader_id = TANG_YINAN.id
        tx.add(assigned(first, GU_CHANGTING.id, state="declined"))
    browser = await coordinator(gateway)

    shown = words_of(await browser.get(f"/operations/{operation['id']}/print?on=2021-08-05"))
    nothing = words_of(await browser.get(f"/operations/{operation['id']}/print?on=2021-08-20"))

    for said in ("东门采样点", "江采薇 教务处 已确认", "负责人：唐以南", "空缺"):
        assert said in shown
    assert GU_CHANGTING.name not in shown
    assert "这一天没有班次" in nothing


async def test_a_leader_fills_but_does_not_plan_and_staff_is_told_that_it_is_not_theirs(gateway: GatewayDoor) -> None:
    operation, _ = await operation_tomorrow(gateway)
    await team_of(gateway)
    leader, staff = await gateway.browser(FU_XINGJIAN), await gateway.browser(LIANG_YUAN)
    place = f"/operations/{operation['id']}"

    shown = words_of(await leader.get(place))

    assert "leader" in ACTIONS["assignment.confirm"]
    assert "从队伍派满这一天" in shown
    assert "复制这一天" not in shown
    for path in ("/operations/new", f"{place}/edit", f"{place}/more"):
        assert (await leader.get(path)).status_code == 403
    for path in ("/operations", place, f"{place}/print?on=2021-08-05", f"{place}/filling?on=2021-08-05"):
        assert (await staff.get(path)).status_code == 403
    assert (await staff.post(f"{place}/opening", data={})).status_code == 403


async def test_an_unknown_operation_and_a_missing_service_are_said(gateway: GatewayDoor) -> None:
    browser = await coordinator(gateway, "en")
    unknown = await browser.get(f"/operations/{JIANG_CAIWEI.id}")
    gateway.down("dispatch")

    unsaved = await browser.post("/operations/new", data=WISH)

    assert unknown.status_code == 404
    assert (await browser.get("/operations")).status_code == 503
    assert (unsaved.status_code, fields_of(unsaved)["role_0"]) == (503, "信息登记")


async def test_a_day_is_copied_to_one_to_come_and_the_day_after_the_last_lengthens_the_operation(gateway: GatewayDoor) -> None:
    operation = await planned(gateway.doors.dispatch)  # from today, the 4th, until the 6th
    browser = await coordinator(gateway)
    place = f"/operations/{operation['id']}"

    page = await browser.get(f"{place}?on=2021-08-06")
    answer = await browser.post(f"{place}/copy", data={"from_on": "2021-08-06", "to_on": "2021-08-07"})
    again = await browser.post(f"{place}/copy", data={"from_on": "2021-08-06", "to_on": "2021-08-07"})
    past = await browser.post(f"{place}/copy", data={"from_on": "2021-08-06", "to_on": "2021-08-03"})

    offered = re.search(r'<select[^>]*name="to_on".*?</select>', page.text, re.S)
    assert offered is not None
    assert re.findall(r'value="([^"]+)"( selected)?', offered[0]) == [("2021-08-04", ""), ("2021-08-05", ""), ("2021-08-07", " selected")]
    shown = words_of(await browser.get(answer.headers["location"]))
    assert all(said in shown for said in ("8 月 4 日–8 月 7 日", "已复制这一天", "还缺 12"))
    assert "没有复制" in words_of(await browser.get(again.headers["location"]))
    assert (past.status_code, 'id="f_to_on_error"' in past.text) == (422, True)


async def test_a_site_is_renamed_and_given_a_leader_who_then_leads_its_shifts(gateway: GatewayDoor) -> None:
    operation, [first, *_] = await operation_tomorrow(gateway)
    browser = await coordinator(gateway)
    more = await browser.get(f"/operations/{operation['id']}/more")
    place = f"/operations/{operation['id']}/sites/{operation['sites'][0]['id']}"
    form = fields_of(await browser.get(place))
    del form["once"]  # sent three times, each another wish

    nobody = await browser.post(place, data={**form, "leader": "查无此人"})
    saved = await browser.post(place, data={**form, "name": "东门广场", "leader": JIANG_CAIWEI.number})
    stale = await browser.post(place, data={**form, "name": "东门口"})
    shift = words_of(await browser.get(f"/shifts/{first.id}"))
    shown = words_of(await browser.get(saved.headers["location"]))
    kept = await browser.post(place, data={**fields_of(await browser.get(place)), "address": "广场南侧"})

    assert place in more.text
    assert (nobody.status_code, 'id="f_leader_error"' in nobody.text, fields_of(nobody)["leader"]) == (422, True, "查无此人")
    assert "东门广场" in shift
    assert "负责人：江采薇" in shift
    assert "东门广场 江采薇" in shown
    assert (stale.status_code, "东门广场" in words_of(stale)) == (409, True)
    assert kept.status_code == 303
    assert "负责人：江采薇" in words_of(await browser.get(f"/shifts/{first.id}"))  # who leads was not touched
    assert (await browser.get(f"/operations/{operation['id']}/sites/{JIANG_CAIWEI.id}")).status_code == 404


async def test_one_shift_is_filled_from_all_teams_and_those_with_the_requirement_are_offered_first(gateway: GatewayDoor) -> None:
    operation, [first, *_] = await operation_tomorrow(gateway, requirement="testing_point")
    await team_of(gateway, LIANG_YUAN, JIANG_CAIWEI, TANG_YINAN, name="防汛抢险队")
    wish = {"name": "采样队", "requirement": "testing_point", "member_ids": [str(PAN_XIANGYE.id)]}
    await gateway.doors.dispatch.post("/teams", wish, COORDINATOR)
    for person in (LIANG_YUAN, PAN_XIANGYE):
        await is_fit(gateway.doors.dispatch, person)
    browser = await coordinator(gateway)

    day = await browser.get(f"/operations/{operation['id']}?on=2021-08-05")
    shift = await browser.get(f"/shifts/{first.id}")
    [path] = re.findall(r'href="(/operations/[^"]+/filling[^"]+)"', shift.text)
    plan = await browser.get(path.replace("&amp;", "&"))
    form = {"on": "2021-08-05", "team_id": "", "shift_id": str(first.id), "plan": hidden(plan, "plan")}
    answer = await browser.post(f"/operations/{operation['id']}/filling", data=form)
    shown = words_of(await browser.get(answer.headers["location"]))

    assert re.findall(r">(采样队|防汛抢险队|所有队伍)", day.text) == ["采样队", "防汛抢险队", "所有队伍"]
    assert re.search(r" selected>采样队", day.text)
    assert "将派工 2 人次" in words_of(plan)
    assert answer.headers["location"] == f"/shifts/{first.id}?done=day_filled"
    assert all(f"{name} " in shown for name in ("梁予安", "潘向野"))
    assert all(one in shown for one in ("登记 1/2", "秩序 1/1"))  # one of each role before the second of one


async def test_another_operation_is_planned_like_one_that_is_there(gateway: GatewayDoor) -> None:
    operation, _ = await operation_tomorrow(gateway, requirement="testing_point", bring="身份证")
    browser = await coordinator(gateway)
    day = await browser.get(f"/operations/{operation['id']}?on=2021-08-05")
    [path] = re.findall(r'href="(/operations/new[^"]+)"', day.text)

    page = await browser.get(path.replace("&amp;", "&"))
    form = fields_of(page) | {"sites": re.findall(r'name="sites"[^>]*>([^<]*)<', page.text)[0]}
    more = await browser.get(f"/operations/{operation['id']}/more?on=2021-08-05")
    del form["once"]
    answer = await browser.post("/operations/new", data={**form, "name": "第二轮"})
    roleless = await browser.post("/operations/new", data={**form, "name": "第三轮", **dict.fromkeys(ROLES, "")})

    assert (form["name"], form["from_on"], form["requirement"]) == ("", "2021-08-05", "testing_point")
    assert form["sites"].split() == ["东门采样点", "西门采样点"]
    assert re.search(r'name="bring"[^>]*>\s*身份证\s*<', page.text)
    assert [form[name] for name in ("begins_0", "ends_0", "begins_2", *ROLES)] == ["08:00", "12:00", "", "登记", "2", "秩序", "1"]
    assert re.search(r'name="role_0"[^>]*value="登记"', more.text)
    assert "还缺 12" in words_of(await browser.get(answer.headers["location"]))
    assert "至少写一项分工" in words_of(roleless)


async def test_an_operation_is_ended_with_a_reason(gateway: GatewayDoor) -> None:
    operation, [first, *_] = await operation_tomorrow(gateway)
    await is_on(gateway.doors.dispatch, first, LIANG_YUAN)
    browser = await coordinator(gateway)
    place = f"/operations/{operation['id']}"
    page = await browser.get(f"{place}/edit")

    without = await browser.post(f"{place}/closing", data={"reason": ""})
    answer = await browser.post(f"{place}/closing", data={"reason": "任务提前完成"})
    shown = words_of(await browser.get(answer.headers["location"]))

    assert f'action="{place}/closing"' in page.text
    assert (without.status_code, 'id="f_close_reason_error"' in without.text) == (422, True)
    board, listed = await browser.get(f"{place}/board"), words_of(await browser.get("/operations"))
    assert all(said in shown for said in ("行动已结束", "已取消", "照此另建"))
    assert not any(said in shown for said in ("复制这一天", "从队伍派满这一天", "编辑"))
    assert "这个行动已结束" in words_of(board)
    assert "今天没有行动" in listed
    assert "已开放" not in listed
    assert "任务提前完成" in words_of(await browser.get(f"/shifts/{first.id}"))
