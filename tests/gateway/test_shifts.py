"""One shift: people asked and released, refusals named, a leader's override, moved and cancelled with who is told."""

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from gateway import services
from shared.bookings import Span, block
from shared.events import AssignmentsChanged, ShiftMoved, ShiftsChanged
from tests.gateway.deployment import coordinator, operation_tomorrow, team_of
from tests.gateway.door import GatewayDoor, partial, words_of
from tests.gateway.forms import fields_of
from tests.people import COORDINATOR, FU_XINGJIAN, GU_CHANGTING, JIANG_CAIWEI, LIANG_YUAN, PAN_XIANGYE, TANG_YINAN
from tests.services.deployment import is_fit, is_on
from tests.services.notified import tell


async def test_people_and_candidates_stand_side_by_side_with_what_is_against_them(gateway: GatewayDoor) -> None:
    _, [first, *_] = await operation_tomorrow(gateway, requirement="testing_point")
    for person in (LIANG_YUAN, PAN_XIANGYE, TANG_YINAN):
        await is_fit(gateway.doors.dispatch, person)
    await is_fit(gateway.doors.dispatch, GU_CHANGTING, until=first.starts_at + timedelta(hours=1))
    await is_on(gateway.doors.dispatch, first, PAN_XIANGYE)
    async with gateway.doors.personnel.rows() as tx:
        await block(tx, Span(uuid4(), TANG_YINAN.id, first.starts_at, first.ends_at, "unavailable"))
    await team_of(gateway)
    browser = await coordinator(gateway)

    answer = await browser.get(f"/shifts/{first.id}")
    shown = words_of(answer)

    assert answer.status_code == 200
    for said in (
        "潘向野 后勤服务中心 已确认",
        "登记 1/2",
        "符合，有空；28 天内 0 小时",
        "不符合：核酸采样点。",
        "不符合：核酸采样点，只到 8 月 5 日 09:00。",
        "这段时间不能",
    ):
        assert said in shown
    assert shown.index(LIANG_YUAN.name) < shown.index(JIANG_CAIWEI.name)  # who fits comes first
    assert re.findall(r'form="ask" name="person_ids" value="([^"]+)"', answer.text) == [str(LIANG_YUAN.id)]


async def test_the_page_asks_three_times_at_most(gateway: GatewayDoor, monkeypatch: pytest.MonkeyPatch) -> None:
    _, [first, *_] = await operation_tomorrow(gateway)
    browser = await coordinator(gateway)
    await browser.get(f"/shifts/{first.id}")  # who looks is known from now on
    asked: list[str] = []
    ask = services.Service.ask

    async def counted(self: services.Service, method: str, path: str, **given: Any) -> httpx.Response:
        asked.append(f"{self.name} {path}")
        return await ask(self, method, path, **given)

    monkeypatch.setattr(services.Service, "ask", counted)
    await browser.get(f"/shifts/{first.id}")

    assert sorted(one.partition("?")[0] for one in asked) == [
        f"dispatch /shifts/{first.id}",
        f"dispatch /shifts/{first.id}/candidates",
        f"dispatch /shifts/{first.id}/corrections",
    ]


async def test_several_are_asked_at_once_and_whoever_cannot_be_is_named(gateway: GatewayDoor) -> None:
    _, [first, *_] = await operation_tomorrow(gateway)
    browser = await coordinator(gateway)
    async with gateway.doors.personnel.rows() as tx:
        await block(tx, Span(uuid4(), JIANG_CAIWEI.id, first.starts_at, first.ends_at, "unavailable"))
    form = {"role": "登记", "person_ids": [str(LIANG_YUAN.id), str(JIANG_CAIWEI.id), str(PAN_XIANGYE.id)]}

    answer = await browser.post(f"/shifts/{first.id}/asking", data=form)
    full = await browser.post(f"/shifts/{first.id}/asking", data={"role": "登记", "person_ids": [str(TANG_YINAN.id)]})
    nobody = await browser.post(f"/shifts/{first.id}/asking", data={"role": "登记"})
    one = await browser.post(f"/shifts/{first.id}/asking", data={"role": "秩序", "person_ids": [str(TANG_YINAN.id)]})

    assert answer.status_code == 409
    assert "1 人派不上；已派工 2 人 江采薇：" in words_of(answer)
    assert (full.status_code, "这项分工已满" in words_of(full)) == (409, True)
    assert 'form="ask" name="person_ids"' not in full.text  # nobody is offered for a place that is taken
    assert (nobody.status_code, "没有勾选任何人" in words_of(nobody)) == (422, True)
    assert one.status_code == 303
    assert "已派工；回复会显示在这里" in words_of(await browser.get(one.headers["location"]))


