"""Fillings: a day filled from a team, shown first, then the same plan carried out."""

from typing import Any
from uuid import uuid4

from shared.events import AssignmentsChanged
from tests.doors import Door
from tests.people import COORDINATOR, GU_CHANGTING, JIANG_CAIWEI, LIANG_YUAN, PAN_XIANGYE, STAFF, TANG_YINAN
from tests.services.deployment import is_fit, is_on, knows_everybody, planned, shifts_of
from tests.services.test_candidates import team


async def fills(dispatch: Door, team_id: str, **more: Any) -> Any:
    return await dispatch.post("/assignments/filling", {"team_id": team_id, "preview": True} | more, COORDINATOR)


def who(plan: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [
        (shift["starts_at"], role["name"], one["person"]["name"])
        for shift in plan["shifts"]
        for role in shift["roles"]
        for one in role["people"]
    ]


async def day(dispatch: Door, **changes: Any) -> dict[str, Any]:
    await knows_everybody(dispatch)
    return await planned(dispatch, **({"sites": [{"name": "东门"}]} | changes))


async def test_what_was_shown_is_what_is_done(dispatch: Door) -> None:
    operation = await day(dispatch)
    members = (LIANG_YUAN, GU_CHANGTING, PAN_XIANGYE, JIANG_CAIWEI)
    team_id = await team(dispatch, *members)
    which = {"operation_id": operation["id"], "on": "2021-08-05"}

    shown = (await fills(dispatch, team_id, **which)).json()
    nothing = await dispatch.told(AssignmentsChanged)
    done = await fills(dispatch, team_id, **which, preview=False, plan=shown["plan"])

    assert (shown["done"], nothing) == (False, [])
    assert done.status_code == 200, done.text
    assert who(done.json()) == who(shown)
    assert (shown["asked_count"], shown["missing_count"]) == (6, 0)
    [told] = await dispatch.told(AssignmentsChanged)
    assert {one.state for one in told.assignments} == {"proposed"}
    again = (await fills(dispatch, team_id, **which)).json()
    assert (again["asked_count"], again["missing_count"]) == (0, 0)


async def test_a_plan_that_is_another_by_now_is_not_carried_out(dispatch: Door) -> None:
    operation = await day(dispatch)
    team_id = await team(dispatch, LIANG_YUAN, GU_CHANGTING)
    ids = {"operation_id": operation["id"], "on": "2021-08-05"}
    shown = (await fills(dispatch, team_id, **ids)).json()
    other = await planned(dispatch, name="同时", sites=[{"name": "西门"}], from_on="2021-08-05")
    await is_on(dispatch, (await shifts_of(dispatch, other))[0], LIANG_YUAN)

    answer = await fills(dispatch, team_id, **ids, preview=False, plan=shown["plan"])

    assert (answer.status_code, answer.json()["code"]) == (409, "plan_changed")
    assert answer.json()["params"]["current"]["plan"] != shown["plan"]
    assert await dispatch.told(AssignmentsChanged) == []


async def test_only_the_fit_are_picked_and_the_rest_of_the_team_says_why_not(dispatch: Door) -> None:
    operation = await day(dispatch, requirement="testing_point")
    team_id = await team(dispatch, LIANG_YUAN, GU_CHANGTING, TANG_YINAN)
    for person in (LIANG_YUAN, GU_CHANGTING):
        await is_fit(dispatch, person)

    shown = (await fills(dispatch, team_id, operation_id=operation["id"], on="2021-08-05")).json()

    assert {name for *_, name in who(shown)} == {"梁予安", "顾长亭"}
    assert [(one["person"]["name"], one["code"], one["params"]) for one in shown["left_out"]] == [
        ("唐以南", "not_fit", {"rule": "testing_point"})
    ]
    assert shown["asked_count"] + shown["missing_count"] == 6


async def test_work_is_spread_over_the_team(dispatch: Door) -> None:
    operation = await day(
        dispatch, pattern={"times": [["08:00", "12:00"], ["12:00", "16:00"]], "roles": [{"name": "登记", "head_count": 1}]}
    )
    team_id = await team(dispatch, LIANG_YUAN, GU_CHANGTING)

    shown = (await fills(dispatch, team_id, operation_id=operation["id"], on="2021-08-05")).json()

    assert {name for *_, name in who(shown)} == {"梁予安", "顾长亭"}


async def test_there_must_be_a_team_and_shifts_to_come(dispatch: Door) -> None:
    operation = await day(dispatch)
    team_id = await team(dispatch, LIANG_YUAN)

    unknown = await fills(dispatch, str(uuid4()), operation_id=operation["id"], on="2021-08-05")
    no_day = await fills(dispatch, team_id, operation_id=operation["id"], on="2021-08-20")
    neither = await fills(dispatch, team_id)
    not_his = await dispatch.post("/assignments/filling", {"team_id": team_id, "shift_ids": [str(uuid4())]}, STAFF)

    assert [one.status_code for one in (unknown, no_day, neither, not_his)] == [422, 422, 422, 403]


async def test_the_statements_do_not_grow_with_the_shifts_and_the_team(dispatch: Door) -> None:
    counts = []
    for sites in (1, 5):
        operation = await day(dispatch, name=f"行动{sites}", sites=[{"name": f"{number}"} for number in range(sites)])
        team_id = await team(dispatch, *(LIANG_YUAN, GU_CHANGTING, PAN_XIANGYE, JIANG_CAIWEI, TANG_YINAN)[:sites])
        date = f"2021-08-0{4 + (sites == 5)}"
        answer = await fills(dispatch, team_id, operation_id=operation["id"], on=date, preview=False)
        assert answer.status_code == 200, answer.text
        assert answer.json()["asked_count"] > 0
        counts.append(len(dispatch.statements))

    assert counts[0] == counts[1]


async def test_who_declined_a_shift_is_not_asked_for_it_again(dispatch: Door) -> None:
    operation = await day(dispatch)
    morning, afternoon = (await shifts_of(dispatch, operation))[2:4]
    team_id = await team(dispatch, LIANG_YUAN)
    await is_on(dispatch, morning, LIANG_YUAN, "declined")

    both = (await fills(dispatch, team_id, operation_id=operation["id"], on="2021-08-05")).json()
    that = (await fills(dispatch, team_id, shift_ids=[str(morning.id)])).json()

    assert [at for at, *_ in who(both)] == [afternoon.starts_at.isoformat().replace("+00:00", "Z")]
    assert [(one["code"], one["params"]) for one in that["left_out"]] == [("declined", {})]
