"""The leader's number shows to the people of that shift, and to nobody else."""

from datetime import timedelta
from typing import Any

import pytest

from shared import clock
from shared.auth import Caller
from shared.events import AssignmentsChanged, AssignmentState, ContactsChanged, ContactState, ShiftsChanged, ShiftState
from tests.doors import Door
from tests.people import (
    ADMINISTRATOR,
    GU_CHANGTING,
    HEAD,
    HEALTH,
    JIANG_CAIWEI,
    LEADER,
    LIANG_YUAN,
    OTHER_HEAD,
    PAN_XIANGYE,
    STAFF,
    caller,
    client,
    id_of,
)
from tests.services.notified import moment, tell

SHIFT = str(id_of("shift"))


def shift(**changes: Any) -> ShiftState:
    said: dict[str, Any] = {"id": id_of("shift"), "operation_id": id_of("o"), "operation_name": "核酸检测", "site_id": id_of("s")}
    said |= {"site_name": "一号点", "starts_at": moment("08:00"), "ends_at": moment("12:00"), "state": "open", "version": 1}
    return ShiftState.model_validate(said | {"leader_id": GU_CHANGTING.id} | changes)


def on_it(state: str = "confirmed", version: int = 1) -> AssignmentsChanged:
    said: dict[str, Any] = {"id": id_of("a"), "shift_id": id_of("shift"), "person_id": LIANG_YUAN.id, "role": "扫码", "version": version}
    said |= {"starts_at": moment("08:00"), "ends_at": moment("12:00"), "state": state}
    return AssignmentsChanged(assignments=[AssignmentState.model_validate(said)])


async def prepare(notifications: Door, **changes: Any) -> None:
    await tell(notifications)
    await notifications.hears(ShiftsChanged(shifts=[shift(**changes)]))
    await notifications.hears(on_it())


async def test_the_people_of_a_shift_see_whom_to_call(notifications: Door) -> None:
    await prepare(notifications)

    answer = await notifications.get(f"/shifts/{SHIFT}/leader_number", STAFF)

    assert answer.status_code == 200, answer.text
    assert (answer.json()["name"], answer.json()["phone"]) == (GU_CHANGTING.name, f"+86{GU_CHANGTING.phone}")


@pytest.mark.parametrize("who", [LEADER, HEAD, OTHER_HEAD, HEALTH, ADMINISTRATOR, caller(PAN_XIANGYE), caller(JIANG_CAIWEI, "coordinator")])
async def test_nobody_else_sees_it(notifications: Door, who: Caller) -> None:
    await prepare(notifications)

    answer = await notifications.get(f"/shifts/{SHIFT}/leader_number", who)

    assert (answer.status_code, GU_CHANGTING.phone in answer.text) == (404, False)


async def test_no_system_is_given_a_number(notifications: Door) -> None:
    await prepare(notifications)

    assert (await notifications.get(f"/shifts/{SHIFT}/leader_number", client("x", "dispatch:read", "notices:write"))).status_code == 403


@pytest.mark.parametrize("state", ["declined", "released", "no_show"])
async def test_whoever_is_off_the_shift_sees_it_no_more(notifications: Door, state: str) -> None:
    await prepare(notifications)

    await notifications.hears(on_it(state, version=2))
    await notifications.hears(on_it("confirmed", version=1))  # what is older changes nothing

    assert (await notifications.get(f"/shifts/{SHIFT}/leader_number", STAFF)).status_code == 404


async def test_a_day_after_the_shift_it_is_gone(notifications: Door) -> None:
    await prepare(notifications)
    seen = []
    for hours in (23, 25):
        clock.set_now(moment("12:00") + timedelta(hours=hours))
        seen.append((await notifications.get(f"/shifts/{SHIFT}/leader_number", STAFF)).status_code)

    assert seen == [200, 404]


async def test_without_a_leader_or_a_number_it_is_said(notifications: Door) -> None:
    await prepare(notifications)
    await notifications.hears(ContactsChanged(contacts=[ContactState(person_id=GU_CHANGTING.id, phone=None, email=None, version=2)]))
    without_number = await notifications.get(f"/shifts/{SHIFT}/leader_number", STAFF)
    await notifications.hears(ShiftsChanged(shifts=[shift(leader_id=None, version=2)]))
    without_leader = await notifications.get(f"/shifts/{SHIFT}/leader_number", STAFF)

    assert (without_number.status_code, without_number.json()["phone"]) == (200, None)
    assert (without_leader.status_code, without_leader.json()["code"]) == (404, "nobody_to_call")
