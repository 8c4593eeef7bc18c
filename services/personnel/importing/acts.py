"""What imports ask of and write to the database in bulk, as SYSTEM behind the slice's door: COPY in, COPY out, one statement a table."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

import asyncpg
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.personnel.acts import (
    keep_calendars,
    plan_removal,
    tell_contacts,
    tell_departments,
    tell_fitness,
    tell_people,
)
from services.personnel.importing.process import Child, chunks
from services.personnel.rules.names import sort_key
from services.personnel.tables import Department, Person
from shared.bookings import hold_time_of
from shared.db import lock
from shared.events import PEOPLE_IN_ONE, ContactState, FitnessState, HealthRecordChanged, PersonState
from shared.messaging.outbox import publish_all

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

_KNOWN = """
    with them as materialized (select p.id from person p join wanted using (number)),
    given as (
        select person_id, count(*) as rows_count,
            json_agg(json_build_array(id, given_on, product, lot, place, withdrawn) order by given_on, product, id)
                filter (where not superseded and programme = 'covid19') as told
        from dose where person_id in (select id from them) group by person_id
    ),
    said as (
        select person_id, count(*) as rows_count, json_agg(json_build_array(kind, "on") order by "on", recorded_at)
            filter (where programme = 'covid19') as told
        from statement where person_id in (select id from them) group by person_id
    ),
    excused as (
        select person_id, count(*) as rows_count, json_agg(json_build_array(kind, from_on, until_on)) as told
        from exemption where person_id in (select id from them) and state = 'approved' and programme = 'covid19' group by person_id
    )
    select p.id, p.number, p.name, d.name, p.employment, p.phone, p.email, p.born_on, p.joined_on, p.left_on,
        concat_ws('.', p.version, coalesce(g.rows_count, 0), coalesce(s.rows_count, 0), coalesce(e.rows_count, 0)) as seen,
        g.told, s.told, e.told
    from them join person p on p.id = them.id join department d on d.id = p.department_id
    left join given g on g.person_id = p.id left join said s on s.person_id = p.id left join excused e on e.person_id = p.id
"""
"""`seen`: the version counts what is said of a person, and doses and statements are only ever added. The columns go by place: in the
order in which records.on_record takes them apart."""

_STAGE = """
    create temp table stage_person (row_no integer, id uuid, fresh boolean, moved boolean, record boolean, leaving boolean, reached boolean,
        number text, name text, sort_key text, findable text, pieces text[], department_id uuid, employment text, phone text, email text,
        born_on date, joined_on date, left_on date) on commit drop;
    create temp table stage_dose (id uuid, person_id uuid, given_on date, product text, lot text, place text, corrects_id uuid)
        on commit drop;
    create temp table stage_statement (id uuid, person_id uuid, kind text) on commit drop;
    create temp table stage_standing (person_id uuid, programme text, from_on date, until_on date, code text, valid_count integer,
        needed_count integer, next_from_on date, next_until_on date, exempt_until_on date, notes text[]) on commit drop;
    create temp table stage_fitness (person_id uuid, rule text, fit_from timestamptz, fit_until timestamptz) on commit drop;
    create temp table told_fitness (person_id uuid, rule text, fit_from timestamptz, fit_until timestamptz, version integer)
        on commit drop;
"""
"""COPY goes by place, not by name: the columns stand in the order of the lines that effect.py writes."""
_STAGES = {
    "stage_person": "row_no, id, fresh, moved, record, leaving, reached",
    "stage_dose": "person_id, corrects_id",
    "stage_statement": "person_id",
    "stage_standing": "person_id",
    "stage_fitness": "person_id",
}
"""Each with the columns by which its rows are found: of the others PostgreSQL need know nothing to plan well."""
_SEEN_NOW = """
    select i.row_no from stage_person t join import_row i on i.import_id = $1 and i.row_no = t.row_no join person p on p.id = t.id
    where not t.fresh and i.seen is distinct from concat_ws('.', p.version,
        (select count(*) from dose d where d.person_id = p.id), (select count(*) from statement s where s.person_id = p.id),
        (select count(*) from exemption e where e.person_id = p.id and e.state = 'approved' and e.programme = 'covid19'))
