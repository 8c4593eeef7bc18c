"""Open places: an alert with whom to ask instead, filled once, closed by whoever comes."""

import asyncio
from collections import Counter
from datetime import timedelta
from uuid import UUID, uuid4

from services.dispatch.rules.assigning import TAKES_BACK
from services.dispatch.tables import KnownFitness, OpenPlace
from shared.bookings import Span, book, hold_time_of
from shared.clock import now, set_now
from shared.events import PlaceFilled, PlaceOpened
from tests.doors import Door
from tests.people import COORDINATOR, GU_CHANGTING, JIANG_CAIWEI, LEADER, LIANG_YUAN, PAN_XIANGYE, STAFF, TANG_YINAN
from tests.services.deployment import PATTERN, is_fit, is_on, knows_everybody, planned, shifts_of
from tests.services.test_assignments import asks, deployed

OPEN = {**PATTERN, "signup": True}


async def fell_out(dispatch: Door) -> tuple[UUID, UUID]:
    """Somebody declined; the shift and their assignment."""
    first, *_ = await deployed(dispatch)
    row_id = await is_on(dispatch, first, LIANG_YUAN)
    answer = await dispatch.post(f"/assignments/{row_id}/answer", {"answer": "decline", "reason": "家中有事"}, STAFF)
    assert answer.status_code == 200
    return first.id, row_id


async def alerts(dispatch: Door) -> list[dict[str, object]]:
    answer = await dispatch.get("/alerts", COORDINATOR)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, object]] = answer.json()["items"]
    return found


async def test_an_alert_names_who_fell_out_and_who_could_stand_in(dispatch: Door) -> None:
    _, row_id = await fell_out(dispatch)

    [alert] = await alerts(dispatch)

    assert (alert["assignment_id"], alert["because"], alert["person"]["name"]) == (str(row_id), "declined", "梁予安")  # type: ignore[index]
    names = [one["person"]["name"] for one in alert["candidates"]]  # type: ignore[attr-defined]
    assert len(names) == 5
    assert "梁予安" not in names
    assert len((await dispatch.told(PlaceOpened))[0].candidate_ids) == 10


async def test_only_who_is_fit_free_and_rested_is_named_instead(dispatch: Door, duty: Door) -> None:
    first, *_ = await deployed(dispatch, requirement="testing_point")
    for person in (LIANG_YUAN, GU_CHANGTING, PAN_XIANGYE, JIANG_CAIWEI):
        await is_fit(dispatch, person)
    async with duty.rows() as tx:
        await hold_time_of(tx, GU_CHANGTING.id, PAN_XIANGYE.id)
        night = first.starts_at - timedelta(hours=4)
        await book(tx, Span(uuid4(), GU_CHANGTING.id, first.starts_at, first.ends_at, "duty"))
        await book(tx, Span(uuid4(), PAN_XIANGYE.id, night, night + timedelta(hours=2), "duty"))
    row_id = await is_on(dispatch, first, LIANG_YUAN)

    await dispatch.post(f"/assignments/{row_id}/release", {"reason": "x"}, COORDINATOR)

    [opened] = await dispatch.told(PlaceOpened)
    assert opened.candidate_ids == [JIANG_CAIWEI.id]


async def test_two_taps_fill_a_place_and_it_is_told(dispatch: Door) -> None:
    _, row_id = await fell_out(dispatch)

    answer = await dispatch.post(f"/alerts/{row_id}/filling", {"person_id": str(GU_CHANGTING.id)}, COORDINATOR)
    again = await dispatch.post(f"/alerts/{row_id}/filling", {"person_id": str(JIANG_CAIWEI.id)}, COORDINATOR)

    assert (answer.status_code, answer.json()["state"]) == (201, "proposed")
    assert (again.status_code, again.json()["code"]) == (409, "closed_already")
    assert [(one.assignment_id, one.person_id) for one in await dispatch.told(PlaceFilled)] == [(row_id, GU_CHANGTING.id)]
    assert await alerts(dispatch) == []


async def test_of_many_who_fill_one_place_in_one_instant_one_does(dispatch: Door) -> None:
    _, row_id = await fell_out(dispatch)  # the role has another free place, which is not what was asked for
    people = (GU_CHANGTING, JIANG_CAIWEI, PAN_XIANGYE, TANG_YINAN)

    bodies = [{"person_id": str(one.id)} for one in people]
    answers = await asyncio.gather(*(dispatch.post(f"/alerts/{row_id}/filling", body, COORDINATOR) for body in bodies))

    assert Counter(one.status_code for one in answers) == {201: 1, 409: 3}
    assert len(await dispatch.told(PlaceFilled)) == 1


async def test_whoever_is_asked_for_the_role_by_any_way_closes_the_alert(dispatch: Door) -> None:
    shift_id, row_id = await fell_out(dispatch)

    body = {"shift_id": str(shift_id), "role": "登记", "person_ids": [str(GU_CHANGTING.id)]}
    assert (await dispatch.post("/assignments", body, COORDINATOR)).status_code == 201

    async with dispatch.rows() as tx:
        place = await tx.get_one(OpenPlace, row_id)
    assert (place.state, place.filled_by) == ("filled", GU_CHANGTING.id)


