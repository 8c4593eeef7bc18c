"""The pages of notices: looked over before they go out, followed by department, recorded by heads, withdrawn, printed."""

import re
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from gateway.notices import issuing
from gateway.notices import page as notices
from gateway.notices.missing import MOST
from shared import clock
from tests.gateway.door import GatewayDoor, hidden, words_of
from tests.people import (
    FANG_JIBAI,
    FU_XINGJIAN,
    HE_RUONING,
    HEALTH,
    JIANG_CAIWEI,
    LIANG_YUAN,
    PEOPLE,
    SHEN_ZHIXING,
    TANG_YINAN,
    TEACHING,
    ZHONG_YIFAN,
)
from tests.services.notified import issued, moment, tell

TYPED = {"kind": "order", "title": "手机24小时开机", "text": "读后逐人回复。", "to": "everyone", "deadline": "2021-08-04T10:00"}


async def known(gateway: GatewayDoor) -> None:
    await tell(gateway.doors.notifications)


async def send(browser: httpx.AsyncClient, **changes: Any) -> httpx.Response:
    """Both steps, as a browser without script goes them."""
    looked = await browser.post("/notices/new", data={"once": "n1", "step": "look", **TYPED, **changes})
    assert looked.status_code == 200, words_of(looked)
    names = ("kind", "title", "text", "to", "deadline", "people", "mail", "asks_done", "done_deadline", "title_en", "text_en")
    found = {name: hidden(looked, name) for name in names if f'name="{name}"' in looked.text}
    lists = {name: re.findall(rf'name="{name}" value="([^"]+)"', looked.text) for name in ("departments", "teams")}
    return await browser.post("/notices/new", data={**found, **lists, "once": hidden(looked, "once"), "step": "send"})


async def test_who_may_not_follow_notices_does_not_see_them(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(LIANG_YUAN)

    assert (await browser.get("/notices")).status_code == 403
    assert (await browser.get("/notices/new")).status_code == 403
    assert (await (await gateway.browser(SHEN_ZHIXING)).get("/notices/new")).status_code == 403


async def test_a_notice_is_looked_over_with_its_head_count_and_goes_out_at_the_second_step_alone(gateway: GatewayDoor) -> None:
    await known(gateway)
    browser = await gateway.browser(FU_XINGJIAN)
    looked = await browser.post("/notices/new", data={"once": "n1", "step": "look", **TYPED})

    assert f"将发给 {len(PEOPLE)} 人" in words_of(looked)
    assert "教务处 4" in words_of(looked)
    assert "没有有效的通知" in words_of(await browser.get("/notices"))

    sent = await send(browser)

    assert sent.status_code == 303, words_of(sent)
    shown = words_of(await browser.get(sent.headers["location"]))
    assert "通知已送到每个人" in shown
    assert f"0 人已回复，{len(PEOPLE)} 人还没有" in shown
    assert "手机24小时开机" in words_of(await browser.get("/notices"))


async def test_back_from_the_look_everything_typed_is_there_again(gateway: GatewayDoor) -> None:
    await known(gateway)
    browser = await gateway.browser(FU_XINGJIAN)

    form = {"once": "n1", "step": "change", **TYPED, "to": "departments", "departments": str(TEACHING.id), "mail": "on"}
    again = await browser.post("/notices/new", data=form)

    assert 'value="手机24小时开机"' in again.text
    assert f'value="{TEACHING.id}" selected' in again.text
    assert re.search(r'name="mail"[^>]* checked', again.text)
    assert 'value="2021-08-04T10:00"' in again.text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"title": ""}, "这一项要填"),
        ({"deadline": "2021-08-03T10:00"}, "这个时间已经过了"),
        ({"to": "departments"}, "请选择发给谁"),
        ({"to": "people", "people": "无此人"}, "没有叫“无此人”的人"),
        ({"done_deadline": "2021-08-04T12:00"}, "不要求报告完成"),
        ({"title_en": "Phones on"}, "英文"),
    ],
)
async def test_what_is_wrong_stands_beside_its_field(gateway: GatewayDoor, changes: dict[str, str], words: str) -> None:
    await known(gateway)
    browser = await gateway.browser(FU_XINGJIAN)

    answer = await browser.post("/notices/new", data={"once": "n1", "step": "send", **TYPED, **changes})

    assert answer.status_code == 422
    assert words in words_of(answer), words_of(answer)
    assert 'aria-invalid="true"' in answer.text
    assert "没有有效的通知" in words_of(await browser.get("/notices"))


