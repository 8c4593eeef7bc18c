"""One calendar for duty and dispatch: whoever books, in whatever instant, nobody is in two places."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy.exc import DBAPIError

from shared.bookings import Span, block, book, hold_time_of, release, taken
from shared.refusals import Refused
from tests.doors import Door
from tests.people import HEALTH, JIANG_CAIWEI
from tests.services.institution import settle

DAY = datetime(2021, 8, 5, tzinfo=UTC)


def span(person: UUID, begin: float, end: float, kind: str) -> Span:
    return Span(uuid4(), person, DAY + timedelta(hours=begin), DAY + timedelta(hours=end), kind)


async def tries(door: Door, wanted: Span) -> str:
    try:
        async with door.rows() as tx:
            await hold_time_of(tx, wanted.person_id)
            await book(tx, wanted)
    except Refused as no:
        return no.code
    return "booked"


async def test_of_duty_and_dispatch_that_want_one_person_in_one_instant_one_wins(duty: Door, dispatch: Door) -> None:
    person = uuid4()
    wishes = [tries(door, span(person, 8, 12, kind)) for door, kind in ((duty, "duty"), (dispatch, "assignment")) for _ in range(6)]

    assert Counter(await asyncio.gather(*wishes)) == {"booked": 1, "overlap": 11}


async def test_the_constraint_speaks_even_for_whoever_does_not_ask_first(
    duty: Door, dispatch: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = uuid4()
    assert await tries(duty, span(person, 8, 12, "duty")) == "booked"

    async def nothing(*_: object, **__: object) -> list[list[object]]:
        return [[]]

    monkeypatch.setattr("shared.bookings.judge", nothing)
    assert await tries(dispatch, span(person, 9, 10, "assignment")) == "overlap"


async def test_rest_counts_what_others_booked(duty: Door, dispatch: Door) -> None:
    person = uuid4()
    assert await tries(duty, span(person, 8, 12, "duty")) == "booked"
    assert await tries(dispatch, span(person, 16, 18, "assignment")) == "too_little_rest"


async def test_whoever_cannot_be_had_is_booked_by_nobody_whatever_was_booked_before(personnel: Door, duty: Door, dispatch: Door) -> None:
    person = uuid4()
    assert await tries(duty, span(person, 8, 12, "duty")) == "booked"
    async with personnel.rows() as tx:
        await block(tx, span(person, 0, 48, "unavailable"))

    assert await tries(dispatch, span(person, 30, 34, "assignment")) == "unavailable"


async def test_nobody_releases_or_moves_what_another_booked(duty: Door, dispatch: Door) -> None:
    wanted = span(uuid4(), 8, 12, "duty")
    assert await tries(duty, wanted) == "booked"

    with pytest.raises(RuntimeError, match="1 of 1 bookings"):
        async with dispatch.rows() as tx:
            await release(tx, wanted.ref)

    async with dispatch.rows() as tx:
        [seen] = await taken(tx, [wanted.person_id], DAY, DAY + timedelta(days=1))
    assert (seen.owner, seen.ref) == ("duty", wanted.ref)


async def test_what_was_released_can_be_booked_again(duty: Door, dispatch: Door) -> None:
    wanted = span(uuid4(), 8, 12, "duty")
    assert await tries(duty, wanted) == "booked"
    async with duty.rows() as tx:
        await release(tx, wanted.ref)

    assert await tries(dispatch, span(wanted.person_id, 9, 10, "assignment")) == "booked"


async def test_a_service_books_its_own_kind_alone(personnel: Door, duty: Door, dispatch: Door) -> None:
    """Else duty could say that dispatch assigned somebody, or that they cannot be had."""
    own = {"duty": duty, "assignment": dispatch, "unavailable": personnel}
    for kind, foreign in ((kind, door) for kind in own for door in own.values() if door is not own[kind]):
        with pytest.raises(Refused, match="kind_of_its_owner"):
            async with foreign.rows() as tx:
                await book(tx, span(uuid4(), 8, 12, kind))


async def test_services_without_a_calendar_see_nothing_of_it(identity: Door, notifications: Door) -> None:
    for door in (identity, notifications):
        with pytest.raises(DBAPIError, match="permission denied"):
            async with door.rows() as tx:
                await taken(tx, [uuid4()], DAY, DAY + timedelta(days=1))


async def test_whoever_waits_in_vain_for_somebodys_time_is_asked_to_come_again(personnel: Door, duty: Door) -> None:
    await settle(personnel)
    async with duty.rows() as tx:
        await hold_time_of(tx, JIANG_CAIWEI.id)

        answer = await personnel.patch(f"/people/{JIANG_CAIWEI.id}", {"left_on": "2021-08-10", "version": 1}, HEALTH)

    assert (answer.status_code, answer.json()["code"]) == (503, "not_available")
    assert answer.headers["retry-after"]
