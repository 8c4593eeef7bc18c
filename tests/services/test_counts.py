"""Samples are counted by site and hour; a correction is added, nothing is overwritten."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from services.dispatch.tables import SampleCount
from shared import clock
from shared.auth import Caller
from shared.events import CountsChanged
from tests.doors import Door, errors_of
from tests.people import COORDINATOR, GU_CHANGTING, STAFF, TANG_YINAN, caller
from tests.services.deployment import knows_everybody, planned, shifts_of

TEN = datetime(2021, 8, 4, 2, 20, tzinfo=UTC)
TANG = caller(TANG_YINAN)


async def led(dispatch: Door) -> tuple[dict[str, Any], str]:
    """An operation whose first site somebody leads; it is twenty past ten."""
    await knows_everybody(dispatch)
    sites = [{"name": "东门", "leader_id": str(TANG_YINAN.id)}, {"name": "西门"}]
    operation = await planned(dispatch, sites=sites)
    clock.set_now(TEN)
    return operation, operation["sites"][0]["id"]


async def counted(dispatch: Door, site: str, hour: int, samples: int, who: Caller = TANG) -> Any:
    answer = await dispatch.put(f"/sites/{site}/counts", {"on": "2021-08-04", "hour": hour, "samples": samples}, who)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_whoever_leads_the_site_counts_by_the_hour(dispatch: Door) -> None:
    operation, site = await led(dispatch)

    await counted(dispatch, site, 8, 120)
    found = await counted(dispatch, site, 9, 200)

    assert (found["samples"], [(one["hour"], one["samples"], one["corrected"]) for one in found["hours"]]) == (
        320,
        [(8, 120, False), (9, 200, False)],
    )
    assert {str(one.operation_id) for one in await dispatch.told(CountsChanged)} == {operation["id"]}


async def test_a_correction_is_added_and_what_stood_there_stays_readable(dispatch: Door) -> None:
    _, site = await led(dispatch)
    await counted(dispatch, site, 9, 200)

    found = await counted(dispatch, site, 9, 210, COORDINATOR)

    assert [(one["samples"], one["corrected"], one["entered_by"]) for one in found["hours"]] == [(210, True, COORDINATOR.name)]
    async with dispatch.rows() as tx:
        rows = list(await tx.scalars(select(SampleCount).order_by(SampleCount.entered_at)))
    assert [(row.samples, row.superseded, row.entered_by_name) for row in rows] == [
        (200, True, TANG_YINAN.name),
        (210, False, COORDINATOR.name),
    ]


async def test_the_same_number_again_changes_nothing(dispatch: Door) -> None:
    _, site = await led(dispatch)
    await counted(dispatch, site, 9, 200)

    found = await counted(dispatch, site, 9, 200)

    assert [one["corrected"] for one in found["hours"]] == [False]
    assert len(await dispatch.told(CountsChanged)) == 1


@pytest.mark.parametrize(
    ("on", "hour", "field", "code"),
    [
        ("2021-08-04", 11, "hour", "in_future"),
        ("2021-08-05", 9, "hour", "in_future"),
        ("2021-08-03", 9, "on", "outside_operation"),
        ("2021-08-04", 24, "hour", "too_big"),
    ],
)
async def test_an_hour_that_cannot_have_been_is_refused(dispatch: Door, on: str, hour: int, field: str, code: str) -> None:
    _, site = await led(dispatch)

    answer = await dispatch.put(f"/sites/{site}/counts", {"on": on, "hour": hour, "samples": 1}, TANG)

    assert answer.status_code == 422
    assert [one[:2] for one in errors_of(answer)] == [(field, code)]


async def test_the_leader_of_a_shift_counts_at_its_site_and_nowhere_else(dispatch: Door) -> None:
    operation, site = await led(dispatch)
    [shift, *_] = await shifts_of(dispatch, operation)
    await dispatch.patch(f"/shifts/{shift.id}", {"leader_id": str(GU_CHANGTING.id), "version": 2}, COORDINATOR)

    found = await counted(dispatch, site, 8, 50, caller(GU_CHANGTING))

    assert found["samples"] == 50
    wish = {"on": "2021-08-04", "hour": 8, "samples": 1}
    assert (await dispatch.put(f"/sites/{operation['sites'][1]['id']}/counts", wish, caller(GU_CHANGTING))).status_code == 404
    assert (await dispatch.put(f"/sites/{site}/counts", wish, STAFF)).status_code == 404
    assert (await dispatch.get(f"/sites/{site}/counts", STAFF)).status_code == 404