async def test_people_are_named_by_number_or_name(gateway: GatewayDoor) -> None:
    await known(gateway)
    browser = await gateway.browser(FU_XINGJIAN)

    sent = await send(browser, to="people", people=f"{LIANG_YUAN.number}，{TANG_YINAN.name}")

    shown = words_of(await browser.get(sent.headers["location"]))
    assert "0 人已回复，2 人还没有" in shown
    assert "教务处" in shown
    assert "后勤服务中心" in shown


async def test_those_to_be_urged_are_asked_for_by_who_reads_that_list_alone(gateway: GatewayDoor) -> None:
    await known(gateway)
    health, leader = await gateway.browser(HE_RUONING), await gateway.browser(FU_XINGJIAN)

    assert 'value="urged"' in (await health.get("/notices/new")).text
    assert 'value="urged"' not in (await leader.get("/notices/new")).text
    refused = await leader.post("/notices/new", data={"once": "n1", "step": "send", **TYPED, "to": "urged"})
    assert refused.status_code == 422
    urged = (await gateway.doors.personnel.get("/coverage/urge", HEALTH)).json()["total"]
    sent = await send(health, to="urged")

    assert f"0 人已回复，{urged} 人还没有" in words_of(await health.get(sent.headers["location"]))
    assert f"{urged} 人还没有" not in words_of(await leader.get(sent.headers["location"]))  # whom it reached as well


async def test_a_time_that_is_there_twice_is_asked_about(gateway: GatewayDoor, monkeypatch: pytest.MonkeyPatch) -> None:
    await known(gateway)
    monkeypatch.setattr(issuing, "zone", lambda: ZoneInfo("Europe/Berlin"))
    browser = await gateway.browser(FU_XINGJIAN)
    form = {"once": "n1", "step": "look", **TYPED, "deadline": "2021-10-31T02:30"}

    asked = await browser.post("/notices/new", data=form)

    assert asked.status_code == 422
    assert "这一刻在时钟上出现两次" in words_of(asked)
    assert (await browser.post("/notices/new", data={**form, "deadline_which": "1"})).status_code == 200
    gone = await browser.post("/notices/new", data={**form, "deadline": "2022-03-27T02:30"})
    assert gone.status_code == 422


async def test_a_head_follows_the_own_department_records_for_several_and_takes_back_what_was_wrong(gateway: GatewayDoor) -> None:
    await known(gateway)
    notice = await issued(gateway.doors.notifications)
    head = await gateway.browser(SHEN_ZHIXING)

    shown = words_of(await head.get(f"/notices/{notice['id']}"))
    assert "0 人已回复，4 人还没有" in shown
    assert "后勤服务中心" not in shown
    people = await head.get(f"/notices/{notice['id']}/people?department_id={TEACHING.id}")
    assert f'value="{LIANG_YUAN.id}"' in people.text
    assert f'name="person_ids" value="{SHEN_ZHIXING.id}"' not in people.text
    form = {"once": "r1", "department_id": str(TEACHING.id), "person_ids": [str(LIANG_YUAN.id), str(JIANG_CAIWEI.id)]}
    nothing = await head.post(f"/notices/{notice['id']}/records", data=form)
    assert nothing.status_code == 422
    assert re.search(rf'value="{LIANG_YUAN.id}" checked', nothing.text)

    done = await head.post(f"/notices/{notice['id']}/records", data={**form, "once": "r2", "method": "meeting", "note": "晨会"})

    assert done.status_code == 303
    after = await head.get(done.headers["location"])
    assert "沈知行 代录" in words_of(after)
    assert "会上传达 · 晨会" in words_of(after)
    assert "2 人已回复，2 人还没有" in words_of(await head.get(f"/notices/{notice['id']}"))
    action = re.search(r'action="(/notices/[^"]+/correction)"', after.text)
    assert action
    assert (await head.post(action[1], data={"once": "c1", "reason": "记错了人"})).status_code == 303
    assert "1 人已回复，3 人还没有" in words_of(await head.get(f"/notices/{notice['id']}"))


