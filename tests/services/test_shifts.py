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
from shared.events import AssignmentsChanged, PlaceClosed, PlaceOpened, ShiftCancelled, ShiftMoved, ShiftsChanged
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


async def asked_for(dispatch: Door, shift: Shift, version: int = 2, **head_counts: int) -> httpx.Response:
    roles = [{"name": name, "head_count": count} for name, count in head_counts.items()]
    return await dispatch.patch(f"/shifts/{shift.id}", {"roles": roles, "version": version}, COORDINATOR)


def places(answer: httpx.Response) -> list[tuple[str, int, int]]:
    return [(one["name"], one["head_count"], one["taken_count"]) for one in answer.json()["roles"]]


async def test_a_shift_may_need_more_people_and_one_more_role_also_while_it_runs(dispatch: Door) -> None:
    operation, shift = await tomorrow(dispatch)
    row = await is_on(dispatch, shift, LIANG_YUAN, "checked_in")
    clock.set_now(shift.starts_at + timedelta(hours=1))

    answer = await asked_for(dispatch, shift, 登记=3, 扫码=2)
    clock.set_now(shift.ends_at)
    over = await asked_for(dispatch, shift, 3, 登记=4)

    assert answer.status_code == 200, answer.text
    assert places(answer) == [("登记", 3, 1), ("秩序", 1, 0), ("扫码", 2, 0)]
    assert (over.status_code, over.json()["code"]) == (409, "over_already")
    assert (await assignment(dispatch, row)).state == "checked_in"
    assert (await dispatch.told(ShiftsChanged))[-1].shifts[0].version == 3
    assert await dispatch.told(PlaceOpened) == []  # as when a shift is made: nobody fell out
    board = (await dispatch.get(f"/operations/{operation['id']}/board?on=2021-08-05", COORDINATOR)).json()
    assert board["totals"]["head_count"] == 4 * 3 + 3


async def test_fewer_only_down_to_those_who_hold_a_place(dispatch: Door) -> None:
    _, shift = await tomorrow(dispatch)
    await asked_for(dispatch, shift, 登记=4)
    for person, state in ((LIANG_YUAN, "proposed"), (PAN_XIANGYE, "confirmed"), (GU_CHANGTING, "declined"), (JIANG_CAIWEI, "released")):
        await is_on(dispatch, shift, person, state)

    refused = await asked_for(dispatch, shift, 3, 秩序=2, 登记=1)
    answer = await asked_for(dispatch, shift, 3, 登记=2)

    assert (refused.status_code, errors_of(refused)) == (422, [("roles.1.head_count", "places_held", {"held_count": 2})])
    assert places(answer) == [("登记", 2, 2), ("秩序", 1, 0)]


async def test_a_role_that_is_not_needed_any_more_has_no_places_and_nobody_is_dropped(dispatch: Door) -> None:
    operation, shift = await tomorrow(dispatch)
    row = await is_on(dispatch, shift, LIANG_YUAN)

    held = await asked_for(dispatch, shift, 登记=0)
    await dispatch.post(f"/assignments/{row}/release", {"reason": "不需要登记了"}, COORDINATOR)
    gone = await asked_for(dispatch, shift, 登记=0)
    asked = await dispatch.post(
        "/assignments", {"shift_id": str(shift.id), "role": "登记", "person_ids": [str(PAN_XIANGYE.id)]}, COORDINATOR
    )
    copied = await dispatch.post(f"/operations/{operation['id']}/days/copy", {"from_on": "2021-08-05", "to_on": "2021-08-06"}, COORDINATOR)
    listed = (await dispatch.get(f"/operations/{operation['id']}/days/2021-08-05", COORDINATOR)).json()
    back = await asked_for(dispatch, shift, 3, 登记=1)

    assert (held.status_code, errors_of(held)) == (422, [("roles.0.head_count", "places_held", {"held_count": 1})])
    assert (await assignment(dispatch, row)).state == "released"
    assert places(gone) == [("登记", 0, 0), ("秩序", 1, 0)]
    assert (asked.status_code, asked.json()["code"]) == (409, "full")
    assert (await dispatch.get("/alerts", COORDINATOR)).json()["items"] == []
    assert copied.status_code == 201, copied.text
    of_shift = [one for site in listed["sites"] for one in site["shifts"] if one["id"] == str(shift.id)]
    assert [[role["name"] for role in one["roles"]] for one in of_shift] == [["秩序"]]
    assert places(back) == [("登记", 1, 0), ("秩序", 1, 0)]


