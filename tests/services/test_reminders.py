"""Deadlines fire by themselves, once, also after a standstill; then the head and who issued are told who is missing."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from services.notifications.tables import Alert, Reminder
from shared import clock
from shared.due import DueLoop
from shared.events import AlertsChanged, NoticesChanged
from shared.house import Due
from tests.doors import Door
from tests.people import (
    FANG_JIBAI,
    FU_XINGJIAN,
    GU_CHANGTING,
    HEAD,
    JIANG_CAIWEI,
    LEADER,
    LIANG_YUAN,
    NOW,
    OTHER_HEAD,
    SHEN_ZHIXING,
    STAFF,
    TEACHING,
    ZHONG_YIFAN,
    caller,
)
from tests.services.let_in import departments
from tests.services.notified import alerts_of, at, has_left, issued, item_of, moment, tell

OF_TEACHING = {"kind": "departments", "ids": [str(TEACHING.id)]}


async def reminded(notifications: Door) -> dict[str, int]:
    async with notifications.rows() as tx:
        return {one.kind: one.missing_count for one in await tx.scalars(select(Reminder).order_by(Reminder.reminded_at))}


async def test_those_missing_are_reminded_before_the_deadline_and_at_it(notifications: Door) -> None:
    await tell(notifications)
    notice = await issued(notifications)
    await notifications.post(f"/inbox/{notice['id']}/acknowledgement", None, LEADER)

    seen = {}
    for clock_time in ("09:29", "09:30", "09:59", "10:00", "10:01"):
        await at(notifications, clock_time)
        seen[clock_time] = await reminded(notifications)

    assert seen["09:29"] == {}
    assert seen["09:30"] == seen["09:59"] == {"before": 10}
    assert seen["10:00"] == seen["10:01"] == {"before": 10, "deadline": 10}
    assert (await item_of(notifications, LEADER, notice["id"]))["reminded_at"] is None
    assert (await item_of(notifications, STAFF, notice["id"]))["reminded_at"] is not None
    assert [one.state for one in await notifications.told(NoticesChanged)] == ["issued", "reminded", "reminded", "deadline"]


async def test_a_deadline_that_passed_while_nothing_ran_fires_once_and_the_reminder_before_is_missed(notifications: Door) -> None:
    await tell(notifications)
    await issued(notifications)

    await at(notifications, "11:00")
    for _ in range(3):
        await notifications.dues()

    assert await reminded(notifications) == {"deadline": 11}
    async with notifications.rows() as tx:
        assert await tx.scalar(select(func.count()).select_from(Due)) == 0


async def test_a_deadline_whose_row_comes_twice_still_fires_once(notifications: Door) -> None:
    await tell(notifications)
    notice = await issued(notifications)
    await at(notifications, "10:00")
    alerted = len(await notifications.told(AlertsChanged))

    await notifications.has(
        Due(kind="notice.deadline", key=notice["id"], due_at=moment("10:00"), payload={"notice_id": notice["id"], "kind": "before"})
    )
    await notifications.dues()

    assert await reminded(notifications) == {"deadline": 11}
    assert len(await notifications.told(AlertsChanged)) == alerted


async def test_two_replicas_fire_a_deadline_once(notifications: Door) -> None:
    await tell(notifications)
    await issued(notifications)
    clock.set_now(moment("10:00"))
    acts = {kind: act for one in notifications.slices for kind, act in one.dues.items()}

    loops = [DueLoop(notifications.database, acts) for _ in range(4)]
    for _ in range(3):
        await asyncio.gather(*(loop.round() for loop in loops))

    assert await reminded(notifications) == {"deadline": 11}


async def test_the_head_and_who_issued_are_told_who_is_missing(notifications: Door) -> None:
    await tell(notifications)
    notice = await issued(notifications, audience=OF_TEACHING)
    await notifications.post(f"/inbox/{notice['id']}/acknowledgement", None, STAFF)

    await at(notifications, "10:00")

    (to_head,) = await alerts_of(notifications, HEAD)
    (to_issuer,) = await alerts_of(notifications, LEADER)
    missing = {SHEN_ZHIXING.name, FANG_JIBAI.name, JIANG_CAIWEI.name}
    assert {one["name"] for one in to_head["missing"]} == missing
    assert (to_head["kind"], to_head["department"]["name"], to_head["missing_count"]) == ("missing", TEACHING.name, 3)
    assert (to_issuer["params"]["missing_count"], to_issuer["params"]["departments"][0]["name"]) == (3, TEACHING.name)
    assert await alerts_of(notifications, OTHER_HEAD) == []
    assert await alerts_of(notifications, STAFF) == []


async def test_who_answers_late_is_no_longer_counted_as_missing_in_the_alert(notifications: Door) -> None:
    await tell(notifications)
    notice = await issued(notifications, audience=OF_TEACHING)
    await at(notifications, "10:00")

    await notifications.post(f"/inbox/{notice['id']}/acknowledgement", None, STAFF)

    (alert,) = await alerts_of(notifications, HEAD)
    assert (alert["params"]["missing_count"], alert["missing_count"]) == (4, 3)
    assert LIANG_YUAN.name in {one["name"] for one in alert["missing"]}


async def test_where_the_head_left_the_reporter_and_the_deputy_are_told(notifications: Door) -> None:
    await tell(notifications)
    await issued(notifications, audience=OF_TEACHING)
    await has_left(notifications, SHEN_ZHIXING)

    await at(notifications, "10:00")

    for who in (FANG_JIBAI, JIANG_CAIWEI):
        (alert,) = await alerts_of(notifications, caller(who, "reporter", departments=(TEACHING,)))
        assert alert["params"]["instead_of"] == "reporter"
    assert await alerts_of(notifications, HEAD) == []


async def test_where_nobody_answers_for_a_department_the_step_passes_on_and_is_shown(notifications: Door) -> None:
    nobody = [one.model_copy(update={"head_id": None, "reporter_id": None, "deputy_id": None}) for one in departments()]
    await tell(notifications, departments=nobody)
    await issued(notifications, audience=OF_TEACHING)

    await at(notifications, "10:00")

    (alert,) = await alerts_of(notifications, LEADER)
    assert alert["params"]["unreached_count"] == 1
    assert alert["params"]["departments"] == [{"id": str(TEACHING.id), "name": TEACHING.name, "count": 4, "unreached": True}]


async def test_where_the_issuer_left_the_leaders_are_told(notifications: Door) -> None:
    await tell(notifications)
    await issued(notifications, caller(ZHONG_YIFAN, "coordinator"), audience=OF_TEACHING)
    await has_left(notifications, ZHONG_YIFAN)

    await at(notifications, "10:00")

    (alert,) = await alerts_of(notifications, LEADER)
    assert alert["params"]["instead_of"] == "issuer"


async def test_of_an_order_of_the_night_the_leaders_hear_too_since_the_officers_duty_may_be_over(notifications: Door) -> None:
    await tell(notifications)
    officer = caller(GU_CHANGTING, "duty_officer")
    await issued(notifications, officer, audience=OF_TEACHING)

    await at(notifications, "10:00")

    for who in (LEADER, caller(GU_CHANGTING)):
        (alert,) = await alerts_of(notifications, who)
        assert (alert["kind"], alert["params"]["instead_of"]) == ("missing", None)
    assert await alerts_of(notifications, caller(FU_XINGJIAN)) == []


async def test_when_all_have_answered_nobody_is_alerted(notifications: Door) -> None:
    await tell(notifications)
    notice = await issued(notifications, audience={"kind": "people", "ids": [str(LIANG_YUAN.id)]})
    await notifications.post(f"/inbox/{notice['id']}/acknowledgement", None, STAFF)

    await at(notifications, "10:00")

    async with notifications.rows() as tx:
        assert await tx.scalar(select(func.count()).select_from(Alert)) == 0


async def test_what_was_to_be_done_has_a_deadline_of_its_own(notifications: Door) -> None:
    await tell(notifications)
    notice = await issued(notifications, asks_done=True, done_deadline_at=moment("12:00").isoformat(), audience=OF_TEACHING)
    for who in (HEAD, STAFF, caller(FANG_JIBAI), caller(JIANG_CAIWEI)):
        await notifications.post(f"/inbox/{notice['id']}/acknowledgement", None, who)
    await notifications.post(f"/inbox/{notice['id']}/done", None, STAFF)

    await at(notifications, "10:00")
    at_ten = await alerts_of(notifications, HEAD)
    await at(notifications, "11:40")
    await at(notifications, "12:00")
    (at_noon,) = await alerts_of(notifications, HEAD)
    clock.set_now(moment("12:05"))
    await notifications.post(f"/inbox/{notice['id']}/done", None, HEAD)

    assert at_ten == []
    assert (at_noon["kind"], at_noon["missing_count"]) == ("not_done", 3)
    assert (await item_of(notifications, HEAD, notice["id"]))["done_late"] is True
    assert await reminded(notifications) == {"deadline": 0, "done_before": 3, "done_deadline": 3}


async def test_a_withdrawn_notice_reminds_nobody(notifications: Door) -> None:
    await tell(notifications)
    notice = await issued(notifications, asks_done=True, done_deadline_at=moment("12:00").isoformat())
    await notifications.post(f"/notices/{notice['id']}/withdrawal", {"reason": "x"}, LEADER)

    await at(notifications, "13:00")

    assert await reminded(notifications) == {}
    async with notifications.rows() as tx:
        assert await tx.scalar(select(func.count()).select_from(Due)) == 0


@pytest.mark.parametrize(("minutes", "clock_time"), [(60, "08:10"), (20, "07:50"), (240, "11:10")])
async def test_a_near_deadline_is_reminded_of_half_way(notifications: Door, minutes: int, clock_time: str) -> None:
    await tell(notifications)
    await issued(notifications, deadline_at=(NOW + timedelta(minutes=minutes)).isoformat())

    async with notifications.rows() as tx:
        due: Any = await tx.scalar(select(Due.due_at).where(Due.kind == "notice.reminder"))
    assert abs((due - moment(clock_time)).total_seconds()) < 5