async def test_of_many_departments_those_with_most_people_missing_come_first_and_the_others_at_a_tap(
    gateway: GatewayDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notices, "DEPARTMENTS_SHOWN", 1)
    await known(gateway)
    notice = await issued(gateway.doors.notifications)
    leader = await gateway.browser(FU_XINGJIAN)

    few = await leader.get(f"/notices/{notice['id']}")
    more = re.search(r'href="([^"]+departments=all)"[^>]*>.*?还有 (\d+) 个部门', few.text)

    assert more
    every = await leader.get(more[1])
    assert every.text.count("/people?department_id=") == 1 + int(more[2])
    assert few.text.count("/people?department_id=") == 1
    assert "个部门" not in words_of(every)


async def test_who_is_missing_is_printed_and_leaves_as_a_workbook(gateway: GatewayDoor) -> None:
    await known(gateway)
    notice = await issued(gateway.doors.notifications)
    browser = await gateway.browser(FU_XINGJIAN)

    sheet = await browser.get(f"/notices/{notice['id']}/missing?department_id={TEACHING.id}")
    file = await browser.get(f"/notices/{notice['id']}/missing/export")

    assert "4 人还没有回复" in words_of(sheet)
    assert FANG_JIBAI.name in sheet.text
    assert TANG_YINAN.name not in sheet.text
    assert file.content[:2] == b"PK"
    assert "attachment" in file.headers["content-disposition"]
    assert len(PEOPLE) <= MOST


async def test_a_notice_is_withdrawn_with_its_reason_and_moves_to_its_list(gateway: GatewayDoor) -> None:
    await known(gateway)
    notice = await issued(gateway.doors.notifications)
    browser = await gateway.browser(FU_XINGJIAN)

    assert (await browser.post(f"/notices/{notice['id']}/withdrawal", data={"once": "w0"})).status_code == 422
    done = await browser.post(f"/notices/{notice['id']}/withdrawal", data={"once": "w1", "reason": "时间有误"})

    assert "时间有误" in words_of(await browser.get(done.headers["location"]))
    assert "手机24小时开机" in words_of(await browser.get("/notices?show=withdrawn"))
    assert "没有有效的通知" in words_of(await browser.get("/notices"))
    again = await browser.post(f"/notices/{notice['id']}/withdrawal", data={"once": "w2", "reason": "再撤"})
    assert again.status_code == 409


async def test_a_notice_whose_deadline_has_passed_stands_among_those_that_are_over(gateway: GatewayDoor) -> None:
    await known(gateway)
    await issued(gateway.doors.notifications)
    clock.set_now(moment("10:30"))
    browser = await gateway.browser(FU_XINGJIAN)

    assert "没有有效的通知" in words_of(await browser.get("/notices"))
    assert "手机24小时开机" in words_of(await browser.get("/notices?show=over"))


async def test_an_administrator_without_the_right_and_a_service_away_are_told_so(gateway: GatewayDoor) -> None:
    leader = await gateway.browser(FU_XINGJIAN)
    assert (await (await gateway.browser(ZHONG_YIFAN)).get("/notices")).status_code == 403

    gateway.down("dispatch")
    assert (await leader.get("/notices/new")).status_code == 200
    gateway.down("notifications")
    assert (await leader.get("/notices")).status_code == 503
    kept = await leader.post("/notices/new", data={"once": "n1", "step": "send", **TYPED})
    assert kept.status_code == 503
    assert 'value="手机24小时开机"' in kept.text
