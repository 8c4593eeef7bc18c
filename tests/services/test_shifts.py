"""Shifts are shown, changed, moved and cancelled; whoever is on one that moves is told, and asked again."""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import select

from services.dispatch.tables import OpenPlace, Shift
from shared import clock
from shared.bookings import Span, block, book, hold_time_of, taken
from shared.events import AssignmentsChanged, PlaceOpened, ShiftCancelled, ShiftMoved, ShiftsChanged
from shared.refusals import Refused
from tests.doors import Door, errors_of
from tests.people import COORDINATOR, GU_CHANGTING, JIANG_CAIWEI, LIANG_YUAN, PAN_XIANGYE, STAFF, TANG_YINAN, Person, caller
from tests.services.deployment import assignment, is_fit, is_on, knows_everybody, planned, shifts_of

NOON = datetime(2021, 8, 5, 4, tzinfo=UTC)


async def tomorrow(dispatch: Door, **changes: Any) -> tuple[dict[str, Any], Shift]:
    """An open operation, and its first shift of the next day: 08:00 to 12:00 by the wall."""
    await knows_everybody(dispatch)
    operation = await planned(dispatch, **changes)
    shift = next(one for one in await shifts_of(dispatch, operation) if one.starts_at == NOON - timedelta(hours=4))
    return operation, shift


async def moved(dispatch: Door, shift: Shift, starts_at: datetime, ends_at: datetime, **more: Any) -> httpx.Response:
    wish = {"starts_at": starts_at.isoformat(), "ends_at": ends_at.isoformat(), "version": shift.version, **more}
    return await dispatch.patch(f"/shifts/{shift.id}", wish, COORDINATOR)


async def booked(dispatch: Door, person: Person) -> list[tuple[datetime, datetime]]:
    async with dispatch.rows() as tx:
        return [(one.starts_at, one.ends_at) for one in await taken(tx, [person.id], NOON - timedelta(days=3), NOON + timedelta(days=3))]


async def test_whoever_still_can_is_asked_again_at_the_new_times(dispatch: Door) -> None:
    _, shift = await tomorrow(dispatch)
    row = await is_on(dispatch, shift, LIANG_YUAN)

    answer = await moved(dispatch, shift, NOON + timedelta(hours=4), NOON + timedelta(hours=8), reason="雷雨")

    assert answer.status_code == 200, answer.text
    [shown] = answer.json()["assignments"]
    assert (shown["state"], shown["person"]["name"], shown["version"]) == ("proposed", LIANG_YUAN.name, 2)
    assert (await assignment(dispatch, row)).starts_at == NOON + timedelta(hours=4)
    assert await booked(dispatch, LIANG_YUAN) == [(NOON + timedelta(hours=4), NOON + timedelta(hours=8))]
    [told] = await dispatch.told(ShiftMoved)
    assert told.person_ids == [LIANG_YUAN.id]
    assert (told.old_starts_at, told.old_ends_at) == (shift.starts_at, shift.ends_at)
    assert (told.starts_at, told.ends_at, told.reason) == (NOON + timedelta(hours=4), NOON + timedelta(hours=8), "雷雨")
    assert (await dispatch.told(AssignmentsChanged))[-1].assignments[0].state == "proposed"
    assert (await dispatch.told(ShiftsChanged))[-1].shifts[0].version == 3


async def test_whoever_cannot_is_released_and_leaves_an_open_place(dispatch: Door, duty: Door) -> None:
    _, shift = await tomorrow(dispatch)
    for person in (LIANG_YUAN, PAN_XIANGYE):
        await is_on(dispatch, shift, person)
    async with duty.rows() as tx:
        await hold_time_of(tx, PAN_XIANGYE.id)
        await book(tx, Span(uuid4(), PAN_XIANGYE.id, NOON + timedelta(minutes=30), NOON + timedelta(hours=2), "duty"))

    answer = await moved(dispatch, shift, NOON, NOON + timedelta(hours=3))

    states = {one["person"]["name"]: one["state"] for one in answer.json()["assignments"]}
    assert states == {LIANG_YUAN.name: "proposed", PAN_XIANGYE.name: "released"}
    assert await booked(dispatch, PAN_XIANGYE) == [(NOON + timedelta(minutes=30), NOON + timedelta(hours=2))]
    [place] = await dispatch.told(PlaceOpened)
    assert (place.person_id, place.because, place.starts_at) == (PAN_XIANGYE.id, "duty", NOON)
    [told] = await dispatch.told(ShiftMoved)
    assert set(told.person_ids) == {LIANG_YUAN.id, PAN_XIANGYE.id}
    async with dispatch.rows() as tx:
        assert [one.state for one in await tx.scalars(select(OpenPlace))] == ["open"]


