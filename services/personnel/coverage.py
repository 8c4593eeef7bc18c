"""Coverage: how the people on strength stand on a day, by department and by employment; of departments alone, how many are to be urged."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Annotated, NamedTuple, Required, TypedDict, get_args
from uuid import UUID

from fastapi import Query, Response
from pydantic import Field
from sqlalchemy import func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.personnel.acts import looked
from services.personnel.reads import on_strength, stands, to_be_urged, within
from services.personnel.rules import export_words as words
from services.personnel.rules.small_counts import may_be_told
from services.personnel.rules.standing import CODES
from services.personnel.shapes import DepartmentBrief, Employment, Language, StandingCode
from services.personnel.tables import Department, Person, Standing
from shared.auth import Caller, require
from shared.clock import today
from shared.db import Read, Tx, as_system
from shared.export import A_FILE, Table, Value, download, xlsx
from shared.refusals import wrong
from shared.service import Slice
from shared.web import Shown

coverage = Slice(prefix="/coverage", tags=["coverage"])

Buckets = dict[StandingCode, int]
LAST_DAY = date(2200, 12, 31)
OnDay = Annotated[
    date | None,
    Query(description="The day; today when it is not given. Whoever sees departments alone sees today alone", examples=["2021-08-04"]),
]


class Counted(Shown):
    """People, and how they stand. Whoever sees coverage of departments alone is told how many are to be urged, whose names they have, and
    how many others there are; `buckets` only of all together, and only where the group is so large that they speak of nobody."""

    total: int = Field(examples=[14])
    buckets: Buckets | None = Field(None, examples=[{**dict.fromkeys(CODES, 0), "complete": 11, "due": 2, "exempt": 1}])
    urged_count: int | None = Field(None, examples=[2])
    others_count: int | None = Field(None, examples=[12])


class DepartmentCoverage(Counted):
    """A department's own people, without those of departments below it."""

    department: DepartmentBrief


class EmploymentCoverage(Counted):
    """The people of one kind of employment."""

    employment: Employment


class Coverage(Counted):
    """How the people on strength stand on a day. Each set of buckets adds up to its total, as do the urged and the others; both lists add
    up to the whole."""

    on: date
    by_department: list[DepartmentCoverage]
    by_employment: list[EmploymentCoverage]


class Cell(NamedTuple):
    """So many of a department and a kind of employment stand so, and so many of them are to be urged."""

    department_id: UUID
    employment: Employment
    code: StandingCode
    people_count: int
    urged_count: int


class Numbers(TypedDict, total=False):
    """What is said of some people: the fields of `Counted`."""

    total: Required[int]
    buckets: Buckets
    urged_count: int
    others_count: int


@coverage.get("")
async def show_coverage(caller: Annotated[Caller, require("coverage.read")], read: Read, on: OnDay = None) -> Coverage:
    """How everybody on strength stands on a day: who had joined by then and had not left, in the department they are in now. A head sees
    today, of their own departments: how many there are and how many are to be urged. 422 for a day that is none of ours, or, for a head,
    is not today."""
    return await _coverage(read, caller, _day(caller, on))


@coverage.get("/export", response_class=Response, responses=A_FILE)
async def export_coverage(
    caller: Annotated[Caller, require("coverage.read")], tx: Tx, on: OnDay = None, lang: Language = "zh-Hans"
) -> Response:
    """The same as a workbook, one sheet by department and one by employment. On record with who, filter and count."""
    found = await _coverage(tx, caller, _day(caller, on))
    looked(tx, "export", [], {"list": "coverage", "on": found.on.isoformat(), "lang": lang}, found.total)
    say = words.WORDS[lang]
    about = [say["coverage"], f"{say['on']} {found.on.isoformat()}"]
    whole = _sees_whole(caller)
    headings = [say["total"], *(say[one] for one in (CODES if whole else ("urged", "others")))]

    def row(name: str, one: Counted) -> list[Value]:
        shown = [one.buckets[code] for code in CODES] if whole and one.buckets else [one.urged_count, one.others_count]
        return [name, one.total, *shown]

    everybody = row(say["all"], found)
    by_department = [row(one.department.name, one) for one in found.by_department]
    by_employment = [row(say[one.employment], one) for one in found.by_employment]
    tables = [
        Table(say["by_department"], [say["department"], *headings], [*by_department, everybody], about),
        Table(say["by_employment"], [say["employment"], *headings], [*by_employment, everybody], about),
    ]
    if found.buckets and not whole:
        by_standing: list[list[Value]] = [[say[code], found.buckets[code]] for code in CODES]
        tables.append(Table(say["by_standing"], [say["standing"], say["total"]], by_standing, about))
    return download(await asyncio.to_thread(xlsx, *tables), f"{say['coverage']} {found.on.isoformat()}", "coverage")


