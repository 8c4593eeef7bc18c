"""What personnel told us of people and departments. The newer version wins, in any order; a telling removes what it left out."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, DateTime, Uuid, cast, delete, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.identity.rules import has_left
from services.identity.tables import Account, Activation, KnownDepartment, KnownPerson, Look, Role, Session
from shared.clock import now, real_now, today
from shared.due import later
from shared.events import PEOPLE_IN_ONE, DepartmentsChanged, PeopleChanged, PeopleRemoved, SessionsEnded, StateTold
from shared.house import Due
from shared.messaging.outbox import publish
from shared.service import Slice

known = Slice()

TELLING_SETTLES = timedelta(seconds=2)
TELLING_GIVES_UP = timedelta(hours=1)

_PERSON = ("id", "number", "name", "sort_key", "department_id", "employment", "phone_last4", "left_on", "version")
_DEPARTMENT = ("id", "name", "parent_id", "head_id", "reporter_id", "deputy_id", "version")


async def _remember(tx: AsyncSession, table: Any, names: tuple[str, ...], rows: list[Any], telling: UUID | None) -> None:
    """One statement for all rows of an event: arrays, unnested, upserted where they are newer."""
    if not rows:
        return
    newest = {row.id: row for row in sorted(rows, key=lambda one: one.version)}  # one row a command, else PostgreSQL refuses the upsert
    arrays = [cast([getattr(row, name) for row in newest.values()], ARRAY(table.__table__.c[name].type)) for name in names]
    told = func.unnest(*arrays).table_valued(*names, name="told").render_derived()
    heard = select(*(told.c[name] for name in names), literal(telling, Uuid()), literal(now(), DateTime(timezone=True)))
    upsert = insert(table).from_select([*names, "telling", "heard_at"], heard)
    fresh = {name: upsert.excluded[name] for name in (*names[1:], "heard_at")}
    await tx.execute(upsert.on_conflict_do_update(index_elements=["id"], set_=fresh, where=table.version < upsert.excluded.version))
    if telling is not None:
        told_again = update(table).where(table.id.in_(newest)).values(telling=telling, heard_at=now())
        await tx.execute(told_again.execution_options(synchronize_session=False))


@known.on(PeopleChanged)
async def remember_people(event: PeopleChanged, tx: AsyncSession) -> None:
    """People were added or changed; the sessions of those who left end."""
    await _remember(tx, KnownPerson, _PERSON, event.people, event.telling)
    if left := [person.id for person in event.people if has_left(person.left_on, today())]:
        await _end_sessions_of(tx, left)


@known.on(DepartmentsChanged)
async def remember_departments(event: DepartmentsChanged, tx: AsyncSession) -> None:
    """Departments were added or changed, or others answer for them."""
    await _remember(tx, KnownDepartment, _DEPARTMENT, event.departments, event.telling)


@known.on(PeopleRemoved)
async def forget_people(event: PeopleRemoved, tx: AsyncSession) -> None:
    """Their keep time is over: accounts, codes and roles go; looks stay until theirs is, without the names of those who are gone."""
    gone = event.person_ids
    await _end_sessions_of(tx, gone)
    await tx.execute(delete(Account).where(Account.person_id.in_(gone)))
    await tx.execute(delete(Activation).where(Activation.person_id.in_(gone)))
    await tx.execute(delete(Role).where(Role.person_id.in_(gone)))
    await tx.execute(delete(KnownPerson).where(KnownPerson.id.in_(gone)))
    by_them = update(Look).where(Look.looker_id.in_(gone)).values(looker_id=None, account_id=None, looker_name="")
    await tx.execute(by_them.execution_options(synchronize_session=False))
    for person_id in gone:
        at_them = update(Look).where(Look.person_ids.contains([person_id])).values(person_ids=func.array_remove(Look.person_ids, person_id))
        await tx.execute(at_them.execution_options(synchronize_session=False))


@known.on(StateTold)
async def end_telling(event: StateTold, tx: AsyncSession) -> None:
    """The telling is over. Its events may still be on their way, so what was not told is removed a little later, when all are here."""
    payload = {
        "telling": str(event.telling),
        "people_count": event.people_count,
        "departments_count": event.departments_count,
        "began_at": event.began_at.isoformat(),
    }
    await later(tx, "telling.end", str(event.telling), now(), payload)


@known.due("telling.end")
async def remove_untold(tx: AsyncSession, row: Due) -> None:
    """Remove what the telling left out, once as many are here as were told; fewer means that some are still on their way."""
    telling, began_at = UUID(row.payload["telling"]), datetime.fromisoformat(row.payload["began_at"])
    for table, count in ((KnownPerson, row.payload["people_count"]), (KnownDepartment, row.payload["departments_count"])):
        here = await tx.scalar(select(func.count()).select_from(table).where(table.telling == telling))
        if (here or 0) < count:
            if now() - began_at < TELLING_GIVES_UP:  # somebody removed meanwhile never comes: then one tells again
                await later(tx, row.kind, row.key, now() + TELLING_SETTLES, row.payload)
            return
    for table in (KnownPerson, KnownDepartment):
        untold = delete(table).where(table.telling.is_distinct_from(telling), table.heard_at < began_at)
        await tx.execute(untold.execution_options(synchronize_session=False))


async def _end_sessions_of(tx: AsyncSession, person_ids: list[UUID]) -> None:
    accounts = select(Account.id).where(Account.person_id.in_(person_ids))
    ended = (
        update(Session)
        .where(Session.account_id.in_(accounts), Session.ended_at.is_(None))
        .values(ended_at=real_now())
        .returning(Session.id)
    )
    ids = list((await tx.execute(ended.execution_options(synchronize_session=False))).scalars())
    for start in range(0, len(ids), PEOPLE_IN_ONE):
        publish(tx, SessionsEnded(session_ids=ids[start : start + PEOPLE_IN_ONE]))
