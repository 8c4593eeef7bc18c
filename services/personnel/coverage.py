"""Coverage: how the people on strength stand on a day, by department and by employment, and who is to be urged."""

import asyncio
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, get_args
from urllib.parse import quote
from uuid import UUID

from fastapi import Query, Response
from sqlalchemy import ColumnElement, and_, case, func, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from services.personnel.acts import looked
from services.personnel.reads import on_strength, standing_shown, stands
from services.personnel.rules import coverage_words as words
from services.personnel.rules.standing import CODES
from services.personnel.shapes import EXAMPLE_ID, DepartmentBrief, Employment, Language, PersonBrief, StandingCode, StandingShown
from services.personnel.tables import Department, Person, Standing
from shared.auth import Caller, require
from shared.below import with_everything_below
from shared.clock import today
from shared.db import Aside, Read, Tx, as_system
from shared.export import Table, Value, xlsx
from shared.refusals import wrong
from shared.service import Slice
from shared.web import Listed, PageNo, PageSize, Shown

coverage = Slice(prefix="/coverage", tags=["coverage"])

URGED = ("due", "overdue", "not_started", "unknown")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_A_FILE: dict[int | str, dict[str, Any]] = {200: {"content": {XLSX: {"schema": {"type": "string", "format": "binary"}}}}}

Buckets = dict[StandingCode, int]
OnDay = Annotated[date | None, Query(description="The day; today when it is not given", examples=["2021-08-04"])]
InDepartments = Annotated[list[UUID] | None, Query(max_length=50, description="Only these departments", examples=[[EXAMPLE_ID]])]


class DepartmentCoverage(Shown):
    """A department's own people, without those of departments below it."""

    department: DepartmentBrief
    total: int
    buckets: Buckets


class EmploymentCoverage(Shown):
    """The people of one kind of employment."""

    employment: Employment
    total: int
    buckets: Buckets


class Coverage(Shown):
    """How the people on strength stand on a day. Each set of buckets adds up to its total, and both lists to the whole."""

    on: date
    total: int
    buckets: Buckets
    by_department: list[DepartmentCoverage]
    by_employment: list[EmploymentCoverage]

    model_config = Shown.model_config | {
        "json_schema_extra": {
            "example": {
                "on": "2021-08-04",
                "total": 2,
                "buckets": {**dict.fromkeys(CODES, 0), "complete": 1, "due": 1},
                "by_department": [],
                "by_employment": [],
            }
        }
    }


class Urged(Shown):
    """Somebody to be urged. How they stand and since when is there only for those who may see it: a head is told the name alone."""

    person: PersonBrief
    number: str
    department: DepartmentBrief
    employment: Employment
    standing: StandingShown | None = None
    since_on: date | None = None
    declined: bool | None = None


class UrgeListed(Listed[Urged]):
    """A page of those to be urged today. Who declined stands at the end, apart, for those who may see it."""

    on: date
    declined_count: int | None = None


@coverage.get("")
async def show_coverage(caller: Annotated[Caller, require("coverage.read")], read: Read, on: OnDay = None) -> Coverage:
    """How everybody on strength stands on a day: who had joined by then and had not left, in the department they are in now. A head sees
    their own departments. 422 for a day that is none of ours."""
    return await _coverage(read, caller, _day(on))


@coverage.get("/export", response_class=Response, responses=_A_FILE)
async def export_coverage(
    caller: Annotated[Caller, require("coverage.read")], tx: Tx, on: OnDay = None, lang: Language = "zh-Hans"
) -> Response:
    """The same as a workbook, one sheet by department and one by employment. On record with who, filter and count."""
    found = await _coverage(tx, caller, _day(on))
    looked(tx, "export", [], {"list": "coverage", "on": found.on.isoformat(), "lang": lang}, found.total)
    say = words.WORDS[lang]
    about = [say["coverage"], f"{say['on']} {found.on.isoformat()}"]
    codes = [say[code] for code in CODES]

    def row(name: str, total: int, buckets: Buckets) -> list[Value]:
        return [name, total, *(buckets[code] for code in CODES)]

    everybody = row(say["all"], found.total, found.buckets)
    by_department = [row(one.department.name, one.total, one.buckets) for one in found.by_department]
    by_employment = [row(say[one.employment], one.total, one.buckets) for one in found.by_employment]
    tables = (
        Table(say["by_department"], [say["department"], say["total"], *codes], [*by_department, everybody], about),
        Table(say["by_employment"], [say["employment"], say["total"], *codes], [*by_employment, everybody], about),
    )
    return _file(await asyncio.to_thread(xlsx, *tables), f"{say['coverage']} {found.on.isoformat()}", "coverage")


