"""The inbox: opened without an answer, read in one tap, done as a second fact, late shown as late; alerts with the way to solve them."""

import asyncio
from typing import Any
from uuid import uuid4

from gateway.live import CROWD_SECONDS, Hints, topics_of
from gateway.unread import Unread
from services.identity.tables import Role
from shared import clock
from shared.events import AcknowledgementsChanged, AlertsChanged, GapOpened, NoticesChanged, ShiftCancelled, ShiftMoved
from tests.gateway.door import GatewayDoor, partial, words_of
from tests.gateway.test_live import heard_by, looks_on
from tests.people import (
    FANG_JIBAI,
    FU_XINGJIAN,
    HEAD,
    JIANG_CAIWEI,
    LIANG_YUAN,
    SHEN_ZHIXING,
    STAFF,
    ZHONG_YIFAN,
    Person,
)
from tests.services.notified import at, issued, item_of, moment, progress, tell
from tests.services.test_alerts import PLACE, PLACE_FILLED


async def test_an_empty_inbox_says_what_arrives_there(gateway: GatewayDoor) -> None:
    shown = await (await gateway.browser(LIANG_YUAN)).get("/inbox")

    assert "没有要回复的通知" in words_of(shown)
    assert "还没有通知" in words_of(shown)


async def test_a_look_opens_nothing_until_the_page_says_so(gateway: GatewayDoor) -> None:
    notifications = gateway.doors.notifications
    await tell(notifications)
    notice = await issued(notifications)
    browser = await gateway.browser(LIANG_YUAN)

    shown = await browser.get(f"/inbox/{notice['id']}")
    assert 'hx-trigger="load"' in shown.text
    assert (await item_of(notifications, STAFF, notice["id"]))["opened_at"] is None

    opened = await browser.post(f"/inbox/{notice['id']}/opening", data={"once": "o1"}, headers=partial("item"))
    assert opened.status_code == 303
    assert (await item_of(notifications, STAFF, notice["id"]))["opened_at"] is not None
    assert (await item_of(notifications, STAFF, notice["id"]))["read_at"] is None
    block = await browser.get(opened.headers["location"], headers=partial("item"))
    assert "<html" not in block.text
    assert 'hx-trigger="load"' not in block.text


async def test_read_is_one_tap_and_done_is_a_second_fact(gateway: GatewayDoor) -> None:
    notifications = gateway.doors.notifications
    await tell(notifications)
    notice = await issued(notifications, asks_done=True)
    browser = await gateway.browser(LIANG_YUAN)
    assert "1 条通知等着回复" in words_of(await browser.get("/inbox"))

    read = await browser.post(f"/inbox/{notice['id']}/acknowledgement", data={"once": "a1", "back": "list"})

    assert read.headers["location"] == "/inbox?done=notice_read"
    assert await progress(notifications, notice["id"]) == {"told": 11, "opened": 1, "read": 1, "missing": 10, "not_done": 11}
    assert f'action="/inbox/{notice["id"]}/done"' in (await browser.get("/inbox")).text
    await browser.post(f"/inbox/{notice['id']}/done", data={"once": "d1"})
    assert "没有要回复的通知" in words_of(await browser.get("/inbox"))
    assert (await item_of(notifications, STAFF, notice["id"]))["done_at"] is not None


async def test_an_answer_after_the_deadline_is_shown_as_late(gateway: GatewayDoor) -> None:
    notifications = gateway.doors.notifications
    await tell(notifications)
    notice = await issued(notifications)
    clock.set_now(moment("10:05"))
    browser = await gateway.browser(LIANG_YUAN)
    assert "现在回复仍然算数，记为迟" in words_of(await browser.get(f"/inbox/{notice['id']}"))

    answered = await browser.post(f"/inbox/{notice['id']}/acknowledgement", data={"once": "a1"}, follow_redirects=True)

    assert "已过截止，记为迟回复" in words_of(answered)
    assert "迟回复" in words_of(await browser.get(f"/inbox/{notice['id']}"))
    assert "迟回复" in words_of(await browser.get("/inbox"))