async def test_whoever_is_not_fit_any_more_by_then_is_released_as_unfit(dispatch: Door) -> None:
    _, shift = await tomorrow(dispatch, requirement="testing_point")
    await is_fit(dispatch, LIANG_YUAN, until=NOON + timedelta(hours=1))
    await is_fit(dispatch, PAN_XIANGYE)
    for person in (LIANG_YUAN, PAN_XIANGYE):
        await is_on(dispatch, shift, person)
    await is_on(dispatch, shift, GU_CHANGTING, role="秩序", override_reason="自愿")

    await moved(dispatch, shift, NOON, NOON + timedelta(hours=3))

    [place] = await dispatch.told(PlaceOpened)
    assert (place.person_id, place.because) == (LIANG_YUAN.id, "unfit")


async def test_whoever_cannot_be_had_then_is_released_without_a_word_why(dispatch: Door, personnel: Door) -> None:
    _, shift = await tomorrow(dispatch)
    await is_on(dispatch, shift, LIANG_YUAN)
    async with personnel.rows() as tx:
        await block(tx, Span(uuid4(), LIANG_YUAN.id, NOON, NOON + timedelta(days=14), "unavailable"))

    await moved(dispatch, shift, NOON, NOON + timedelta(hours=3))

    [place] = await dispatch.told(PlaceOpened)
    assert place.because == "unavailable"


async def test_a_shift_may_begin_the_minute_the_other_one_of_a_person_ends(dispatch: Door) -> None:
    operation, shift = await tomorrow(dispatch)
    following = (await shifts_of(dispatch, operation))[3]
    assert following.starts_at == NOON
    row = await is_on(dispatch, following, LIANG_YUAN)
    await is_on(dispatch, shift, LIANG_YUAN)

    answer = await moved(dispatch, following, NOON, NOON + timedelta(hours=3))

    assert answer.status_code == 200
    assert (await assignment(dispatch, row)).state == "proposed"


async def test_whoever_is_there_already_stays_when_only_the_end_moves(dispatch: Door) -> None:
    _, shift = await tomorrow(dispatch)
    row = await is_on(dispatch, shift, LIANG_YUAN, "checked_in", checked_in_at=shift.starts_at)
    clock.set_now(shift.starts_at + timedelta(hours=1))

    later = await moved(dispatch, shift, shift.starts_at + timedelta(hours=1), shift.ends_at)
    longer = await moved(dispatch, shift, shift.starts_at, shift.ends_at + timedelta(hours=2))

    assert (later.status_code, later.json()["code"]) == (409, "begun_already")
    assert longer.status_code == 200
    assert (await assignment(dispatch, row)).state == "checked_in"
    assert await booked(dispatch, LIANG_YUAN) == [(shift.starts_at, shift.ends_at + timedelta(hours=2))]


async def test_a_shift_whose_people_are_needed_elsewhere_is_not_made_longer(dispatch: Door) -> None:
    operation, shift = await tomorrow(dispatch)
    following = (await shifts_of(dispatch, operation))[3]
    await is_on(dispatch, shift, LIANG_YUAN, "checked_in", checked_in_at=shift.starts_at)
    await is_on(dispatch, following, LIANG_YUAN)
    clock.set_now(shift.starts_at + timedelta(hours=1))

    answer = await moved(dispatch, shift, shift.starts_at, shift.ends_at + timedelta(hours=1))

    assert (answer.status_code, answer.json()["code"]) == (409, "overlap")
    assert answer.json()["params"]["person_id"] == str(LIANG_YUAN.id)
    assert await dispatch.told(ShiftMoved) == []