async def test_a_place_of_a_shift_that_runs_can_be_filled_for_what_is_left_of_it(dispatch: Door) -> None:
    first, *_ = await deployed(dispatch)
    row_id = await is_on(dispatch, first, LIANG_YUAN)
    set_now(first.starts_at + timedelta(hours=1))
    await dispatch.post(f"/assignments/{row_id}/answer", {"answer": "decline", "reason": "x"}, STAFF)

    by_hand = await dispatch.post("/assignments", asks(first, GU_CHANGTING), COORDINATOR)
    stands_in = await dispatch.post(f"/alerts/{row_id}/filling", {"person_id": str(GU_CHANGTING.id)}, COORDINATOR)
    set_now(first.ends_at)

    assert (by_hand.json()["code"], stands_in.status_code) == ("has_begun", 201)
    assert await alerts(dispatch) == []


async def test_an_unfit_one_stands_in_only_by_a_leaders_word(dispatch: Door) -> None:
    first, *_ = await deployed(dispatch, requirement="testing_point")
    row_id = await is_on(dispatch, first, LIANG_YUAN)
    await dispatch.post(f"/assignments/{row_id}/release", {"reason": "x"}, COORDINATOR)
    body = {"person_id": str(GU_CHANGTING.id)}

    refused = await dispatch.post(f"/alerts/{row_id}/filling", body, COORDINATOR)
    overridden = await dispatch.post(f"/alerts/{row_id}/filling", body | {"override": "无人可替"}, LEADER)

    assert (refused.json()["code"], overridden.json()["override_reason"]) == ("not_fit", "无人可替")


async def test_the_statements_of_the_alerts_do_not_grow_with_the_places(dispatch: Door) -> None:
    await knows_everybody(dispatch)
    operation = await planned(dispatch, requirement="testing_point")
    async with dispatch.rows() as tx:
        for person in (GU_CHANGTING, JIANG_CAIWEI):
            tx.add(KnownFitness(person_id=person.id, rule="testing_point", fit_from=now(), version=1, heard_at=now()))
    counts = []
    for shift in (await shifts_of(dispatch, operation))[:4]:
        row_id = await is_on(dispatch, shift, LIANG_YUAN)
        await dispatch.post(f"/assignments/{row_id}/release", {"reason": "x"}, COORDINATOR)
        await alerts(dispatch)
        counts.append(len(dispatch.statements))

    assert len(set(counts)) == 1
    assert counts[0] <= 10


async def test_a_sign_up_taken_back_in_time_frees_the_place_and_alerts_nobody(dispatch: Door) -> None:
    first, *_ = await deployed(dispatch, pattern=OPEN)
    signed = (await dispatch.post(f"/shifts/{first.id}/signup", {"role": "登记"}, STAFF)).json()

    back = await dispatch.post(f"/assignments/{signed['id']}/answer", {"answer": "take_back"}, STAFF)
    again = await dispatch.post(f"/shifts/{first.id}/signup", {"role": "登记"}, STAFF)

    assert back.json()["state"] == "released", back.text
    assert await alerts(dispatch) == []
    assert await dispatch.told(PlaceOpened) == []
    assert again.status_code == 201


async def test_a_sign_up_that_had_answered_an_alert_opens_it_again(dispatch: Door) -> None:
    first, *_ = await deployed(dispatch, pattern=OPEN)
    gone = await is_on(dispatch, first, JIANG_CAIWEI)
    await dispatch.post(f"/assignments/{gone}/release", {"reason": "x"}, COORDINATOR)
    signed = (await dispatch.post(f"/shifts/{first.id}/signup", {"role": "登记"}, STAFF)).json()
    assert await alerts(dispatch) == []

    await dispatch.post(f"/assignments/{signed['id']}/answer", {"answer": "take_back"}, STAFF)

    assert [alert["assignment_id"] for alert in await alerts(dispatch)] == [signed["id"]]


async def test_what_others_asked_for_or_what_stands_for_long_is_declined_and_not_taken_back(dispatch: Door) -> None:
    first, second, *_ = await deployed(dispatch, pattern=OPEN)
    asked = await is_on(dispatch, second, LIANG_YUAN, "proposed")
    await dispatch.post(f"/assignments/{asked}/answer", {"answer": "received"}, STAFF)
    signed = (await dispatch.post(f"/shifts/{first.id}/signup", {"role": "登记"}, STAFF)).json()
    set_now(now() + TAKES_BACK)

    said = [await dispatch.post(f"/assignments/{one}/answer", {"answer": "take_back"}, STAFF) for one in (asked, signed["id"])]

    assert [(no.status_code, no.json()["code"]) for no in said] == [(409, "not_taken_back")] * 2