async def test_somebody_is_found_by_pinyin_without_the_rest_of_the_page(gateway: GatewayDoor) -> None:
    _, [first, *_] = await operation_tomorrow(gateway)
    await team_of(gateway, LIANG_YUAN)
    browser = await coordinator(gateway)

    block_alone = await browser.get(f"/shifts/{first.id}?q=panxiang&role=秩序", headers=partial("candidates"))
    nobody = words_of(await browser.get(f"/shifts/{first.id}?q=nobody-is-called-so"))

    assert "<html" not in block_alone.text
    assert PAN_XIANGYE.name in words_of(block_alone)
    assert LIANG_YUAN.name not in words_of(block_alone)
    assert "秩序派给谁" in words_of(block_alone)
    assert "没有符合的人" in nobody


async def test_a_leader_asks_in_spite_of_the_rules_with_a_reason_and_a_coordinator_does_not(gateway: GatewayDoor) -> None:
    _, [first, *_] = await operation_tomorrow(gateway, requirement="testing_point")
    await team_of(gateway, LIANG_YUAN)
    leader, browser = await gateway.browser(FU_XINGJIAN), await coordinator(gateway)
    form = {"role": "登记", "person_ids": [str(LIANG_YUAN.id)]}

    offered, not_offered = await leader.get(f"/shifts/{first.id}"), await browser.get(f"/shifts/{first.id}")
    without = await leader.post(f"/shifts/{first.id}/asking", data=form)
    forbidden = await browser.post(f"/shifts/{first.id}/asking", data={**form, "override": "人手不够"})
    answer = await leader.post(f"/shifts/{first.id}/asking", data={**form, "override": "人手不够"})
    shown = words_of(await browser.get(f"/shifts/{first.id}"))

    assert 'name="override"' in offered.text
    assert 'name="override"' not in not_offered.text
    assert "领导可以写明理由后派工" in words_of(not_offered)
    assert (without.status_code, "梁予安：不符合：核酸采样点" in words_of(without)) == (409, True)
    assert forbidden.status_code == 403
    assert answer.status_code == 303
    assert "傅行简特批：人手不够" in shown


async def test_somebody_is_released_with_a_reason(gateway: GatewayDoor) -> None:
    _, [first, *_] = await operation_tomorrow(gateway)
    row = await is_on(gateway.doors.dispatch, first, LIANG_YUAN)
    browser = await coordinator(gateway)

    without = await browser.post(f"/shifts/{first.id}/release", data={"assignment_id": str(row)})
    answer = await browser.post(f"/shifts/{first.id}/release", data={"assignment_id": str(row), "reason": "调去西门"})
    again = await browser.post(f"/shifts/{first.id}/release", data={"assignment_id": str(row), "reason": "x"})
    unknown = await browser.post(f"/shifts/{first.id}/release", data={"assignment_id": "../teams", "reason": "x"})
    shown = words_of(await browser.get(f"/shifts/{first.id}"))

    assert (without.status_code, f'id="f_release_{row}_error"' in without.text) == (422, True)
    assert answer.status_code == 303
    assert (again.status_code, "已不在这个班次上" in words_of(again)) == (409, True)
    assert unknown.status_code == 404
    assert "梁予安 登记 已撤下 调去西门" in shown


async def test_a_shift_moves_and_its_people_have_to_answer_again(gateway: GatewayDoor) -> None:
    _, [first, *_] = await operation_tomorrow(gateway)
    await is_on(gateway.doors.dispatch, first, LIANG_YUAN)
    browser = await coordinator(gateway)
    page = await browser.get(f"/shifts/{first.id}/edit")

    answer = await browser.post(
        f"/shifts/{first.id}/edit",
        data={**fields_of(page), "starts_at": "2021-08-05T09:00", "ends_at": "2021-08-05T13:00", "reason": "雷雨"},
    )
    shown = words_of(await browser.get(answer.headers["location"]))

    assert "1 人要重新回复 梁予安" in words_of(page)
    assert fields_of(page)["starts_at"] == "2021-08-05T08:00"
    assert answer.status_code == 303
    for said in ("09:00–13:00", "梁予安 教务处 等回复", "雷雨"):
        assert said in shown
    (moved,) = await gateway.doors.dispatch.told(ShiftMoved)
    assert (moved.person_ids, moved.starts_at - moved.old_starts_at) == ([LIANG_YUAN.id], timedelta(hours=1))


