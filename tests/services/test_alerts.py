"""Alerts go to those who can see to them, name the best first, and close when it was seen to, in whatever order events come."""

from dataclasses import replace
from typing import Any

import pytest

from shared.auth import Caller
from shared.events import (
    AlertsChanged,
    Event,
    GapFilled,
    GapOpened,
    HoldersChanged,
    HolderState,
    PlaceClosed,
    PlaceFilled,
    PlaceOpened,
    ShiftCancelled,
    ShiftMoved,
)
from tests.doors import Door
from tests.people import FANG_JIBAI, GU_CHANGTING, HEAD, JIANG_CAIWEI, LEADER, LIANG_YUAN, PAN_XIANGYE, STAFF, caller, id_of
from tests.services.notified import alerts_of, moment, tell

PLANNER, COORDINATOR = caller(FANG_JIBAI, "duty_planner"), caller(JIANG_CAIWEI, "coordinator")
TIMES = {"starts_at": moment("08:00"), "ends_at": moment("12:00")}
GAP = GapOpened(
    gap_id=id_of("gap"),
    post_name="带班领导",
    person_id=LIANG_YUAN.id,
    because="left",
    candidate_ids=[PAN_XIANGYE.id, GU_CHANGTING.id],
    **TIMES,
)
PLACE = PlaceOpened(
    assignment_id=id_of("assignment"),
    shift_id=id_of("shift"),
    operation_name="核酸检测",
    site_name="一号点",
    role="扫码",
    person_id=LIANG_YUAN.id,
    because="declined",
    candidate_ids=[GU_CHANGTING.id],
    **TIMES,
)
GAP_FILLED = GapFilled(gap_id=GAP.gap_id, person_id=PAN_XIANGYE.id)
PLACE_FILLED = PlaceFilled(assignment_id=PLACE.assignment_id, shift_id=PLACE.shift_id, person_id=GU_CHANGTING.id)
MOVED = ShiftMoved(
    shift_id=id_of("shift"),
    operation_name="核酸检测",
    site_name="一号点",
    person_ids=[LIANG_YUAN.id, GU_CHANGTING.id],
    old_starts_at=moment("08:00"),
    old_ends_at=moment("12:00"),
    starts_at=moment("09:00"),
    ends_at=moment("13:00"),
    reason="雷雨",
)
CANCELLED = ShiftCancelled(
    shift_id=MOVED.shift_id,
    operation_name=MOVED.operation_name,
    site_name=MOVED.site_name,
    person_ids=MOVED.person_ids,
    reason="台风",
    **TIMES,
)


async def test_a_gap_goes_to_the_duty_planners_with_the_best_replacements_first(notifications: Door) -> None:
    await tell(notifications)

    await notifications.hears(GAP)

    (alert,) = await alerts_of(notifications, PLANNER)
    assert (alert["kind"], alert["person"]["name"]) == ("gap", LIANG_YUAN.name)
    assert [one["name"] for one in alert["candidates"]] == [PAN_XIANGYE.name, GU_CHANGTING.name]
    assert alert["params"] == {
        "gap_id": str(GAP.gap_id),
        "post_name": "带班领导",
        "because": "left",
        "instead_of": None,
        "starts_at": "2021-08-04T08:00:00+08:00",
        "ends_at": "2021-08-04T12:00:00+08:00",
    }
    assert [one.person_ids for one in await notifications.told(AlertsChanged)] == [[FANG_JIBAI.id]]
    for other in (COORDINATOR, LEADER, STAFF):
        assert await alerts_of(notifications, other) == []


async def test_a_place_goes_to_the_coordinators(notifications: Door) -> None:
    await tell(notifications)

    await notifications.hears(PLACE)

    (alert,) = await alerts_of(notifications, COORDINATOR)
    assert (alert["kind"], alert["params"]["role"], [one["name"] for one in alert["candidates"]]) == ("place", "扫码", [GU_CHANGTING.name])
    assert alert["params"]["shift_id"] == str(PLACE.shift_id)


async def test_where_nobody_plans_the_leaders_are_told_instead(notifications: Door) -> None:
    await tell(notifications)
    await notifications.hears(HoldersChanged(holders=[HolderState(person_id=FANG_JIBAI.id, roles=[], version=2)]))

    await notifications.hears(GAP)

    (alert,) = await alerts_of(notifications, LEADER)
    assert alert["params"]["instead_of"] == "duty_planner"
    assert await alerts_of(notifications, PLANNER) == []