"""
_STANDING = "person_id, programme, from_on, until_on, code, valid_count, needed_count, next_from_on, next_until_on, exempt_until_on, notes"
_PERSON = "number, name, sort_key, findable, pieces, department_id, employment, phone, email, born_on, joined_on, left_on"


class Overtaken(Exception):
    """Somebody made the same department a moment before; the job is tried again and finds it."""


class Entered(NamedTuple):
    """Who committed the import, and when."""

    by: UUID | None
    by_name: str
    at: datetime


async def connection_of(tx: AsyncSession, seconds: int) -> Connection:
    """The transaction's own connection; the statement that gives it its time makes sure that it has begun, or COPY would run outside.

    The house plans every statement anew, also the one by which PostgreSQL looks a foreign key up: for 400,000 rows that is most of the
    work. Here it may keep its plans."""
    session = await tx.connection()
    await session.exec_driver_sql(f"set local statement_timeout = '{int(seconds)}s'")
    await session.exec_driver_sql("set local plan_cache_mode = 'auto'")
    raw = await session.get_raw_connection()
    found = raw.driver_connection
    assert found is not None
    return found  # type: ignore[no-any-return]


async def send_known(connection: Connection, child: Child, numbers: AsyncIterator[bytes]) -> None:
    """Everybody whose number stands in the list goes to the child."""
    await connection.execute("create temp table wanted (number text) on commit drop")
    await connection.copy_to_table("wanted", source=numbers)
    await connection.execute("analyze wanted")
    await _copy_out(connection, child, 1, _KNOWN)


async def send_part(connection: Connection, child: Child, import_id: UUID, part: int, parts: int) -> None:
    """The rows that would write go to the child, and everybody of whom they speak: one part of so many."""
    which = "import_id = $1 and outcome in ('new', 'changed') and row_no % $2 = $3"
    await connection.execute("create temp table if not exists wanted (number text) on commit drop")
    await connection.execute("delete from wanted")
    await connection.execute(f"insert into wanted select number from import_row where {which}", import_id, parts, part)  # noqa: S608
    await connection.execute("analyze wanted")
    await _copy_out(connection, child, 1, _KNOWN)
    rows = f"select row_no, number, parsed, seen from import_row where {which} order by row_no"  # noqa: S608
    await _copy_out(connection, child, 2, rows, import_id, parts, part)


async def _copy_out(connection: Connection, child: Child, channel: int, query: str, *given: Any) -> None:
    async def take(data: bytes) -> None:
        await child.send(channel, bytes(data))

    await connection.copy_from_query(query, *given, output=take)


async def department_ids(tx: AsyncSession) -> dict[str, str]:
    """Name → id of every department."""
    return {name: str(one) for one, name in await tx.execute(select(Department.id, Department.name))}


async def keep_rows(connection: Connection, import_id: UUID, child: Child) -> None:
    """The rows of a preview take the place of an earlier one's."""
    await connection.execute("delete from import_row where import_id = $1", import_id)
    columns = ["import_id", "row_no", "outcome", "person_id", "number", "name", "parsed", "changes", "errors", "warnings", "seen"]
    await connection.copy_to_table("import_row", source=chunks(child.file(3)), columns=columns)


async def add_departments(tx: AsyncSession, made: Mapping[str, str]) -> None:
    """The departments (name → id) that a person chose to make. One that came in between makes the commit begin anew."""
    if not made:
        return
    await lock(tx, "departments", "tree")
    if await tx.scalar(select(Department.id).where(Department.name.in_(made)).limit(1)):
        raise Overtaken
    rows = [Department(id=UUID(one), name=name, sort_key=sort_key(name), version=1) for name, one in made.items()]
    tx.add_all(rows)
    await tx.flush()
    await tell_departments(tx, rows)


_FITNESS = """
    with kept as (
        insert into fitness (person_id, rule, fit_from, fit_until, version)
        select person_id, rule, fit_from, fit_until, 1 from stage_fitness t
        where fit_from is not null or exists (select from fitness f where f.person_id = t.person_id and f.rule = t.rule)
        on conflict (person_id, rule) do update
        set fit_from = excluded.fit_from, fit_until = excluded.fit_until, version = fitness.version + 1
        where (fitness.fit_from, fitness.fit_until) is distinct from (excluded.fit_from, excluded.fit_until)
        returning person_id, rule, fit_from, fit_until, version
    )
    insert into told_fitness select person_id, rule, fit_from, fit_until, version from kept
"""