def _sees_whole(caller: Caller) -> bool:
    return caller.reach("coverage.read").everything


def _day(caller: Caller, on: date | None) -> date:
    if on is not None and on.year < 1900:
        raise wrong("on", "too_long_ago")
    if on is not None and on > LAST_DAY:  # the calendar's last days are those on which nothing ends any more
        raise wrong("on", "too_far_ahead", max=LAST_DAY.isoformat())
    if on not in (None, today()) and not _sees_whole(caller):  # by the day on which one more is to be urged one learns how they stood
        raise wrong("on", "today_alone")
    return on or today()


async def _coverage(read: AsyncSession, caller: Caller, on: date) -> Coverage:
    """One statement counts, one names the departments; counted behind the door, by the reach of the caller."""
    whole = _sees_whole(caller)
    by = (Person.department_id, Person.employment, func.coalesce(Standing.code, "unknown"))  # nobody falls out of the head-count
    urged = literal(0) if whole else func.count().filter(to_be_urged())
    counts = select(*by, func.count(), urged).select_from(Person).join(Standing, stands(on), isouter=True)
    async with as_system(read):
        counted = await read.execute(counts.where(on_strength(on), within(caller, "coverage.read")).group_by(*by))
        cells = [Cell(*one) for one in counted]  # type: ignore[arg-type]
        wanted = select(Department.id, Department.name).order_by(Department.sort_key, Department.id)
        departments = (await read.execute(wanted)).all()
    by_department, by_employment = defaultdict[UUID, list[Cell]](list), defaultdict[Employment, list[Cell]](list)
    for cell in cells:
        by_department[cell.department_id].append(cell)
        by_employment[cell.employment].append(cell)
    of = _buckets if whole else _urged_and_others
    return Coverage(
        on=on,
        **(_buckets(cells) if whole else _of_all(cells)),
        by_department=[
            DepartmentCoverage(department=DepartmentBrief(id=one, name=name), **of(by_department[one]))
            for one, name in departments
            if one in by_department
        ],
        by_employment=[
            EmploymentCoverage(employment=one, **of(by_employment[one])) for one in get_args(Employment) if one in by_employment
        ],
    )


def _buckets(cells: Iterable[Cell]) -> Numbers:
    buckets: Buckets = dict.fromkeys(CODES, 0)
    for one in cells:
        buckets[one.code] += one.people_count
    return {"total": sum(buckets.values()), "buckets": buckets}


def _urged_and_others(cells: Iterable[Cell]) -> Numbers:
    total = urged = 0
    for one in cells:
        total, urged = total + one.people_count, urged + one.urged_count
    return {"total": total, "urged_count": urged, "others_count": total - urged}


def _of_all(cells: Sequence[Cell]) -> Numbers:
    """With the buckets of a large group; its parts never have them, for what they lack of the whole would speak of the rest."""
    counts = Counter[tuple[str, bool]]()
    for one in cells:
        counts[one.code, True] += one.urged_count
        counts[one.code, False] += one.people_count - one.urged_count
    numbers = _urged_and_others(cells)
    if may_be_told(counts):
        numbers["buckets"] = _buckets(cells)["buckets"]
    return numbers
