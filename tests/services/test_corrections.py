"""Corrections: who leads says anew when somebody came and went; the hours follow, the person sees it, what stood before stays."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.dispatch.rules.assigning import COMES_EARLY, LEAVES_LATE
from shared.auth import Caller
from shared.clock import set_now
from shared.events import AssignmentsChanged
from tests.doors import Door
from tests.people import COORDINATOR, GU_CHANGTING, JIANG_CAIWEI, LEADER, LIANG_YUAN, STAFF, caller, client
from tests.services.deployment import assignment, is_on, planned, shifts_of
from tests.services.test_assignments import booked_of
from tests.services.test_attendance import GATE_LEADER, OFFICER, Day, morning

HOUR = timedelta(hours=1)


async def was_there(dispatch: Door) -> tuple[Day, UUID]:
    """Somebody was on the morning's shift, and was checked out by mistake an hour after it began."""
    day = await morning(dispatch)
    row_id = await is_on(dispatch, day.shift, LIANG_YUAN)
    set_now(day.shift.starts_at)
    await dispatch.post(f"/assignments/{row_id}/checkin", {}, GATE_LEADER)
    set_now(day.shift.starts_at + HOUR)
    await dispatch.post(f"/assignments/{row_id}/checkout", {}, GATE_LEADER)
    return day, row_id


async def corrects(
    dispatch: Door, row_id: UUID, came: datetime, went: datetime | None, by: Caller = GATE_LEADER, reason: str = "点错了人"
) -> Any:
    body = {"checked_in_at": came.isoformat(), "checked_out_at": went and went.isoformat(), "reason": reason}
    return await dispatch.post(f"/assignments/{row_id}/correction", body, by)


@pytest.mark.parametrize("by", [GATE_LEADER, COORDINATOR, OFFICER])
async def test_who_leads_corrects_the_times_and_the_person_s_hours_follow(dispatch: Door, by: Caller) -> None:
    day, row_id = await was_there(dispatch)
    came, went = day.shift.starts_at + HOUR / 4, day.shift.ends_at
    set_now(day.shift.ends_at + timedelta(days=2))

    answer = await corrects(dispatch, row_id, came, went, by)

    assert answer.status_code == 200, answer.text
    mine = (await dispatch.get("/assignments/mine", STAFF)).json()
    hours = round((went - came).total_seconds() / 3600, 1)
    assert (mine["hours_total"], mine["items"][0]["hours"], mine["items"][0]["late"]) == (hours, hours, True)
    [seen] = mine["items"][0]["corrections"]
    assert (seen["corrected_by"], seen["reason"]) == (by.name, "点错了人")
    assert datetime.fromisoformat(seen["checked_out_at"]) == went
    assert abs(datetime.fromisoformat(seen["old_checked_out_at"]) - day.shift.starts_at - HOUR) < timedelta(minutes=1)


async def test_each_correction_stays_readable_for_who_leads_there_and_the_person_alone(dispatch: Door) -> None:
    day, row_id = await was_there(dispatch)
    first, second = day.shift.starts_at + HOUR / 2, day.shift.starts_at + HOUR / 3
    await corrects(dispatch, row_id, day.shift.starts_at, first)
    await corrects(dispatch, row_id, day.shift.starts_at, second, reason="又看了一遍")
    path = f"/shifts/{day.shift.id}/corrections"

    told = {
        name: (await dispatch.get(path, who)).json()["items"]
        for name, who in {
            "leads": GATE_LEADER,
            "own": STAFF,
            "leader": LEADER,
            "stranger": caller(JIANG_CAIWEI),
            "reads": client("reads", "dispatch:read"),
        }.items()
    }

    [one] = told["leads"]
    assert [it["reason"] for it in one["corrections"]] == ["又看了一遍", "点错了人"]
    assert one["corrections"][0]["old_checked_out_at"] == one["corrections"][1]["checked_out_at"]
    assert told["own"] == told["leader"] == told["leads"]
    assert told["stranger"] == []
    assert [it["reason"] for it in told["reads"][0]["corrections"]] == [None, None]