async def write_effect(
    tx: AsyncSession, connection: Connection, import_id: UUID, parts: Sequence[Child], entered: Entered, today: date
) -> set[int]:
    """Write what the children computed, for every row whose person is still the one that was seen; answers the rows that were not.

    Each table is written in the order of its index: two children's rows one after the other would go through it twice.
    """
    # what waits for the index of the search goes into it at once and not in a hundred portions: see tidy
    await connection.execute("set local gin_pending_list_limit = '1GB'")
    await connection.execute(_STAGE)
    for channel, (table, asked) in enumerate(_STAGES.items(), 2):
        for child in parts:
            await connection.copy_to_table(table, source=chunks(child.file(channel)))
        await connection.execute(f"analyze {table} ({asked})")
    if leaving := [row[0] for row in await connection.fetch("select id from stage_person where leaving")]:
        await hold_time_of(tx, *leaving)  # before their rows, as everywhere
    await connection.execute(
        "select id from person where id in (select id from stage_person where not fresh) order by id for no key update"
    )
    stale = {row[0] for row in await connection.fetch(_SEEN_NOW, import_id)}
    moment = entered.at
    await _leave_out(connection, stale)
    await connection.execute(
        f"insert into person (id, {_PERSON}, version, created_at, changed_at) select id, {_PERSON}, 1, $1, $1 from stage_person"  # noqa: S608
        " where fresh order by id on conflict (number) do nothing",
        moment,
    )
    lost = await connection.fetch("select row_no from stage_person t where fresh and not exists (select from person p where p.id = t.id)")
    await _leave_out(connection, {row[0] for row in lost})
    await connection.execute(
        f"update person p set ({_PERSON}, version, changed_at) = "  # noqa: S608
        f"({', '.join('t.' + one for one in _PERSON.split(', '))}, p.version + 1, $1)"
        " from stage_person t where t.id = p.id and not t.fresh and t.moved",
        moment,
    )
    await connection.execute("update dose set superseded = true where id in (select corrects_id from stage_dose)")
    await connection.execute(
        "insert into dose (id, person_id, programme, product, given_on, lot, place, source, note, corrects_id, superseded, withdrawn,"
        " entered_by, entered_by_name, entered_at) select id, person_id, 'covid19', product, given_on, lot, place, 'import', null,"
        " corrects_id, false, false, $1, $2, $3 from stage_dose order by person_id",
        *entered,
    )
    await connection.execute(
        'insert into statement (id, person_id, programme, kind, "on", note, recorded_by, recorded_by_name, recorded_at)'
        " select id, person_id, 'covid19', kind, $4, null, $1, $2, $3 from stage_statement",
        *entered,
        today,
    )
    await connection.execute(
        "delete from standing s using stage_person t where s.person_id = t.id and t.record and not t.fresh and s.programme = 'covid19'"
    )
    await connection.execute(f"insert into standing ({_STANDING}) select {_STANDING} from stage_standing order by person_id, from_on")  # noqa: S608
    await connection.execute(_FITNESS)
    return stale | {row[0] for row in lost}


async def _leave_out(connection: Connection, stale: set[int]) -> None:
    if not stale:
        return
    ids = [row[0] for row in await connection.fetch("delete from stage_person where row_no = any($1) returning id", list(stale))]
    for table in [*_STAGES][1:]:
        await connection.execute(f"delete from {table} where person_id = any($1)", ids)  # noqa: S608


async def tidy(connection: Connection) -> None:
    """After so many new rows at once: without this every search reads the whole table until autovacuum has come by."""
    await connection.execute("select gin_clean_pending_list('person_pieces_idx')")
    await connection.execute("analyze person, dose, standing")


async def tell_effect(tx: AsyncSession, connection: Connection) -> None:
    """Tell who was added or changed, in pieces, so that requests are answered in between."""
    query = (
        "select id, number, name, sort_key, department_id, employment, left_on,"
        " case when fresh then 1 else (select version from person p where p.id = t.id) end as version from stage_person t where moved"
        " order by row_no"
    )
    async for piece in _pieces(connection, query):
        await tell_people(tx, [PersonState.model_construct(**dict(row)) for row in piece])
    async for piece in _pieces(connection, "select id from stage_person where record order by row_no"):
        ids = [row[0] for row in piece]
        starts = range(0, len(ids), PEOPLE_IN_ONE)
        await publish_all(tx, [HealthRecordChanged(person_ids=ids[start : start + PEOPLE_IN_ONE]) for start in starts])
    async for piece in _pieces(connection, "select person_id, rule, fit_from, fit_until, version from told_fitness"):
        await tell_fitness(tx, [FitnessState.model_construct(**dict(row)) for row in piece])
    query = (
        "select id as person_id, phone, email, case when fresh then 1 else (select version from person p where p.id = t.id) end as version"
        " from stage_person t where reached order by row_no"
    )
    async for piece in _pieces(connection, query):
        await tell_contacts(tx, [ContactState.model_construct(**dict(row)) for row in piece])
    leaving = [row[0] for row in await connection.fetch("select id from stage_person where leaving")]
    for start in range(0, len(leaving), 1000):
        people = list(await tx.scalars(select(Person).where(Person.id.in_(leaving[start : start + 1000]))))
        await keep_calendars(tx, {person.id: person.left_on for person in people})
        for person in people:
            await plan_removal(tx, person)


async def _pieces(connection: Connection, query: str) -> AsyncIterator[list[asyncpg.Record]]:
    cursor = await connection.cursor(query)
    while piece := await cursor.fetch(5 * PEOPLE_IN_ONE):
        yield piece