async def test_a_withdrawn_notice_says_why_and_takes_no_answer(gateway: GatewayDoor) -> None:
    notifications = gateway.doors.notifications
    await tell(notifications)
    notice = await issued(notifications)
    leader, browser = await gateway.browser(FU_XINGJIAN), await gateway.browser(LIANG_YUAN)
    await leader.post(f"/notices/{notice['id']}/withdrawal", data={"once": "w1", "reason": "时间有误"})

    shown = await browser.get(f"/inbox/{notice['id']}")
    refused = await browser.post(f"/inbox/{notice['id']}/acknowledgement", data={"once": "a1"})

    assert "时间有误" in words_of(shown)
    assert "/acknowledgement" not in shown.text
    assert refused.status_code == 409


async def test_another_ones_notice_is_not_there(gateway: GatewayDoor) -> None:
    notifications = gateway.doors.notifications
    await tell(notifications)
    notice = await issued(notifications, audience={"kind": "people", "ids": [str(SHEN_ZHIXING.id)]})

    assert (await (await gateway.browser(LIANG_YUAN)).get(f"/inbox/{notice['id']}")).status_code == 404


async def holds(gateway: GatewayDoor, person: Person, role: str) -> None:
    """Whoever holds a role sees to what it sees to."""
    async with gateway.doors.identity.rows() as tx:
        tx.add(Role(person_id=person.id, role=role, state="given", asked_at=clock.now()))


async def test_alerts_lead_to_where_they_are_solved_and_can_be_seen(gateway: GatewayDoor) -> None:
    notifications = gateway.doors.notifications
    await tell(notifications)
    notice = await issued(notifications)
    times: dict[str, Any] = {"starts_at": moment("18:00"), "ends_at": moment("22:00")}
    gap: dict[str, Any] = {"gap_id": uuid4(), "post_name": "带班领导", "person_id": LIANG_YUAN.id, "because": "left", "candidate_ids": []}
    await notifications.hears(GapOpened(**gap, **times))
    mine: dict[str, Any] = {
        "shift_id": uuid4(),
        "operation_name": "全员检测",
        "site_name": "东门点",
        "person_ids": [LIANG_YUAN.id],
        **times,
    }
    await notifications.hears(ShiftMoved(**mine, old_starts_at=moment("08:00"), old_ends_at=moment("12:00"), reason="雷雨"))
    await at(notifications, "10:00")

    await holds(gateway, FANG_JIBAI, "duty_planner")
    head, planner, staff = [await gateway.browser(one) for one in (SHEN_ZHIXING, FANG_JIBAI, LIANG_YUAN)]

    assert f"/notices/{notice['id']}/people?state=missing" in (await head.get("/inbox")).text
    assert 'href="/gaps"' in (await planner.get("/inbox")).text
    assert "带班领导没有人值班" in words_of(await planner.get("/inbox"))
    shown = await staff.get("/inbox")
    assert "东门点的班次改时间了 全员检测 · 8 月 4 日 08:00–12:00 → 8 月 4 日 18:00–22:00 雷雨" in words_of(shown)
    action = shown.text.split('action="/inbox/alerts/', 1)[1].split('"', 1)[0]
    assert (await staff.post(f"/inbox/alerts/{action}", data={"once": "s1"})).status_code == 303
    assert "班次改时间了" not in words_of(await staff.get("/inbox"))


async def test_a_cancelled_shift_is_struck_out_with_the_reason(gateway: GatewayDoor) -> None:
    notifications = gateway.doors.notifications
    await tell(notifications)
    place: dict[str, Any] = {"shift_id": uuid4(), "operation_name": "全员检测", "site_name": "东门点", "person_ids": [LIANG_YUAN.id]}
    await notifications.hears(ShiftCancelled(**place, starts_at=moment("18:00"), ends_at=moment("22:00"), reason="台风将至"))

    shown = await (await gateway.browser(LIANG_YUAN)).get("/inbox")

    assert "东门点的班次取消了 全员检测 · 8 月 4 日 18:00–22:00 台风将至" in words_of(shown)


async def test_the_badge_counts_what_waits_and_is_asked_for_again_after_an_answer(gateway: GatewayDoor) -> None:
    notifications = gateway.doors.notifications
    await tell(notifications)
    notice = await issued(notifications)
    browser = await gateway.browser(LIANG_YUAN)

    assert "1 条待处理" in words_of(await browser.get("/privacy"))
    await browser.post(f"/inbox/{notice['id']}/acknowledgement", data={"once": "a1"})
    assert "条待处理" not in words_of(await browser.get("/privacy"))
    assert (await browser.get("/inbox/unread", headers=partial("unread"))).text.startswith("<span")


