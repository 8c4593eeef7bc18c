"""The board says who is where, what is missing, and what was counted."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import insert, select

from services.dispatch.tables import Assignment, KnownFitness, Shift
from shared import clock
from shared.auth import Caller
from shared.clock import now
from tests.doors import Door
from tests.people import COORDINATOR, GU_CHANGTING, JIANG_CAIWEI, LEADER, LIANG_YUAN, PAN_XIANGYE, STAFF, TANG_YINAN, client
from tests.people import caller as caller_of
from tests.services.deployment import is_fit, is_on, knows_everybody, planned, shifts_of


async def board_of(dispatch: Door, operation: dict[str, Any], query: str = "", caller: Caller = COORDINATOR) -> Any:
    answer = await dispatch.get(f"/operations/{operation['id']}/board{query}", caller)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_each_role_says_how_it_is_covered(dispatch: Door) -> None:
    await knows_everybody(dispatch)
    operation = await planned(dispatch)
    [shift, *_] = await shifts_of(dispatch, operation)
    await is_on(dispatch, shift, LIANG_YUAN, "checked_in", checked_in_at=shift.starts_at)
    await is_on(dispatch, shift, PAN_XIANGYE, "confirmed")
    await is_on(dispatch, shift, GU_CHANGTING, "proposed", role="秩序")
    await is_on(dispatch, shift, JIANG_CAIWEI, "no_show", role="秩序")
    await is_on(dispatch, shift, TANG_YINAN, "declined", role="秩序")
    clock.set_now(shift.starts_at + timedelta(minutes=10))

    board = await board_of(dispatch, operation)

    assert (board["on"], board["days"], [site["name"] for site in board["sites"]]) == ("2021-08-04", 1, ["东门采样点", "西门采样点"])
    assert [len(site["shifts"]) for site in board["sites"]] == [2, 2]
    first, second = board["sites"][0]["shifts"][0]["roles"]
    assert first == {
        "name": "登记",
        "head_count": 2,
        "proposed": 0,
        "confirmed": 1,
        "checked_in": 1,
        "checked_out": 0,
        "late": 1,
        "no_show": 0,
        "unfit_since": 0,
    }
    assert (second["proposed"], second["no_show"], second["late"]) == (1, 1, 0)
    here, later = board["sites"][0]["shifts"]
    assert [[one["name"] for one in here[which]] for which in ("late_people", "no_show_people")] == [["潘向野"], ["江采薇"]]
    assert (later["late_people"], later["no_show_people"]) == ([], [])
    assert (board["totals"]["head_count"], board["totals"]["checked_in"], board["totals"]["shift_count"]) == (12, 1, 4)


async def test_whoever_is_not_fit_any_more_is_shown(dispatch: Door) -> None:
    await knows_everybody(dispatch)
    operation = await planned(dispatch, requirement="testing_point")
    [shift, *_] = await shifts_of(dispatch, operation)
    await is_fit(dispatch, LIANG_YUAN)
    await is_fit(dispatch, PAN_XIANGYE, until=shift.ends_at - timedelta(hours=1))
    await is_fit(dispatch, JIANG_CAIWEI, rule="flood_rescue")
    await is_on(dispatch, shift, LIANG_YUAN)
    await is_on(dispatch, shift, PAN_XIANGYE)
    await is_on(dispatch, shift, JIANG_CAIWEI, role="秩序")
    await is_on(dispatch, shift, GU_CHANGTING, role="秩序", override_reason="自愿")

    board = await board_of(dispatch, operation)

    assert [role["unfit_since"] for role in board["sites"][0]["shifts"][0]["roles"]] == [1, 1]
    assert board["totals"]["unfit_since"] == 2
    for caller in (caller_of(GU_CHANGTING, "duty_officer"), client("board", "dispatch:read")):  # who may not ask who is fit
        assert (await board_of(dispatch, operation, caller=caller))["totals"] == board["totals"] | {"unfit_since": None}


async def test_where_nothing_is_asked_nobody_is_unfit(dispatch: Door) -> None:
    await knows_everybody(dispatch)
    operation = await planned(dispatch, requirement="none")
    [shift, *_] = await shifts_of(dispatch, operation)
    await is_on(dispatch, shift, LIANG_YUAN)

    assert operation["requirement"] is None
    assert (await board_of(dispatch, operation))["totals"]["unfit_since"] == 0


async def test_open_places_and_samples_stand_beside_the_shifts(dispatch: Door) -> None:
    await knows_everybody(dispatch)
    operation = await planned(dispatch)
    [shift, *_] = [one for one in await shifts_of(dispatch, operation) if one.starts_at > now() + timedelta(days=1)]
    await is_on(dispatch, shift, LIANG_YUAN)
    await is_on(dispatch, shift, PAN_XIANGYE)
    late = {"starts_at": shift.starts_at.isoformat(), "ends_at": (shift.ends_at - timedelta(hours=1)).isoformat(), "version": 2}
    assert (await dispatch.patch(f"/shifts/{shift.id}", late, COORDINATOR)).status_code == 200
    site = operation["sites"][0]["id"]
    clock.set_now(datetime(2021, 8, 5, 2, 30, tzinfo=UTC))
    for hour, samples in ((8, 120), (9, 200), (9, 210)):
        await dispatch.put(f"/sites/{site}/counts", {"on": "2021-08-05", "hour": hour, "samples": samples}, COORDINATOR)

    board = await board_of(dispatch, operation)

    assert board["on"] == "2021-08-05"
    assert board["sites"][0]["counts"] == [
        {"on": "2021-08-05", "hour": 8, "samples": 120},
        {"on": "2021-08-05", "hour": 9, "samples": 210},
    ]
    assert (board["sites"][0]["samples"], board["totals"]["samples"]) == (330, 330)


async def test_cancelled_shifts_are_shown_and_not_counted(dispatch: Door) -> None:
    await knows_everybody(dispatch)
    operation = await planned(dispatch)
    [shift, *_] = await shifts_of(dispatch, operation)
    await dispatch.post(f"/shifts/{shift.id}/cancellation", {"reason": "雷雨"}, COORDINATOR)

    board = await board_of(dispatch, operation)

    assert board["sites"][0]["shifts"][0]["state"] == "cancelled"
    assert (board["totals"]["shift_count"], board["totals"]["head_count"]) == (3, 9)


async def test_the_board_of_another_day_or_of_all_days(dispatch: Door) -> None:
    await knows_everybody(dispatch)
    operation = await planned(dispatch)

    assert (await board_of(dispatch, operation, "?on=2021-08-07"))["totals"]["shift_count"] == 0
    assert (await board_of(dispatch, operation, "?on=2021-08-04&days=3"))["totals"]["shift_count"] == 12


async def test_the_board_is_not_for_everybody(dispatch: Door) -> None:
    await knows_everybody(dispatch)
    operation = await planned(dispatch)

    assert (await dispatch.get(f"/operations/{operation['id']}/board", STAFF)).status_code == 403
    assert (await dispatch.get(f"/operations/{operation['id']}/board", LEADER)).status_code == 200
    assert (await dispatch.get(f"/operations/{uuid4()}/board", LEADER)).status_code == 404


async def test_fifty_sites_and_seven_days_are_there_in_a_moment(dispatch: Door) -> None:
    await knows_everybody(dispatch)
    sites = [{"name": f"第{n}点"} for n in range(50)]
    operation = await planned(dispatch, sites=sites, until_on="2021-08-10", requirement="testing_point")
    async with dispatch.rows() as tx:
        shifts = list(await tx.scalars(select(Shift)))
        people = [uuid4() for _ in range(2100)]
        fit = {"rule": "testing_point", "fit_from": now() - timedelta(days=1), "fit_until": None, "version": 1, "heard_at": now()}
        await tx.execute(insert(KnownFitness), [{"person_id": one, **fit} for one in people])
        rows = []
        for number, shift in enumerate(shifts):
            times = {"starts_at": shift.starts_at, "ends_at": shift.ends_at, "asked_at": now(), "walk_on": False, "late": False}
            rows += [
                {"shift_id": shift.id, "person_id": people[number * 3 + n], "role": role, "state": "confirmed", "version": 1, **times}
                for n, role in enumerate(("登记", "登记", "秩序"))
            ]
        await tx.execute(insert(Assignment), rows)
    await board_of(dispatch, operation, "?on=2021-08-04&days=7")

    took = []
    for _ in range(3):
        began = time.perf_counter()
        board = await board_of(dispatch, operation, "?on=2021-08-04&days=7")
        took.append(time.perf_counter() - began)

    assert (board["totals"]["shift_count"], board["totals"]["confirmed"], board["totals"]["unfit_since"]) == (700, 2100, 0)
    assert len(dispatch.statements) <= 10
    assert min(took) < 1.0, took