async def test_nobody_corrects_their_own_or_of_a_shift_that_another_leads(dispatch: Door) -> None:
    day, row_id = await was_there(dispatch)

    answers = [
        await corrects(dispatch, row_id, day.shift.starts_at, day.shift.starts_at + HOUR, who)
        for who in (STAFF, caller(JIANG_CAIWEI), LEADER)
    ]

    assert [no.json()["code"] for no in answers] == ["not_found"] * 3


async def test_times_that_cannot_have_been_are_refused_at_their_field(dispatch: Door) -> None:
    day, row_id = await was_there(dispatch)
    begins, ends = day.shift.starts_at, day.shift.ends_at
    early, late, second = begins - COMES_EARLY, ends + LEAVES_LATE, timedelta(seconds=1)
    set_now(ends + timedelta(days=2))

    def told(no: Any) -> tuple[int, str, str]:
        [error] = no.json()["errors"]
        return no.status_code, error["field"], error["code"]

    assert told(await corrects(dispatch, row_id, begins, begins - second)) == (422, "checked_out_at", "left_before_coming")
    assert told(await corrects(dispatch, row_id, begins, ends + timedelta(days=3))) == (422, "checked_out_at", "in_future")
    assert told(await corrects(dispatch, row_id, ends + timedelta(days=3), None)) == (422, "checked_in_at", "in_future")
    assert told(await corrects(dispatch, row_id, begins, late + second)) == (422, "checked_out_at", "far_from_shift")
    assert told(await corrects(dispatch, row_id, early - second, ends)) == (422, "checked_in_at", "far_from_shift")
    assert told(await corrects(dispatch, row_id, ends, ends)) == (422, "checked_in_at", "far_from_shift")
    assert told(await corrects(dispatch, row_id, begins, None)) == (422, "checked_out_at", "required")
    assert (await corrects(dispatch, row_id, early, late)).status_code == 200


async def test_a_check_out_by_mistake_is_undone_while_the_shift_runs(dispatch: Door) -> None:
    day, row_id = await was_there(dispatch)
    came = (await assignment(dispatch, row_id)).checked_in_at
    assert came is not None

    back = await corrects(dispatch, row_id, came, None)

    assert (back.json()["state"], back.json()["checked_out_at"]) == ("checked_in", None)
    [booked] = await booked_of(dispatch, LIANG_YUAN)
    assert booked.ends_at == day.shift.ends_at
    assert (await dispatch.post(f"/assignments/{row_id}/checkout", {}, STAFF)).json()["state"] == "checked_out"
    assert [one.state for event in await dispatch.told(AssignmentsChanged) for one in event.assignments if one.id == row_id][-1] == (
        "checked_out"
    )


async def test_nobody_was_in_two_places_and_who_leads_does_not_learn_where(dispatch: Door) -> None:
    day, row_id = await was_there(dispatch)
    ends = day.shift.ends_at
    times = {"times": [["09:30", "12:00"]], "roles": [{"name": "登记", "head_count": 1}]}
    operation = await planned(dispatch, name="另一处", sites=[{"name": "北门"}], pattern=times)
    other, *_ = await shifts_of(dispatch, operation)
    await is_on(dispatch, other, LIANG_YUAN)
    set_now(ends + timedelta(days=1))

    no = await corrects(dispatch, row_id, day.shift.starts_at, ends)

    assert (no.status_code, no.json()["code"]) == (409, "overlap")
    assert set(no.json()["params"]) <= {"person_id"}
    assert (await corrects(dispatch, row_id, day.shift.starts_at, day.shift.starts_at + HOUR)).status_code == 200


async def test_the_same_times_again_change_nothing_and_who_never_came_has_none(dispatch: Door) -> None:
    day, row_id = await was_there(dispatch)
    row = await assignment(dispatch, row_id)
    assert row.checked_in_at is not None
    other = await is_on(dispatch, day.shift, JIANG_CAIWEI, "no_show")
    gone = await is_on(dispatch, day.shift, GU_CHANGTING, "released")

    again = await corrects(dispatch, row_id, row.checked_in_at, row.checked_out_at)
    answers = [await corrects(dispatch, one, day.shift.starts_at, None) for one in (other, gone)]

    assert again.json()["version"] == row.version
    assert (await dispatch.get(f"/shifts/{day.shift.id}/corrections", COORDINATOR)).json()["items"] == []
    assert [no.json()["code"] for no in answers] == ["not_checked_in", "off_already"]
