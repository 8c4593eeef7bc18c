"""How people are reached: told to notifications alone, and when they have left, not to be had any more."""

import asyncio
from datetime import datetime, timedelta
from typing import Any, get_args
from uuid import UUID, uuid4

import pytest
from pydantic import BaseModel
from sqlalchemy import delete, func, select
from sqlalchemy.exc import DBAPIError

from services.notifications.tables import KnownContact
from services.personnel.retell import retell
from services.personnel.tables import Person
from shared import clock
from shared.bookings import Span, book, hold_time_of, taken
from shared.events import ContactsChanged, Event, PeopleRemoved, ProofsChanged
from shared.refusals import Refused
from tests.doors import Door, Doors, errors_of
from tests.people import HEALTH, JIANG_CAIWEI, NOW, PEOPLE, STAFF, TEACHING, caller
from tests.services.deployment import planned
from tests.services.institution import settle

MINE = caller(JIANG_CAIWEI)
NEW: dict[str, Any] = {"number": "N1", "name": "单小满", "department_id": str(TEACHING.id), "employment": "trainee"}


@pytest.fixture(autouse=True)
async def _settled(personnel: Door) -> None:
    await settle(personnel)


async def contacts(personnel: Door) -> list[tuple[str | None, str | None, int]]:
    return [(one.phone, one.email, one.version) for event in await personnel.told(ContactsChanged) for one in event.contacts]


async def change(personnel: Door, version: int, **wish: Any) -> dict[str, Any]:
    answer = await personnel.patch(f"/people/{JIANG_CAIWEI.id}", {**wish, "version": version}, HEALTH)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_addresses_are_told_where_they_are_new_or_change(personnel: Door) -> None:
    await personnel.post("/people", {**NEW, "phone": "138 0013 8000", "email": "Shan@Mail.Example.Org"}, HEALTH)
    await personnel.post("/people", {**NEW, "number": "N2"}, HEALTH)
    await change(personnel, 1, name="江采微")
    await change(personnel, 2, email="jiang@mail.example.org")
    await change(personnel, 3, phone=None)

    assert await contacts(personnel) == [
        ("+8613800138000", "Shan@mail.example.org", 1),
        ("+8619900000312", "jiang@mail.example.org", 3),
        (None, "jiang@mail.example.org", 4),
    ]


async def test_an_address_is_for_health_records_and_the_person(personnel: Door) -> None:
    path = f"/people/{JIANG_CAIWEI.id}"

    assert (await personnel.get(path, HEALTH)).json()["email"] == "20140312@mail.example.org"
    assert (await personnel.get("/people/me", MINE)).json()["email"] == "20140312@mail.example.org"
    assert (await personnel.get("/people/me/copy", MINE)).json()["person"]["email"] == "20140312@mail.example.org"
    assert (await personnel.get(path, caller(PEOPLE[2], "leader"))).json()["email"] is None
    assert (await personnel.get(path, STAFF)).status_code == 404


@pytest.mark.parametrize("text", ["nobody", "a@b", "a b@example.org", "a@-x.org", "单@example.org", f"{'a' * 65}@example.org", "<a@x.org>"])
async def test_what_is_no_address_is_not_taken(personnel: Door, text: str) -> None:
    answer = await personnel.post("/people", {**NEW, "email": text}, HEALTH)

    assert (answer.status_code, errors_of(answer)) == (422, [("email", "email_wrong", {"text": text})])


@pytest.mark.parametrize("spy", ["identity", "duty", "dispatch", "notifications"])
async def test_no_other_service_reads_addresses_where_personnel_keeps_them(doors: Doors, spy: str) -> None:
    for column in ("phone", "email"):
        with pytest.raises(DBAPIError, match="permission denied"):
            async with doors.engines[spy].connect() as connection:
                await connection.exec_driver_sql(f"select {column} from personnel.person")


@pytest.mark.parametrize("spy", ["identity", "personnel", "duty", "dispatch"])
async def test_no_other_service_reads_addresses_where_notifications_keeps_them(doors: Doors, spy: str) -> None:
    with pytest.raises(DBAPIError, match="permission denied"):
        async with doors.engines[spy].connect() as connection:
            await connection.exec_driver_sql("select email from notifications.known_contact")


def fields_of(model: type[BaseModel]) -> set[str]:
    """The names of all fields, also of what lies within."""
    found = set(model.model_fields)
    for field in model.model_fields.values():
        for inner in (field.annotation, *get_args(field.annotation)):
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                found |= fields_of(inner)
    return found