async def test_another_site_is_a_move_too(dispatch: Door) -> None:
    operation, shift = await tomorrow(dispatch)
    row = await is_on(dispatch, shift, LIANG_YUAN)
    [site] = (await dispatch.post(f"/operations/{operation['id']}/sites", {"name": "北门"}, COORDINATOR)).json()["sites"][2:]

    answer = await dispatch.patch(f"/shifts/{shift.id}", {"site_id": site["id"], "version": 2}, COORDINATOR)

    assert answer.json()["site"]["name"] == "北门"
    assert (await assignment(dispatch, row)).state == "proposed"
    assert [one.site_name for one in await dispatch.told(ShiftMoved)] == ["北门"]


async def test_what_does_not_move_a_shift_asks_nobody_again(dispatch: Door) -> None:
    _, shift = await tomorrow(dispatch)
    row = await is_on(dispatch, shift, LIANG_YUAN)

    wish = {"leader_id": str(TANG_YINAN.id), "bring": "身份证、水", "signup": True, "version": 2}
    answer = await dispatch.patch(f"/shifts/{shift.id}", wish, COORDINATOR)

    assert (answer.json()["leader"]["name"], answer.json()["bring"], answer.json()["signup"]) == (TANG_YINAN.name, "身份证、水", True)
    assert (await assignment(dispatch, row)).state == "confirmed"
    assert await dispatch.told(ShiftMoved) == []
    assert (await dispatch.told(ShiftsChanged))[-1].shifts[0].leader_id == TANG_YINAN.id


@pytest.mark.parametrize(
    ("begins", "ends", "field", "code"),
    [
        (0, -1, "ends_at", "ends_before_start"),
        (0, 0, "ends_at", "ends_before_start"),
        (0, 26, "ends_at", "shift_too_long"),
        (48, 50, "starts_at", "outside_operation"),
        (-32, -29, "ends_at", "in_the_past"),
    ],
)
async def test_odd_times_are_refused(dispatch: Door, begins: int, ends: int, field: str, code: str) -> None:
    _, shift = await tomorrow(dispatch)

    answer = await moved(dispatch, shift, NOON + timedelta(hours=begins), NOON + timedelta(hours=ends))

    assert answer.status_code == 422
    assert errors_of(answer) == [(field, code, {})]


async def test_a_shift_does_not_move_onto_another_one_of_its_site(dispatch: Door) -> None:
    _, shift = await tomorrow(dispatch)

    answer = await moved(dispatch, shift, NOON, NOON + timedelta(hours=4))
    elsewhere = await moved(dispatch, shift, NOON, NOON + timedelta(hours=3))

    assert (answer.status_code, answer.json()["code"]) == (409, "made_already")
    assert elsewhere.status_code == 200


async def test_a_cancelled_shift_releases_everybody_and_looks_for_nobody(dispatch: Door) -> None:
    _, shift = await tomorrow(dispatch)
    for person, state in ((LIANG_YUAN, "confirmed"), (PAN_XIANGYE, "proposed"), (GU_CHANGTING, "declined")):
        await is_on(dispatch, shift, person, state)

    answer = await dispatch.post(f"/shifts/{shift.id}/cancellation", {"reason": "雷雨"}, COORDINATOR)

    assert (answer.status_code, answer.json()["state"], answer.json()["reason"]) == (200, "cancelled", "雷雨")
    assert await booked(dispatch, LIANG_YUAN) == []
    [told] = await dispatch.told(ShiftCancelled)
    assert (set(told.person_ids), told.reason) == ({LIANG_YUAN.id, PAN_XIANGYE.id}, "雷雨")
    assert (told.starts_at, told.ends_at) == (shift.starts_at, shift.ends_at)
    assert await dispatch.told(PlaceOpened) == []
    assert (await dispatch.told(ShiftsChanged))[-1].shifts[0].state == "cancelled"
    again = await dispatch.post(f"/shifts/{shift.id}/cancellation", {"reason": "x"}, COORDINATOR)
    assert (again.status_code, again.json()["code"]) == (409, "cancelled_already")


async def test_a_shift_that_is_over_stays_as_it_was(dispatch: Door) -> None:
    _, shift = await tomorrow(dispatch)
    clock.set_now(shift.ends_at)

    answer = await moved(dispatch, shift, shift.starts_at, shift.ends_at + timedelta(hours=1))

    assert (answer.status_code, answer.json()["code"]) == (409, "over_already")


