"""The board of an operation: how each shift is covered, who is late, what was counted; on the desk, the wall and for who may look."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from gateway.board.page import chart_of, counts_of, days_of, round_up
from gateway.live import topics_of
from services.dispatch.tables import SampleCount
from shared.clock import now, set_now
from shared.events import AssignmentsChanged, CountsChanged
from tests.gateway.deployment import coordinator
from tests.gateway.door import GatewayDoor, partial, words_of
from tests.people import JIANG_CAIWEI, LIANG_YUAN, NOW, PAN_XIANGYE, id_of
from tests.services.deployment import is_on, knows_everybody, planned, shifts_of


async def under_way(gateway: GatewayDoor) -> dict[str, Any]:
    """Twenty past eight: of three at the east gate one is there, one late, one did not come."""
    dispatch = gateway.doors.dispatch
    await knows_everybody(dispatch)
    operation = await planned(dispatch)
    first, *_ = await shifts_of(dispatch, operation)
    await is_on(dispatch, first, LIANG_YUAN, "checked_in", checked_in_at=first.starts_at)
    await is_on(dispatch, first, JIANG_CAIWEI, late=True)
    await is_on(dispatch, first, PAN_XIANGYE, "no_show", role="秩序")
    set_now(first.starts_at + timedelta(minutes=20))
    return operation


async def counted(gateway: GatewayDoor, operation: dict[str, Any], *hours: tuple[int, int]) -> None:
    for hour, samples in hours:
        entered = {"entered_by": id_of("leader"), "entered_by_name": "带队", "entered_at": now()}
        row = {"on": NOW.date(), "hour": hour, "samples": samples, "superseded": False, **entered}
        await gateway.doors.dispatch.has(SampleCount(site_id=UUID(operation["sites"][0]["id"]), **row))


@pytest.mark.parametrize(
    ("lang", "said"),
    [
        ("zh-Hans", ["现在", "迟到 江采薇", "未到 潘向野", "缺 1"]),
        ("en", ["late: 江采薇", "did not come: 潘向野", "open: 1"]),
    ],
)
async def test_the_board_says_who_is_there_late_and_missing(gateway: GatewayDoor, lang: str, said: list[str]) -> None:
    operation = await under_way(gateway)
    browser = await coordinator(gateway, lang)

    answer = await browser.get(f"/operations/{operation['id']}/board")

    words = words_of(answer)
    for each in [*said, "东门采样点", "西门采样点", "08:00–12:00", "1/3"]:
        assert each in words
    assert '<i class="late">' in answer.text
    assert '<i class="gone">' in answer.text


async def test_samples_stand_in_a_chart_and_in_a_table_beside_it(gateway: GatewayDoor) -> None:
    operation = await under_way(gateway)
    await counted(gateway, operation, (7, 180), (8, 95))
    browser = await coordinator(gateway, "en")

    answer = await browser.get(f"/operations/{operation['id']}/board")

    assert "Samples by hour: 07:00 180, 08:00 95" in words_of(answer)
    assert "Samples by site and hour" in words_of(answer)
    assert "275" in words_of(answer)
    assert '<rect class="now"' in answer.text


async def test_on_the_wall_the_frame_is_away_and_the_block_comes_alone(gateway: GatewayDoor) -> None:
    operation = await under_way(gateway)
    browser = await coordinator(gateway, "en")
    place = f"/operations/{operation['id']}/board"

    wall = await browser.get(f"{place}?wall=1")
    block = await browser.get(place, headers=partial("live"))

    assert '<body class="app alone wall"' in wall.text
    assert "late: 1" in words_of(wall)  # names are not for everybody in the room
    assert JIANG_CAIWEI.name not in wall.text
    assert block.text.lstrip().startswith('<div class="stack" id="live" data-live="operation:')


async def test_an_empty_day_says_so_and_nobody_else_opens_the_board(gateway: GatewayDoor) -> None:
    operation = await under_way(gateway)
    browser, place = await coordinator(gateway, "en"), f"/operations/{operation['id']}/board"

    empty = await browser.get(f"{place}?on=2021-09-01")
    refused = await (await gateway.browser(LIANG_YUAN)).get(place)

    assert "No shifts on this day" in words_of(empty)
    assert refused.status_code == 403


def test_what_happens_at_a_site_reaches_the_board_and_whoever_waits_for_that_shift() -> None:
    ids = {name: str(id_of(name)) for name in ("operation", "site", "shift", "person")}
    entered = topics_of(CountsChanged.subject, {"operation_id": ids["operation"], "site_id": ids["site"]})
    came = topics_of(AssignmentsChanged.subject, {"assignments": [{"shift_id": ids["shift"], "person_id": ids["person"]}]})

    assert entered == {f"operation:{ids['operation']}": "board.read"}
    assert came["assignments"] == "assignment.read"
    assert came[f"places:{ids['shift']}"] == ""


@pytest.mark.parametrize(("most", "top"), [(0, 1), (1, 1), (3, 5), (10, 10), (180, 200), (487, 500), (501, 1000)])
def test_the_chart_ends_at_a_round_number_above_the_most(most: int, top: int) -> None:
    assert round_up(most) == top


def test_hours_between_that_nobody_counted_leave_a_hole_in_the_chart() -> None:
    sites = [{"id": "a", "name": "东门", "counts": [{"on": "2021-08-04", "hour": at, "samples": n} for at, n in ((8, 50), (10, 100))]}]

    chart = chart_of(sites, "2021-08-04", NOW)
    table = counts_of(sites, "2021-08-04")

    assert chart is not None
    assert [(one["hour"], one["samples"], one["high"]) for one in chart["columns"]] == [(8, 50, 50.0), (9, None, 0.0), (10, 100, 100.0)]
    assert (table["hours"], table["total"]) == ([8, 10], 150)
    assert chart_of(sites, "2021-08-05", NOW) is None


def test_of_a_long_operation_the_days_around_the_one_shown_are_offered() -> None:
    days = days_of({"from_on": "2021-08-01", "until_on": "2021-12-31"}, "2021-10-10")

    assert (days[0], days[-1], len(days)) == ("2021-09-30", "2021-10-20", 21)
