"""The reader of `make chaos` sees each rule broken that it holds: in a database without constraints every rule is broken by hand."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from infra.chaos.reader import RULES, Accepted, broken
from infra.postgres import Postgres

pytestmark = pytest.mark.anyio

BEGINS = datetime.now(UTC) + timedelta(days=3)
ENDS = BEGINS + timedelta(hours=4)
ANY: dict[str, Callable[[], Any]] = {
    "uuid": uuid4,
    "text": str,
    "integer": int,
    "boolean": bool,
    "timestamp with time zone": lambda: BEGINS,
    "date": BEGINS.date,
    "bytea": bytes,
}


@pytest.fixture
async def house(postgres: Postgres, database_name: str) -> AsyncIterator["Unguarded"]:
    """A copy of the database in which nothing is refused."""
    connection = await asyncpg.connect(postgres.url("postgres", database=database_name))
    found = Unguarded(connection, postgres.url(database=database_name))
    await found.begin()
    yield found
    await connection.close()


class Unguarded:
    """Tables that take any row."""

    def __init__(self, connection: Any, url: str) -> None:
        self.connection, self.url = connection, url

    async def begin(self) -> None:
        constraints = await self.connection.fetch(
            "select conrelid::regclass::text as name, conname from pg_constraint where contype in ('c', 'f', 'u', 'x')"
            " and connamespace::regnamespace::text in ('calendar', 'dispatch', 'duty', 'identity', 'notifications')"
        )
        await self.connection.execute("set session_replication_role = replica")
        for one in constraints:
            await self.connection.execute(f'alter table {one["name"]} drop constraint if exists "{one["conname"]}" cascade')

    async def put(self, table: str, **given: Any) -> UUID:
        """A row; what must be there and was not given is anything."""
        schema, _, name = table.partition(".")
        columns = await self.connection.fetch(
            "select column_name as name, data_type as type from information_schema.columns where table_schema = $1 and table_name = $2"
            " and is_nullable = 'NO' and column_default is null and is_identity = 'NO' and is_generated = 'NEVER'",
            schema,
            name,
        )
        row = {one["name"]: ANY[one["type"]]() for one in columns if one["name"] not in given and one["type"] in ANY} | given
        places = ", ".join(f"${number}" for number in range(1, len(row) + 1))
        names = ", ".join(f'"{one}"' for one in row)
        await self.connection.execute(f"insert into {table} ({names}) values ({places})", *row.values())
        return UUID(str(row.get("id", row.get("ref", UUID(int=0)))))

    async def wrong(self, accepted: Accepted | None = None) -> set[str]:
        """The rules that the reader finds broken."""
        return {rule for rule, many in (await broken(self.url, accepted or Accepted())).items() if many}


async def assigned(house: Unguarded, person: UUID, *, shift: UUID | None = None, begins: datetime = BEGINS, role: str = "r") -> UUID:
    """Somebody on a shift, with the time in the calendar."""
    made = await house.put(
        "dispatch.assignment", id=uuid4(), shift_id=shift or uuid4(), person_id=person, role=role, state="confirmed",
        starts_at=begins, ends_at=ENDS,
    )  # fmt: skip
    during = asyncpg.Range(begins, ENDS)
    await house.put("calendar.booking", owner="dispatch", ref=made, person_id=person, during=during, kind="assignment")
    return made


async def test_nothing_is_wrong_where_nothing_is(house: Unguarded) -> None:
    await assigned(house, uuid4())

    assert await house.wrong() == set()


async def test_two_places_at_once(house: Unguarded) -> None:
    person = uuid4()
    await assigned(house, person)
    await assigned(house, person, begins=BEGINS + timedelta(hours=1))

    assert await house.wrong() == {"1 in two places, by the calendar", "1 in two places, by the services' own tables"}


async def test_a_calendar_that_says_otherwise(house: Unguarded) -> None:
    kept, gone = await assigned(house, uuid4()), await assigned(house, uuid4())
    await house.connection.execute("delete from calendar.booking where ref = $1", kept)
    await house.connection.execute("update dispatch.assignment set state = 'released' where id = $1", gone)

    assert await house.wrong() == {"1 held without its time in the calendar", "1 time in the calendar of nothing that is held"}


async def test_one_too_many_on_a_shift_at_other_times_and_unfit(house: Unguarded) -> None:
    operation = await house.put("dispatch.operation", id=uuid4(), requirement="testing_point")
    shift = await house.put("dispatch.shift", id=uuid4(), operation_id=operation, starts_at=BEGINS, ends_at=ENDS)
    await house.put("dispatch.shift_role", shift_id=shift, name="r", head_count=1)
    for _ in range(2):
        await assigned(house, uuid4(), shift=shift, begins=BEGINS + timedelta(hours=1))

    wrong = {"2 more people than asked for", "3 unfit and assigned", "10 on a shift at other times than its own"}
    assert await house.wrong() == wrong


async def test_orders_that_did_not_reach_and_deadlines_that_passed(house: Unguarded) -> None:
    past = datetime.now(UTC) - timedelta(hours=1)
    notice = await house.put("notifications.notice", id=uuid4(), audience_ids=[], head_count=2, deadline_at=past)
    person = uuid4()
    await house.put("notifications.recipient", notice_id=notice, person_id=person, read_at=past)
    for _ in range(2):
        alert = await house.put("notifications.alert", id=uuid4(), kind="missing", notice_id=notice, params="{}")
        await house.put("notifications.alert_person", alert_id=alert, person_id=person)
    await house.put("dispatch.parked")

    assert await house.wrong() == {
        "6 a deadline that passed without its reminder",
        "6 more than one alert of a deadline to one person",
        "7 people in no inbox",
        "8 acknowledged, and not counted so",
        "8 an event that a handler gave up",
    }


async def test_what_was_accepted_and_is_not_there(house: Unguarded) -> None:
    accepted = Accepted({"a"}, {"b"}, {("b", "c")}, {"d"}, [("e", BEGINS, ("c",))], 1)

    lost = {f"8 {what} lost" for what in ("sign-ups", "orders", "acknowledgements", "amendments")}
    assert await house.wrong(accepted) == lost | {"10 not told that their shift moved", "10 moved and not asked again"}
    assert len(RULES) == 12