async def test_who_read_an_older_version_moves_nothing(dispatch: Door) -> None:
    _, shift = await tomorrow(dispatch)
    await dispatch.patch(f"/shifts/{shift.id}", {"signup": True, "version": 2}, COORDINATOR)

    answer = await moved(dispatch, shift, NOON, NOON + timedelta(hours=3))

    assert (answer.status_code, answer.json()["code"]) == (409, "changed_meanwhile")
    assert answer.json()["params"]["current"]["signup"] is True


async def test_of_a_move_and_a_booking_in_one_instant_nothing_is_left_at_the_old_times(dispatch: Door, duty: Door) -> None:
    _, shift = await tomorrow(dispatch)
    for person in (LIANG_YUAN, PAN_XIANGYE):
        await is_on(dispatch, shift, person)

    async def elsewhere(person: Person) -> None:
        async with duty.rows() as tx:
            await hold_time_of(tx, person.id)
            await asyncio.sleep(0.05)
            with contextlib.suppress(Refused):  # whoever was moved before rests first
                await book(tx, Span(uuid4(), person.id, NOON + timedelta(hours=4), NOON + timedelta(hours=5), "duty"))

    answer, *_ = await asyncio.gather(
        moved(dispatch, shift, NOON, NOON + timedelta(hours=3)), elsewhere(LIANG_YUAN), elsewhere(PAN_XIANGYE)
    )

    assert answer.status_code == 200, answer.text
    for person in (LIANG_YUAN, PAN_XIANGYE):
        assert (shift.starts_at, shift.ends_at) not in await booked(dispatch, person)


async def test_who_is_on_a_shift_only_those_see_who_may(dispatch: Door) -> None:
    _, shift = await tomorrow(dispatch)
    await is_on(dispatch, shift, LIANG_YUAN)
    await is_on(dispatch, shift, PAN_XIANGYE, "proposed")
    await dispatch.patch(f"/shifts/{shift.id}", {"leader_id": str(TANG_YINAN.id), "version": 2}, COORDINATOR)

    def names(answer: httpx.Response) -> set[str]:
        return {one["person"]["name"] for one in answer.json()["assignments"]}

    everybody = {LIANG_YUAN.name, PAN_XIANGYE.name}
    assert names(await dispatch.get(f"/shifts/{shift.id}", STAFF)) == {LIANG_YUAN.name}
    assert names(await dispatch.get(f"/shifts/{shift.id}", caller(JIANG_CAIWEI))) == set()
    assert names(await dispatch.get(f"/shifts/{shift.id}", caller(TANG_YINAN))) == everybody
    shown = await dispatch.get(f"/shifts/{shift.id}", COORDINATOR)
    assert names(shown) == everybody
    assert [(one["name"], one["taken_count"], one["proposed_count"]) for one in shown.json()["roles"]] == [("登记", 2, 1), ("秩序", 0, 0)]
    assert (await dispatch.get(f"/shifts/{uuid4()}", STAFF)).status_code == 404


async def test_whoever_leads_a_site_leads_its_shifts_to_come(dispatch: Door) -> None:
    operation, shift = await tomorrow(dispatch)
    site = operation["sites"][0]

    await dispatch.patch(f"/sites/{site['id']}", {"leader_id": str(TANG_YINAN.id), "version": 1}, COORDINATOR)

    assert (await dispatch.get(f"/shifts/{shift.id}", STAFF)).json()["leader"]["name"] == TANG_YINAN.name
    told = (await dispatch.told(ShiftsChanged))[-1].shifts
    assert {(one.leader_id, one.version) for one in told} == {(TANG_YINAN.id, 3)}
    assert len(told) == 6


async def test_the_code_of_a_site_is_for_who_leads_there(dispatch: Door) -> None:
    operation, _ = await tomorrow(dispatch)
    site = operation["sites"][0]
    await dispatch.patch(f"/sites/{site['id']}", {"leader_id": str(TANG_YINAN.id), "version": 1}, COORDINATOR)

    led = await dispatch.get(f"/sites/{site['id']}/code", caller(TANG_YINAN))
    coordinated = await dispatch.get(f"/sites/{site['id']}/code", COORDINATOR)

    assert led.json() == coordinated.json()
    assert len(led.json()["code"]) >= 12
    assert (await dispatch.get(f"/sites/{site['id']}/code", STAFF)).status_code == 404
    assert "code" not in str((await dispatch.get(f"/operations/{operation['id']}", COORDINATOR)).json())