async def test_what_cannot_be_is_said_beside_its_field(gateway: GatewayDoor) -> None:
    _, [first, *_] = await operation_tomorrow(gateway)
    browser = await coordinator(gateway)
    form = fields_of(await browser.get(f"/shifts/{first.id}/edit"))

    backwards = await browser.post(f"/shifts/{first.id}/edit", data={**form, "ends_at": "2021-08-05T07:00"})
    unread = await browser.post(f"/shifts/{first.id}/edit", data={**form, "starts_at": "gleich"})
    unreasoned = await browser.post(f"/shifts/{first.id}/cancellation", data={})

    assert (backwards.status_code, 'id="f_ends_at_error"' in backwards.text) == (422, True)
    assert (unread.status_code, 'id="f_starts_at_error"' in unread.text) == (422, True)
    assert (unreasoned.status_code, 'id="f_cancel_reason_error"' in unreasoned.text) == (422, True)
    assert fields_of(backwards)["ends_at"] == "2021-08-05T07:00"


async def test_two_change_one_shift_and_the_second_decides(gateway: GatewayDoor) -> None:
    _, [first, *_] = await operation_tomorrow(gateway)
    browser = await coordinator(gateway)
    form = fields_of(await browser.get(f"/shifts/{first.id}/edit"))
    theirs = {"bring": "雨衣", "version": int(form["version"])}
    assert (await gateway.doors.dispatch.patch(f"/shifts/{first.id}", theirs, COORDINATOR)).status_code == 200

    stale = await browser.post(f"/shifts/{first.id}/edit", data={**form, "signup": "on"})
    answer = await browser.post(f"/shifts/{first.id}/edit", data={**fields_of(stale), "signup": "on", "bring": "雨衣"})
    found = (await gateway.doors.dispatch.get(f"/shifts/{first.id}", COORDINATOR)).json()

    assert (stale.status_code, "雨衣" in words_of(stale)) == (409, True)
    assert answer.status_code == 303
    assert (found["signup"], found["bring"]) == (True, "雨衣")


async def test_a_cancelled_shift_takes_nobody_any_more(gateway: GatewayDoor) -> None:
    operation, [first, *_] = await operation_tomorrow(gateway)
    await is_on(gateway.doors.dispatch, first, LIANG_YUAN)
    browser = await coordinator(gateway)

    answer = await browser.post(f"/shifts/{first.id}/cancellation", data={"reason": "雷雨"})
    shown = await browser.get(f"/shifts/{first.id}")
    again = await browser.post(f"/shifts/{first.id}/cancellation", data={"reason": "雷雨"})

    assert answer.status_code == 303
    assert "这个班次已取消 雷雨" in words_of(shown)
    assert 'name="person_ids"' not in shown.text
    assert again.status_code == 409
    assert "已取消" in words_of(await browser.get(f"/operations/{operation['id']}?on=2021-08-05"))


async def test_staff_is_told_that_it_is_not_theirs_and_a_missing_service_is_said(gateway: GatewayDoor) -> None:
    _, [first, *_] = await operation_tomorrow(gateway)
    staff, leader = await gateway.browser(LIANG_YUAN), await gateway.browser(FU_XINGJIAN, "en")

    for path in ("", "/edit"):
        assert (await staff.get(f"/shifts/{first.id}{path}")).status_code == 403
    assert (await staff.post(f"/shifts/{first.id}/asking", data={"person_ids": str(LIANG_YUAN.id)})).status_code == 403
    assert (await leader.get(f"/shifts/{first.id}/edit")).status_code == 403
    assert (await leader.get(f"/shifts/{JIANG_CAIWEI.id}")).status_code == 404
    assert "Whom to ask for" in words_of(await leader.get(f"/shifts/{first.id}"))
    gateway.down("dispatch")
    assert (await leader.get(f"/shifts/{first.id}")).status_code == 503


async def test_who_cannot_come_is_said_so_and_nothing_about_health(gateway: GatewayDoor) -> None:
    _, [first, *_] = await operation_tomorrow(gateway)
    await is_on(gateway.doors.dispatch, first, LIANG_YUAN, "declined")

    shown = words_of(await (await coordinator(gateway)).get(f"/shifts/{first.id}"))

    assert "不能到岗" in shown
    assert "接种" not in shown


async def test_from_a_shift_one_notifies_those_on_it_and_the_look_names_the_shift(gateway: GatewayDoor) -> None:
    dispatch, notifications = gateway.doors.dispatch, gateway.doors.notifications
    await tell(notifications)
    _, [first, *_] = await operation_tomorrow(gateway)
    wish = {"shift_id": str(first.id), "role": "登记", "person_ids": [str(LIANG_YUAN.id)]}
    await dispatch.post("/assignments", wish, COORDINATOR)
    for event in (*await dispatch.told(ShiftsChanged), *await dispatch.told(AssignmentsChanged)):
        await notifications.hears(event)
    browser = await coordinator(gateway)

    shift = await browser.get(f"/shifts/{first.id}")
    form = await browser.get(f"/notices/new?shift_id={first.id}")
    typed = {"kind": "order", "title": "提前十分钟到", "text": "带雨衣。", "to": "shift", "shift": str(first.id), "step": "look"}
    looked = words_of(await browser.post("/notices/new", data=typed))

    assert f'href="/notices/new?shift_id={first.id}"' in shift.text
    assert f'value="{first.id}" selected' in form.text
    assert "将发给 1 人" in looked
    assert "班次上的人 · 东门采样点 · 8 月 5 日 08:00–12:00" in looked


