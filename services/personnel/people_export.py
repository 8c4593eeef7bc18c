"""The list of people as a workbook: whom the page finds, in its order, all of them; how they stand only for whoever may see it."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import Response
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.personnel.acts import looked
from services.personnel.finding import KEYS, AlsoLeft, InDepartments, Order, people_found
from services.personnel.reads import stands
from services.personnel.rules import export_words as words
from services.personnel.shapes import Employment, Language, StandingCode
from services.personnel.tables import Department, Person, Standing
from shared.auth import Caller, require
from shared.clock import today
from shared.db import Aside
from shared.export import A_FILE, Table, Value, download, xlsx
from shared.refusals import Refused
from shared.service import Slice
from shared.web import Search

people_export = Slice(prefix="/people", tags=["people"])

AT_ONCE = 1000  # rows on the way from the database; what is kept of each is what its line in the sheet needs


@people_export.get("/export", response_class=Response, responses=A_FILE)
async def export_people(
    caller: Annotated[Caller, require("person.search")],
    apart: Aside,
    q: Search = None,
    department_id: InDepartments = None,
    employment: Employment | None = None,
    standing: StandingCode | None = None,
    left: AlsoLeft = False,
    sort: Order = "name",
    lang: Language = "zh-Hans",
) -> Response:
    """Everybody whom the list of people finds, as a workbook, in the same order and to the extent that the caller sees it. On record with
    who, filter and count."""
    sees_standing = caller.reach("standing.read").everything
    if standing and not sees_standing:
        raise Refused("not_allowed", 403, {"action": "standing.read"})
    on, say = today(), words.WORDS[lang]
    columns: list[Any] = [Person.id, Person.number, Person.name, Department.name, Person.employment, Person.left_on]
    if sees_standing:
        columns += [Standing.code, Standing.next_from_on, Standing.next_until_on, Standing.valid_count, Standing.needed_count]
    wanted: Any = select(*columns).select_from(Person).join(Department, Department.id == Person.department_id)
    if sees_standing:
        wanted = wanted.join(Standing, stands(on))
    if standing:
        wanted = wanted.where(Standing.code == standing)
    wanted = wanted.where(*people_found(q, department_id, employment, left, on)).order_by(*KEYS[sort], Person.id)
    asked = {"q": q, "department_id": department_id, "employment": employment, "standing": standing, "left": left, "sort": sort}
    async with apart(caller) as tx:  # over before the workbook is written, which takes seconds for 50,000 people
        ids, rows = await _lines(tx, wanted, say)
        departments = list(
            await tx.scalars(select(Department.name).where(Department.id.in_(department_id or [])).order_by(Department.sort_key))
        )
        filter_ = {"list": "people", **{name: value for name, value in asked.items() if value}, "lang": lang}
        looked(tx, "export", ids if sees_standing else [], filter_, len(rows))
    headings = [say[one] for one in ("number", "name", "department", "employment", "left_on")]
    if sees_standing:
        headings += [say[one] for one in ("standing", "next_from_on", "next_until_on", "valid_count", "needed_count")]
    filters = [q, *departments, employment and say[employment], standing and say[standing], say["also_left"] if left else None]
    about = [say["people"], f"{say['on']} {on.isoformat()}", f"{say['total']} {len(rows)}"]
    if any(filters):
        about.append(f"{say['filter']} {' · '.join(one for one in filters if one)}")
    table = Table(say["people"], headings, rows, about)
    return download(await asyncio.to_thread(xlsx, table), f"{say['people']} {on.isoformat()}", "people")


async def _lines(tx: AsyncSession, wanted: Any, say: dict[str, str]) -> tuple[list[UUID], list[Sequence[Value]]]:
    """Who was found, and the lines of the sheet. Names of departments are the same few texts in all of them."""
    ids: list[UUID] = []
    rows: list[Sequence[Value]] = []
    same: dict[str, str] = {}
    found = await tx.stream(wanted.execution_options(yield_per=AT_ONCE))
    async for person_id, number, name, department, employment, left_on, *how in found:
        ids.append(person_id)
        standing = [say[how[0]], *how[1:]] if how else []
        rows.append((number, name, same.setdefault(department, department), say[employment], left_on, *standing))
    return ids, rows