async def test_no_event_has_a_place_for_an_address_but_the_one_of_contacts() -> None:
    carrying = {kind for kind in Event.__subclasses__() if fields_of(kind) & {"phone", "email", "mobile", "address", "addresses"}}

    assert carrying == {ContactsChanged}
    assert {kind for kind in Event.__subclasses__() if "phone_last4" in fields_of(kind)} == {ProofsChanged}
    assert ProofsChanged.subject.startswith("proof.")
    assert ContactsChanged.subject.startswith("contact.")


async def test_whatever_is_told_in_the_house_no_address_travels_with_it(doors: Doors, personnel: Door, dispatch: Door) -> None:
    await retell(personnel.database)
    await personnel.post("/people", {**NEW, "phone": "138 0013 8000", "email": "shan@mail.example.org"}, HEALTH)
    await change(personnel, 1, email="jiang@mail.example.org", phone="139 0000 0312")
    await personnel.get(f"/people/{JIANG_CAIWEI.id}/health", HEALTH)
    await doors.pass_events()
    await planned(dispatch)
    await doors.pass_events()

    everything = [one for door in doors.all for one in await door.told_bodies()]
    told_by = {subject.split(".")[1] for subject, _ in everything}
    with_address = {subject for subject, body in everything if b"@" in body or b"+86" in body}
    assert {"personnel", "dispatch"} <= told_by
    assert with_address == {ContactsChanged.subject}
    for one in PEOPLE:
        ending = f'"{one.phone[-4:]}"'.encode()  # as a field's whole value: ids and numbers may hold the same digits
        assert not any(ending in body for subject, body in everything if subject != ProofsChanged.subject)
        assert not any(one.phone.encode() in body for subject, body in everything if subject != ContactsChanged.subject)


async def known(notifications: Door) -> dict[UUID, tuple[str | None, str | None, int]]:
    async with notifications.rows() as tx:
        return {row.person_id: (row.phone, row.email, row.version) for row in await tx.scalars(select(KnownContact))}


async def test_an_emptied_table_learns_again_how_people_are_reached(doors: Doors, personnel: Door, notifications: Door) -> None:
    await retell(personnel.database)
    await doors.pass_events()
    before = await known(notifications)
    async with notifications.rows() as tx:
        await tx.execute(delete(KnownContact))

    await retell(personnel.database)
    await doors.pass_events()

    assert await known(notifications) == before
    assert len(before) == len(PEOPLE)


# whoever has left


async def unavailable(personnel: Door) -> list[tuple[str, UUID, datetime]]:
    async with personnel.rows() as tx:
        found = await taken(tx, [JIANG_CAIWEI.id], NOW - timedelta(days=900), NOW + timedelta(days=90_000))
    return [(one.kind, one.ref, one.starts_at) for one in found]


def blocked_from(day: str) -> list[tuple[str, UUID, datetime]]:
    return [("unavailable", JIANG_CAIWEI.id, datetime.fromisoformat(f"{day}T00:00:00+08:00"))]


async def test_whoever_leaves_cannot_be_had_from_that_day_on(personnel: Door) -> None:
    await change(personnel, 1, left_on="2021-08-10")
    assert await unavailable(personnel) == blocked_from("2021-08-10")

    await change(personnel, 2, left_on="2021-08-20")
    assert await unavailable(personnel) == blocked_from("2021-08-20")

    await change(personnel, 3, left_on=None)
    assert await unavailable(personnel) == []


async def test_a_last_day_is_set_while_others_book_and_neither_waits_for_ever(personnel: Door, dispatch: Door) -> None:
    begins = datetime.fromisoformat("2021-08-15T08:00:00+08:00")

    async def books(day: int) -> None:
        async with dispatch.rows() as tx:
            await hold_time_of(tx, JIANG_CAIWEI.id)
            start = begins + timedelta(days=day)
            await book(tx, Span(uuid4(), JIANG_CAIWEI.id, start, start + timedelta(hours=4), "assignment"))

    results = await asyncio.gather(change(personnel, 1, left_on="2021-08-10"), *(books(day) for day in range(6)), return_exceptions=True)

    assert isinstance(results[0], dict)
    assert blocked_from("2021-08-10")[0] in await unavailable(personnel)
    with pytest.raises(Refused, match="unavailable"):
        await books(30)


async def test_with_the_record_the_calendar_is_cleared(personnel: Door) -> None:
    await change(personnel, 1, left_on="2021-08-10")
    clock.set_now(NOW + timedelta(days=1200))
    await personnel.dues()

    assert [one.person_ids for one in await personnel.told(PeopleRemoved)] == [[JIANG_CAIWEI.id]]
    assert await unavailable(personnel) == []
    async with personnel.rows() as tx:
        assert await tx.scalar(select(func.count()).where(Person.id == JIANG_CAIWEI.id)) == 0