@coverage.get("/urge")
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


@coverage.get("/urge/export", response_class=Response, responses=_A_FILE)
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
    return _file(await asyncio.to_thread(xlsx, table), f"{say['urge']} {on.isoformat()}", "urge")


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


def _day(on: date | None) -> date:
    if on is not None and on.year < 1900:
        raise wrong("on", "too_long_ago")
    if on is not None and on.year > 2200:  # the calendar's last days are those on which nothing ends any more
        raise wrong("on", "date_unreadable", text=on.isoformat())
    return on or today()


async def _coverage(read: AsyncSession, caller: Caller, on: date) -> Coverage:
    """One statement counts, one names the departments; counted behind the door, by the reach of the caller."""
    code = func.coalesce(Standing.code, "unknown")
    by = (Person.department_id, Person.employment, code)
    counts = select(*by, func.count()).select_from(Person).join(Standing, stands(on), isouter=True)  # nobody falls out of the head-count
    mine = _within(caller, "coverage.read")
    async with as_system(read):
        counted = await read.execute(counts.where(on_strength(on), mine).group_by(*by))
        cells: list[tuple[UUID, Employment, StandingCode, int]] = list(counted)  # type: ignore[arg-type]
        wanted = select(Department.id, Department.name).order_by(Department.sort_key, Department.id)
        departments = (await read.execute(wanted)).all()
    whole, by_department, by_employment = _empty(), dict[UUID, Buckets](), dict[Employment, Buckets]()
    for department_id, employment, found, count in cells:
        for buckets in (whole, by_department.setdefault(department_id, _empty()), by_employment.setdefault(employment, _empty())):
            buckets[found] += count
    return Coverage(
        on=on,
        total=sum(whole.values()),
        buckets=whole,
        by_department=[
            DepartmentCoverage(
                department=DepartmentBrief(id=one, name=name), total=sum(by_department[one].values()), buckets=by_department[one]
            )
            for one, name in departments
            if one in by_department
        ],
        by_employment=[
            EmploymentCoverage(employment=one, total=sum(by_employment[one].values()), buckets=by_employment[one])
            for one in get_args(Employment)
            if one in by_employment
        ],
    )


def _empty() -> Buckets:
    return dict.fromkeys(CODES, 0)


def _people(*columns: Any, on: date) -> Any:
    return select(*columns).select_from(Person).join(Standing, stands(on))


def _within(caller: Caller, action: str) -> ColumnElement[bool]:
    """The people of the departments that an action reaches; one's own row alone is no reason to be counted in somebody else's."""
    reach = caller.reach(action)
    return true() if reach.everything else Person.department_id.in_(with_everything_below(Department, reach.departments))


def _sees_standings(caller: Caller) -> bool:
    return caller.reach("standing.read").everything


def _urged(caller: Caller, department_id: list[UUID] | None, on: date) -> list[ColumnElement[bool]]:
    codes = (*URGED, "declined") if _sees_standings(caller) else URGED
    too_young = and_(Standing.notes.contains(["under_age"]), Standing.valid_count == 0)
    which = [on_strength(on), _within(caller, "urge.read"), Standing.code.in_(codes), ~too_young]
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


def _file(content: bytes, name: str, plain: str) -> Response:
    disposition = f"attachment; filename=\"{plain}.xlsx\"; filename*=UTF-8''{quote(name)}.xlsx"
    return Response(content, media_type=XLSX, headers={"Content-Disposition": disposition, "Cache-Control": "no-store"})
