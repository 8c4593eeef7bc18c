"""What personnel tells everybody of people and departments, as each service keeps it. The newer version wins, in any order; a telling
removes what it left out."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, DateTime, Update, Uuid, bindparam, cast, delete, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from shared.clock import now
from shared.due import later
from shared.events import DepartmentsChanged, PeopleChanged, PeopleRemoved, PersonState, StateTold
from shared.house import Due
from shared.service import Slice

GONE = "–"
"""Where a reason or a name was that has to be there, of somebody whose keep time is over."""
TELLING_SETTLES = timedelta(seconds=2)
TELLING_GIVES_UP = timedelta(hours=1)

Changed = Callable[[AsyncSession, Sequence[PersonState]], Awaitable[None]]
Removed = Callable[[AsyncSession, Sequence[UUID]], Awaitable[None]]


class PersonColumns:
    """Who somebody is here; a service's own table `known_person` has these columns, and more where it was told more."""

    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[str]
    name: Mapped[str]
    sort_key: Mapped[str]
    department_id: Mapped[UUID]
    employment: Mapped[str]
    left_on: Mapped[date | None]
    version: Mapped[int]
    telling: Mapped[UUID | None]
    heard_at: Mapped[datetime]


class DepartmentColumns:
    """A department and those who answer for it; a service's own table `known_department` has these columns."""

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    parent_id: Mapped[UUID | None]
    head_id: Mapped[UUID | None]
    reporter_id: Mapped[UUID | None]
    deputy_id: Mapped[UUID | None]
    version: Mapped[int]
    telling: Mapped[UUID | None]
    heard_at: Mapped[datetime]


async def blank(tx: AsyncSession, statement: Update) -> None:
    """Blank what is kept of people whose keep time is over: in the store alone, since nobody has these rows in hand."""
    await tx.execute(statement.execution_options(synchronize_session=False))


def _kept(table: Any) -> list[str]:
    """What is kept of a row: the table's columns, but for `heard_at` and, where its owner tells its whole state again, `telling`."""
    return [column.name for column in table.__table__.c if column.name not in ("telling", "heard_at")]


@cache
def _upsert(table: Any, key: tuple[str, ...]) -> Any:
    """One statement for all rows of an event, composed once: arrays, unnested, upserted where they are newer."""
    columns, names = table.__table__.c, _kept(table)
    arrays = [cast(bindparam(f"all_{name}"), ARRAY(columns[name].type)) for name in names]
    told = func.unnest(*arrays).table_valued(*names, name="told").render_derived()
    beside: dict[str, Any] = {"heard_at": cast(bindparam("at"), DateTime(timezone=True))}
    if "telling" in columns:
        beside["telling"] = cast(bindparam("in_telling"), Uuid())
    heard = select(*(told.c[name] for name in names), *beside.values())
    upsert = insert(table.__table__).from_select([*names, *beside], heard)
    fresh = {name: upsert.excluded[name] for name in (*names, "heard_at") if name not in key}
    return upsert.on_conflict_do_update(index_elements=key, set_=fresh, where=columns.version < upsert.excluded.version)


async def remember(tx: AsyncSession, table: Any, rows: Sequence[Any], telling: UUID | None, *, key: Sequence[str] = ("id",)) -> None:
    """Keep the rows of an event, each unless a newer one is here."""
    if not rows:
        return
    newest = {tuple(getattr(row, name) for name in key): row for row in sorted(rows, key=lambda one: one.version)}
    values = {f"all_{name}": [getattr(row, name) for row in newest.values()] for name in _kept(table)}
    await tx.execute(_upsert(table, tuple(key)), {**values, "at": now(), "in_telling": telling})
    if telling is not None:
        this = tuple_(*(table.__table__.c[name] for name in key))
        told_again = update(table).where(this.in_(list(newest))).values(telling=telling, heard_at=now())
        await tx.execute(told_again.execution_options(synchronize_session=False))


def known_people(
    person: Any, department: Any, beside: Mapping[str, Any] | None = None, *, changed: Changed | None = None, removed: Removed | None = None
) -> Slice:
    """The slice that hears of people and departments into these two tables. `beside` are the service's other tables that a telling fills,
    by their name in `StateTold.counts`. `changed` and `removed` are what a service does about it, in the same transaction."""
    known = Slice()
    tables = {"people": person, "departments": department} | dict(beside or {})

    @known.on(PeopleChanged)
    async def remember_people(event: PeopleChanged, tx: AsyncSession) -> None:
        await remember(tx, person, event.people, event.telling)
        if changed is not None:
            await changed(tx, event.people)

    @known.on(DepartmentsChanged)
    async def remember_departments(event: DepartmentsChanged, tx: AsyncSession) -> None:
        await remember(tx, department, event.departments, event.telling)

    @known.on(PeopleRemoved)
    async def forget_people(event: PeopleRemoved, tx: AsyncSession) -> None:
        if removed is not None:
            await removed(tx, event.person_ids)
        await tx.execute(delete(person).where(person.id.in_(event.person_ids)))

    @known.on(StateTold)
    async def end_telling(event: StateTold, tx: AsyncSession) -> None:
        """The telling is over. Its events may still be on their way, so what was not told is removed a little later, when all are here."""
        payload = event.model_dump(mode="json")
        await later(tx, "telling.end", str(event.telling), now(), payload)

    @known.due("telling.end")
    async def remove_untold(tx: AsyncSession, row: Due) -> None:
        """Remove what the telling left out, once as many are here as were told; fewer means that some are still on their way. Whoever was
        left out is gone, as if their removal had been heard."""
        telling, began_at = UUID(row.payload["telling"]), datetime.fromisoformat(row.payload["began_at"])
        for name, table in tables.items():
            here = await tx.scalar(select(func.count()).select_from(table).where(table.telling == telling))
            if (here or 0) < row.payload["counts"][name]:
                if now() - began_at < TELLING_GIVES_UP:  # somebody removed meanwhile never comes: then one tells again
                    await later(tx, row.kind, row.key, now() + TELLING_SETTLES, row.payload)
                return
        untold = {table: (table.telling.is_distinct_from(telling), table.heard_at < began_at) for table in tables.values()}
        gone = list(await tx.scalars(select(person.id).where(*untold[person])))
        if gone and removed is not None:
            await removed(tx, gone)
        for table, which in untold.items():
            await tx.execute(delete(table).where(*which).execution_options(synchronize_session=False))

    return known
