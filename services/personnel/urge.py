"""The urge list: who is due, overdue, has not begun or is unknown today, for whoever speaks to them; a page at a time or as a workbook."""

import asyncio
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response
from pydantic import Field
from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.personnel.acts import looked
from services.personnel.reads import on_strength, standing_shown, stands, to_be_urged, within
from services.personnel.rules import export_words as words
from services.personnel.shapes import DepartmentBrief, Employment, Language, PersonBrief, StandingShown
from services.personnel.tables import Department, Person, Standing
from shared.auth import Caller, require
from shared.clock import today
from shared.db import Aside, Tx, as_system
from shared.export import A_FILE, Table, Value, download, xlsx
from shared.service import Slice
from shared.story import example_id
from shared.web import Listed, PageNo, PageSize, Shown

urge = Slice(prefix="/coverage/urge", tags=["coverage"])

InDepartments = Annotated[
    list[UUID] | None, Query(max_length=50, description="Only these departments", examples=[[example_id("department")]])
]


class Urged(Shown):
    """Somebody to be urged. How they stand and since when is there only for those who may see it: a head is told the name alone."""

    person: PersonBrief
    number: str
    department: DepartmentBrief
    employment: Employment
    standing: StandingShown | None = None
    since_on: date | None = Field(None, examples=["2021-07-04"])
    declined: bool | None = None


class UrgeListed(Listed[Urged]):
    """A page of those to be urged today. Who declined stands at the end, apart, for those who may see it."""

    on: date
    declined_count: int | None = Field(None, examples=[0])


@urge.get("")
async def list_urged(
    caller: Annotated[Caller, require("urge.read")],
    tx: Tx,
    department_id: InDepartments = None,
    page: PageNo = 1,
    page_size: PageSize = 50,
) -> UrgeListed:
    """Who is to be urged today: due, overdue, not started or unknown; those below the age who have had no dose are not. A head sees the
    names of their own departments, without reasons, dates or doses. A look, recorded."""
    on, inside = today(), _sees_standings(caller)
    which = _urged(caller, department_id, on)
    async with as_system(tx):
        counted = await tx.execute(_people(func.count(), func.count().filter(Standing.code == "declined"), on=on).where(*which))
        total, declined_count = counted.one()
        found = await _urged_rows(tx, which, on, inside, page, page_size)
    asked = {"list": "urge", "department_id": department_id, "page": page}
    looked(tx, "list", [one.person.id for one in found], {name: value for name, value in asked.items() if value})
    return UrgeListed(
        items=found, total=total, page=page, page_size=page_size, on=on, declined_count=int(declined_count) if inside else None
    )


@urge.get("/export", response_class=Response, responses=A_FILE)
async def export_urged(
    caller: Annotated[Caller, require("urge.read")], apart: Aside, department_id: InDepartments = None, lang: Language = "zh-Hans"
) -> Response:
    """All of the urge list as a workbook, to the extent that the caller sees it. On record with who, filter and count."""
    on, say = today(), words.WORDS[lang]
    asked = {"list": "urge", "department_id": department_id, "lang": lang}
    async with apart(caller) as tx:  # over before the workbook is written, which takes seconds for 50,000 people
        found = await _urged_cells(tx, caller, department_id, on)
        looked(tx, "export", [one[0] for one in found], {name: value for name, value in asked.items() if value}, len(found))
    headings = [say[one] for one in ("number", "name", "department", "employment")]
    if _sees_standings(caller):
        headings += [say[one] for one in ("standing", "since_on", "next_from_on", "next_until_on", "valid_count", "needed_count")]
    about = [say["urge"], f"{say['on']} {on.isoformat()}", f"{say['total']} {len(found)}"]
    table = Table(say["urge"], headings, (_said(one[1:], say) for one in found), about)
    return download(await asyncio.to_thread(xlsx, table), f"{say['urge']} {on.isoformat()}", "urge")


async def _urged_cells(tx: AsyncSession, caller: Caller, department_id: list[UUID] | None, on: date) -> Sequence[Sequence[Any]]:
    """The rows of the workbook, with the person's id before them; what the caller may not see is not asked for."""
    columns: list[Any] = [Person.id, Person.number, Person.name, Department.name, Person.employment]
    if _sees_standings(caller):
        columns += [Standing.code, Standing.from_on, Standing.next_from_on, Standing.next_until_on]
        columns += [Standing.valid_count, Standing.needed_count]
    async with as_system(tx):
        return (await tx.execute(_in_order(_people(*columns, on=on), _urged(caller, department_id, on)))).all()


def _said(cells: Sequence[Any], say: dict[str, str]) -> list[Value]:
    number, name, department, employment, *how = cells
    row: list[Value] = [number, name, department, say[employment]]
    if how:
        code, since_on, *rest = how
        row += [say[code], since_on if since_on > date.min else None, *rest]
    return row


def _people(*columns: Any, on: date) -> Any:
    return select(*columns).select_from(Person).join(Standing, stands(on))


def _sees_standings(caller: Caller) -> bool:
    return caller.reach("standing.read").everything


def _urged(caller: Caller, department_id: list[UUID] | None, on: date) -> list[ColumnElement[bool]]:
    codes = ("declined",) if _sees_standings(caller) else ()
    which = [on_strength(on), within(caller, "urge.read"), to_be_urged(*codes)]
    return [*which, Person.department_id.in_(department_id)] if department_id else which


def _in_order(wanted: Any, which: list[ColumnElement[bool]]) -> Any:
    """Those to be urged, by department and name; who declined stands at the end."""
    apart = case((Standing.code == "declined", 1), else_=0)
    return (
        wanted.join(Department, Department.id == Person.department_id)
        .where(*which)
        .order_by(apart, Department.sort_key, Person.sort_key, Person.id)
    )


async def _urged_rows(tx: AsyncSession, which: list[ColumnElement[bool]], on: date, inside: bool, page: int, page_size: int) -> list[Urged]:
    columns = (Person.id, Person.number, Person.name, Person.employment, Department.id, Department.name, Standing)
    found = await tx.execute(_in_order(_people(*columns, on=on), which).limit(page_size).offset((page - 1) * page_size))
    return [
        Urged(
            person=PersonBrief(id=person_id, name=name),
            number=number,
            department=DepartmentBrief(id=department_id, name=department_name),
            employment=employment,
            standing=standing_shown(standing, standing.programme, on) if inside else None,
            since_on=standing.from_on if inside and standing.from_on > date.min else None,
            declined=standing.code == "declined" if inside else None,
        )
        for person_id, number, name, employment, department_id, department_name, standing in found
    ]
