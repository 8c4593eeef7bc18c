"""Prying: what people learn of others by routes that they may ask for something else."""

from tests.doors import Door
from tests.people import (
    FANG_JIBAI,
    GU_CHANGTING,
    LIANG_YUAN,
    TODAY,
    caller,
)
from tests.services.deployment import is_on, knows_everybody, planned, shifts_of

PLANNER = caller(FANG_JIBAI, "duty_planner")
GATE_LEADER = caller(GU_CHANGTING)
GATES = [{"name": "东门", "leader_id": str(GU_CHANGTING.id)}, {"name": "西门"}]


async def test_who_may_free_people_for_a_duty_does_not_read_who_is_where(dispatch: Door) -> None:
    await knows_everybody(dispatch)
    operation = await planned(dispatch)
    shift = (await shifts_of(dispatch, operation))[0]
    await is_on(dispatch, shift, LIANG_YUAN)

    one = (await dispatch.get(f"/shifts/{shift.id}", PLANNER)).json()
    day = (await dispatch.get(f"/operations/{operation['id']}/days/{TODAY}", PLANNER)).json()

    assert one["assignments"] == []
    assert [row["assignments"] for site in day["sites"] for row in site["shifts"] if row["assignments"]] == []