@pytest.mark.parametrize(("opens", "held"), [(GAP, PLANNER), (PLACE, COORDINATOR)], ids=["planner", "coordinator"])
async def test_whoever_holds_the_role_no_more_reads_of_nobody_any_more(notifications: Door, opens: Event, held: Caller) -> None:
    await tell(notifications)
    await notifications.hears(opens)
    former = replace(held, roles=frozenset({"everyone"}))

    assert len(await alerts_of(notifications, held)) == 1
    for still_open in (True, False):
        assert await alerts_of(notifications, former, open=still_open) == []


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize(("opens", "fills", "who"), [(GAP, GAP_FILLED, PLANNER), (PLACE, PLACE_FILLED, COORDINATOR)])
async def test_what_was_filled_is_closed_in_whatever_order_it_is_heard(
    notifications: Door, opens: Event, fills: Event, who: Any, order: tuple[int, int]
) -> None:
    await tell(notifications)

    for which in order:
        await notifications.hears((opens, fills)[which])

    assert await alerts_of(notifications, who) == []
    (closed,) = await alerts_of(notifications, who, open=False)
    assert closed["closed_at"] is not None
    assert closed["closed_by"]["name"] in (PAN_XIANGYE.name, GU_CHANGTING.name)
    assert closed["candidates"]


async def test_everyone_on_a_shift_that_moved_is_told_old_and_new_times(notifications: Door) -> None:
    await tell(notifications)

    await notifications.hears(MOVED)

    for who in (STAFF, caller(GU_CHANGTING)):
        (moved,) = await alerts_of(notifications, who)
        assert (moved["kind"], moved["params"]["reason"]) == ("shift_moved", "雷雨")
        assert moved["params"]["old_starts_at"] == "2021-08-04T08:00:00+08:00"
        assert moved["params"]["starts_at"] == "2021-08-04T09:00:00+08:00"
    assert await alerts_of(notifications, HEAD) == []


async def test_everyone_on_a_shift_that_was_cancelled_is_told_why(notifications: Door) -> None:
    await tell(notifications)

    await notifications.hears(CANCELLED)

    for who in (STAFF, caller(GU_CHANGTING)):
        (told,) = await alerts_of(notifications, who)
        assert (told["kind"], told["params"]["reason"]) == ("shift_cancelled", "台风")
    assert await alerts_of(notifications, HEAD) == []


async def test_what_one_has_seen_is_seen_by_oneself_alone(notifications: Door) -> None:
    await tell(notifications)
    await notifications.hears(MOVED)
    (mine,) = await alerts_of(notifications, STAFF)

    codes = [(await notifications.post(f"/alerts/{mine['id']}/seen", None, STAFF)).status_code for _ in range(2)]
    foreign = await notifications.post(f"/alerts/{mine['id']}/seen", None, HEAD)

    assert (codes, foreign.status_code) == ([204, 204], 404)
    assert await alerts_of(notifications, STAFF) == []
    assert len(await alerts_of(notifications, STAFF, open=False)) == 1
    assert len(await alerts_of(notifications, caller(GU_CHANGTING))) == 1


async def test_a_gap_that_was_seen_stays_until_it_is_filled(notifications: Door) -> None:
    await tell(notifications)
    await notifications.hears(GAP)
    (gap,) = await alerts_of(notifications, PLANNER)

    await notifications.post(f"/alerts/{gap['id']}/seen", None, PLANNER)

    assert [one["seen_at"] is not None for one in await alerts_of(notifications, PLANNER)] == [True]


async def test_the_same_event_again_alerts_nobody_twice(notifications: Door) -> None:
    await tell(notifications)

    await notifications.hears(PLACE, id_of("event"))
    await notifications.hears(PLACE, id_of("event"))
    await notifications.hears(PLACE)

    assert len(await alerts_of(notifications, COORDINATOR)) == 1


async def test_a_place_that_nobody_is_needed_for_any_more_waits_no_longer(notifications: Door) -> None:
    await tell(notifications)
    await notifications.hears(PLACE)

    await notifications.hears(PlaceClosed(assignment_id=PLACE.assignment_id, shift_id=PLACE.shift_id))

    assert await alerts_of(notifications, COORDINATOR) == []
    (seen,) = await alerts_of(notifications, COORDINATOR, open=False)
    assert (seen["closed_at"] is not None, seen["closed_by"]) == (True, None)