async def test_a_place_that_falls_away_waits_for_nobody_and_is_told(dispatch: Door) -> None:
    _, shift = await tomorrow(dispatch)
    rows = [await is_on(dispatch, shift, person) for person in (LIANG_YUAN, PAN_XIANGYE)]
    for row in rows:
        await dispatch.post(f"/assignments/{row}/release", {"reason": "x"}, COORDINATOR)
        clock.set_now(clock.now() + timedelta(minutes=1))

    same = await asked_for(dispatch, shift, 登记=2)
    kept = [one["assignment_id"] for one in (await dispatch.get("/alerts", COORDINATOR)).json()["items"]]
    fewer = await asked_for(dispatch, shift, 3, 登记=1)

    assert (same.status_code, fewer.status_code) == (200, 200)
    assert kept == [str(row) for row in rows]
    [left] = (await dispatch.get("/alerts", COORDINATOR)).json()["items"]
    assert left["assignment_id"] == str(rows[0])  # the one that waits longest
    assert [(one.assignment_id, one.shift_id) for one in await dispatch.told(PlaceClosed)] == [(rows[1], shift.id)]


async def test_a_cancelled_shift_closes_its_open_places_and_tells_it(dispatch: Door) -> None:
    _, shift = await tomorrow(dispatch)
    row = await is_on(dispatch, shift, LIANG_YUAN)
    await dispatch.post(f"/assignments/{row}/release", {"reason": "x"}, COORDINATOR)

    await dispatch.post(f"/shifts/{shift.id}/cancellation", {"reason": "雷雨"}, COORDINATOR)

    assert [one.assignment_id for one in await dispatch.told(PlaceClosed)] == [row]


@pytest.mark.parametrize(
    ("roles", "field", "code"),
    [
        (None, "roles", "required"),
        ([], "roles", "too_short"),
        ([{"name": "登记", "head_count": -1}], "roles.0.head_count", "too_small"),
        ([{"name": "扫码", "head_count": 0}], "roles.0.head_count", "too_small"),
        ([{"name": "登记", "head_count": 0}, {"name": "秩序", "head_count": 0}], "roles.0.head_count", "nobody_needed"),
        ([{"name": "登记", "head_count": 2}, {"name": "登记", "head_count": 3}], "roles", "named_twice"),
        ([{"name": f"分工{number}", "head_count": 1} for number in range(19)], "roles", "too_many_roles"),
    ],
    ids=["null", "none", "negative", "new and nobody", "nobody at all", "twice", "many"],
)
async def test_odd_roles_are_refused(dispatch: Door, roles: Any, field: str, code: str) -> None:
    _, shift = await tomorrow(dispatch)

    answer = await dispatch.patch(f"/shifts/{shift.id}", {"roles": roles, "version": 2}, COORDINATOR)

    assert answer.status_code == 422
    assert [(name, said) for name, said, _ in errors_of(answer)] == [(field, code)]


async def test_of_a_booking_and_fewer_places_in_one_instant_no_place_is_held_that_is_not_there(dispatch: Door) -> None:
    _, shift = await tomorrow(dispatch)
    await is_on(dispatch, shift, LIANG_YUAN)
    wish = {"shift_id": str(shift.id), "role": "登记", "person_ids": [str(PAN_XIANGYE.id)]}

    fewer, placed = await asyncio.gather(asked_for(dispatch, shift, 登记=1), dispatch.post("/assignments", wish, COORDINATOR))

    assert {fewer.status_code, placed.status_code} in ({200, 409}, {422, 201})
    [(_, head_count, taken), _] = places(await dispatch.get(f"/shifts/{shift.id}", COORDINATOR))
    assert taken == head_count