async def test_a_place_that_somebody_fell_out_of_stands_in_the_badge_of_every_page(gateway: GatewayDoor) -> None:
    notifications = gateway.doors.notifications
    await tell(notifications)
    await holds(gateway, JIANG_CAIWEI, "coordinator")
    browser = await gateway.browser(JIANG_CAIWEI)
    await notifications.hears(PLACE)

    shown = words_of(await browser.get("/privacy"))
    await notifications.hears(PLACE_FILLED)
    await browser.get("/inbox")

    assert "1 条待处理" in shown
    assert "条待处理" not in words_of(await browser.get("/privacy"))


async def test_a_service_that_is_away_takes_the_block_and_the_badge_but_no_page(gateway: GatewayDoor) -> None:
    gateway.down("notifications")
    browser = await gateway.browser(LIANG_YUAN)

    shown = await browser.get("/inbox")

    assert shown.status_code == 200
    assert "暂时连不上" in words_of(shown)
    assert (await browser.get("/privacy")).status_code == 200


async def test_the_number_is_kept_for_half_a_minute(gateway: GatewayDoor) -> None:
    unread = Unread()
    gateway.down("notifications")

    assert await unread.of(str(LIANG_YUAN.id)) == 0
    unread.kept[str(LIANG_YUAN.id)] = (unread.kept[str(LIANG_YUAN.id)][0], 7)
    assert await unread.of(str(LIANG_YUAN.id)) == 7
    unread.forget([str(LIANG_YUAN.id)])
    assert await unread.of(str(LIANG_YUAN.id)) == 0


async def test_somebody_without_a_person_has_an_empty_inbox(gateway: GatewayDoor) -> None:
    assert (await (await gateway.browser(ZHONG_YIFAN)).get("/inbox")).status_code == 200


async def test_answers_are_told_to_who_follows_the_notice_and_to_the_one_who_gave_them(gateway: GatewayDoor) -> None:
    notice_id, mine = str(uuid4()), str(LIANG_YUAN.id)
    told = topics_of(AcknowledgementsChanged.subject, {"notice_id": notice_id, "person_ids": [mine]})
    told |= topics_of(AlertsChanged.subject, {"person_ids": [mine]})
    wanted = frozenset({f"notice:{notice_id}", f"inbox:{mine}", f"alerts:{mine}", "notices"})
    for who, hears in ((STAFF, {f"inbox:{mine}", f"alerts:{mine}"}), (HEAD, {f"notice:{notice_id}"})):
        hints = Hints(gateway.app.state.sessions)
        stream = hints.stream(wanted, looks_on(who))
        await anext(stream)
        hints.tell(told)
        assert set(heard_by(hints)) == hears
        hints.tell(topics_of(NoticesChanged.subject, {"notice_id": notice_id, "state": "issued"}))
        assert "notices" in heard_by(hints)


async def test_a_thousand_answers_in_a_second_are_one_hint(gateway: GatewayDoor) -> None:
    notice_id = str(uuid4())
    hints = Hints(gateway.app.state.sessions)
    stream = hints.stream(frozenset({f"notice:{notice_id}"}), looks_on(HEAD))
    await anext(stream)
    for _ in range(1000):
        hints.tell_soon(topics_of(AcknowledgementsChanged.subject, {"notice_id": notice_id, "person_ids": [str(uuid4())]}))
    assert heard_by(hints) == []

    await asyncio.sleep(CROWD_SECONDS + 0.2)

    assert heard_by(hints) == [f"notice:{notice_id}"]


async def test_what_changes_again_and_again_is_told_at_once_and_once_more_at_the_end(gateway: GatewayDoor) -> None:
    told = topics_of(NoticesChanged.subject, {"notice_id": str(uuid4()), "state": "issued"})
    hints = Hints(gateway.app.state.sessions)
    stream = hints.stream(frozenset({"notices"}), looks_on(STAFF))
    await anext(stream)
    for _ in range(100):
        hints.tell_once(told)
    assert heard_by(hints) == ["notices"]

    await asyncio.sleep(CROWD_SECONDS + 0.2)

    assert heard_by(hints) == ["notices"]