async def test_a_shift_is_given_more_people_and_a_role_more(gateway: GatewayDoor) -> None:
    _, [first, *_] = await operation_tomorrow(gateway)
    await is_on(gateway.doors.dispatch, first, LIANG_YUAN)
    browser = await coordinator(gateway)
    page = await browser.get(f"/shifts/{first.id}/edit")

    answer = await browser.post(f"/shifts/{first.id}/edit", data={**fields_of(page), "count_0": "3", "role_new": "扫码", "count_new": "2"})
    shown = words_of(await browser.get(answer.headers["location"]))

    assert (fields_of(page)["count_0"], "登记 已有 1 人" in words_of(page)) == ("2", True)
    assert answer.status_code == 303
    assert "登记 1/3 · 秩序 0/1 · 扫码 0/2" in shown
    assert "梁予安 教务处 已确认" in shown  # nobody has to answer again


async def test_fewer_than_are_held_is_said_beside_the_number_and_what_was_typed_stays(gateway: GatewayDoor) -> None:
    _, [first, *_] = await operation_tomorrow(gateway)
    for person in (LIANG_YUAN, PAN_XIANGYE):
        await is_on(gateway.doors.dispatch, first, person)
    browser = await coordinator(gateway)
    form = fields_of(await browser.get(f"/shifts/{first.id}/edit"))
    path = f"/shifts/{first.id}/edit"

    fewer = await browser.post(path, data={**form, "count_1": "2", "count_0": "1"})
    nameless = await browser.post(path, data={**form, "count_new": "2"})
    there = await browser.post(path, data={**form, "role_new": "登记", "count_new": "5"})
    many = await browser.post(path, data={**form, "role_new": "扫码", "count_new": "1001"})

    assert (fewer.status_code, 'id="f_count_0_error"' in fewer.text, 'id="f_count_1_error"' in fewer.text) == (422, True, False)
    assert "这项分工已有 2 人" in words_of(fewer)
    assert (fields_of(fewer)["count_0"], fields_of(fewer)["count_1"]) == ("1", "2")
    assert (nameless.status_code, 'id="f_role_new_error"' in nameless.text) == (422, True)
    assert (there.status_code, 'id="f_role_new_error"' in there.text) == (422, True)
    assert (many.status_code, 'id="f_count_new_error"' in many.text) == (422, True)


async def test_a_role_that_is_not_needed_any_more_stands_no_more_on_the_page(gateway: GatewayDoor) -> None:
    _, [first, *_] = await operation_tomorrow(gateway)
    browser, path = await coordinator(gateway), f"/shifts/{first.id}/edit"
    form = fields_of(await browser.get(path))

    nobody = await browser.post(path, data={**form, "count_0": "0", "count_1": "0"})
    done = await browser.post(path, data={**form, "count_0": "0"})
    shown = words_of(await browser.get(f"/shifts/{first.id}"))

    assert (nobody.status_code, 'id="f_count_0_error"' in nobody.text, "那就取消这个班次" in words_of(nobody)) == (422, True, True)
    assert done.status_code == 303
    assert "秩序 0/1" in shown
    assert "登记" not in shown


async def test_two_change_how_many_a_shift_needs_and_the_second_decides(gateway: GatewayDoor) -> None:
    _, [first, *_] = await operation_tomorrow(gateway)
    browser = await coordinator(gateway)
    form = fields_of(await browser.get(f"/shifts/{first.id}/edit"))
    theirs = {"roles": [{"name": "登记", "head_count": 5}, {"name": "扫码", "head_count": 4}], "version": int(form["version"])}
    assert (await gateway.doors.dispatch.patch(f"/shifts/{first.id}", theirs, COORDINATOR)).status_code == 200

    stale = await browser.post(f"/shifts/{first.id}/edit", data={**form, "count_0": "3", "role_new": "测温", "count_new": "1"})
    answer = await browser.post(f"/shifts/{first.id}/edit", data={**fields_of(stale), "take_count_0": "mine"})
    shown = words_of(await browser.get(f"/shifts/{first.id}"))

    assert (stale.status_code, "take_count_0" in stale.text, "take_count_2" in stale.text) == (409, True, False)
    assert answer.status_code == 303
    assert "登记 3/3" not in shown
    assert "登记 0/3 · 秩序 0/1 · 扫码 0/4 · 测温 0/1" in shown
