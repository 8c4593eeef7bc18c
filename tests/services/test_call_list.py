"""Whom to call: numbers of those who answer for something, for whoever is on duty as officer, and for nobody else."""

import pytest

from shared.auth import Caller
from shared.events import ContactsChanged, ContactState, HoldersChanged, HolderState
from tests.doors import Door
from tests.people import (
    ADMINISTRATOR,
    COORDINATOR,
    DUTY_PLANNER,
    FANG_JIBAI,
    GU_CHANGTING,
    HE_RUONING,
    HEAD,
    HEALTH,
    JIANG_CAIWEI,
    LEADER,
    LIANG_YUAN,
    SHEN_ZHIXING,
    STAFF,
    TEACHING,
    caller,
    client,
)
from tests.services.notified import tell

OFFICER = caller(GU_CHANGTING, "duty_officer")


async def test_the_officer_reads_whom_to_call_and_for_what(notifications: Door) -> None:
    await tell(notifications)

    items = (await notifications.get("/call_list", OFFICER)).json()["items"]

    called = {one["person"]["name"]: (one["heads"], one["roles"], one["phone"]) for one in items}
    assert called[SHEN_ZHIXING.name] == ([TEACHING.name], [], f"+86{SHEN_ZHIXING.phone}")
    assert called[FANG_JIBAI.name] == ([], ["duty_planner"], f"+86{FANG_JIBAI.phone}")
    assert called[JIANG_CAIWEI.name][1] == ["coordinator"]
    assert LIANG_YUAN.name not in called  # who answers for nothing is not called at night
    assert len(notifications.statements) <= 10


async def test_whoever_holds_nothing_any_more_is_not_on_it_and_no_number_is_said_to_be_none(notifications: Door) -> None:
    await tell(notifications)
    await notifications.hears(HoldersChanged(holders=[HolderState(person_id=FANG_JIBAI.id, roles=["health"], version=2)]))
    await notifications.hears(ContactsChanged(contacts=[ContactState(person_id=JIANG_CAIWEI.id, phone=None, email=None, version=2)]))

    items = (await notifications.get("/call_list", LEADER)).json()["items"]

    called = {one["person"]["name"]: one["phone"] for one in items}
    assert FANG_JIBAI.name not in called
    assert HE_RUONING.name not in called
    assert called[JIANG_CAIWEI.name] is None


@pytest.mark.parametrize(
    "who", [STAFF, HEAD, HEALTH, ADMINISTRATOR, COORDINATOR, DUTY_PLANNER, client("x", "notices:write", "people:write", "duty:write")]
)
async def test_nobody_else_reads_it(notifications: Door, who: Caller) -> None:
    await tell(notifications)

    assert (await notifications.get("/call_list", who)).status_code == 403
