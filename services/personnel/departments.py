"""Departments: who answers for which, and what lies below which."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import Path
from sqlalchemy import func, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from services.personnel.acts import tell_departments
from services.personnel.reads import brief_people, on_strength
from services.personnel.rules.names import sort_key
from services.personnel.shapes import DepartmentShown, PersonBrief
from services.personnel.tables import Department, Person
from shared.auth import Caller, require
from shared.clock import today
from shared.db import Read, Tx, as_system, lock
from shared.refusals import Refused, wrong
from shared.service import Slice
from shared.story import example_id
from shared.web import Body, Line, Listed, Version

departments = Slice(prefix="/departments", tags=["departments"])

DepartmentId = Annotated[UUID, Path(examples=[example_id("department")])]


class NewDepartment(Body):
    """A department to add."""

    name: Line
    parent_id: UUID | None = None

    model_config = Body.model_config | {"json_schema_extra": {"example": {"name": "教务处"}}}


class DepartmentWish(Body):
    """What to change; a field that is not sent stays as it is, null empties it."""

    name: Line | None = None
    parent_id: UUID | None = None
    head_id: UUID | None = None
    reporter_id: UUID | None = None
    deputy_id: UUID | None = None
    version: Version

    model_config = Body.model_config | {"json_schema_extra": {"example": {"head_id": example_id("head"), "version": 1}}}


async def _shown(read: AsyncSession, rows: Sequence[Department]) -> list[DepartmentShown]:
    wanted = {one for row in rows for one in (row.head_id, row.reporter_id, row.deputy_id) if one}
    async with as_system(read):
        people = await brief_people(read, wanted)
        mine = Person.department_id.in_([row.id for row in rows]) if len(rows) == 1 else true()
        counted = await read.execute(
            select(Person.department_id, func.count()).where(on_strength(today()), mine).group_by(Person.department_id)
        )
        counts = {row[0]: row[1] for row in counted}

    def brief(person_id: UUID | None) -> PersonBrief | None:
        return people.get(person_id) if person_id else None

    return [
        DepartmentShown(
            id=row.id,
            name=row.name,
            parent_id=row.parent_id,
            head=brief(row.head_id),
            reporter=brief(row.reporter_id),
            deputy=brief(row.deputy_id),
            people_count=counts.get(row.id, 0),
            version=row.version,
        )
        for row in rows
    ]


@departments.get("")
async def list_departments(caller: Annotated[Caller, require("department.read")], read: Read) -> Listed[DepartmentShown]:
    """Every department with those who answer for it, in the order of their names."""
    rows = list(await read.scalars(select(Department).order_by(Department.sort_key)))
    return Listed(items=await _shown(read, rows), total=len(rows), page_size=max(len(rows), 1))


@departments.post("", status_code=201)
async def add_department(wish: NewDepartment, caller: Annotated[Caller, require("department.change")], tx: Tx) -> DepartmentShown:
    """Add a department. Refused: `name_taken`; 422 for a department above it that is not there."""
    if wish.parent_id and await tx.get(Department, wish.parent_id) is None:
        raise wrong("parent_id", "unknown_id")
    row = Department(name=wish.name, sort_key=sort_key(wish.name), parent_id=wish.parent_id, version=1)
    tx.add(row)
    await tx.flush()
    await tell_departments(tx, [row])
    return (await _shown(tx, [row]))[0]


@departments.patch("/{department_id}")
async def change_department(
    department_id: DepartmentId, wish: DepartmentWish, caller: Annotated[Caller, require("department.change")], tx: Tx
) -> DepartmentShown:
    """Change name, place or who answers for it. Refused: `changed_meanwhile`, `name_taken`, `not_found`, `own_roles` (who answers
    for a department gets rights over its people: nobody gives them to themselves); a person who is not here: 422."""
    await lock(tx, "departments", "tree")  # two moves at once could each be right and together a circle
    row = await tx.get(Department, department_id, with_for_update=True)
    if row is None:
        raise Refused("not_found", 404)
    if row.version != wish.version:
        current = (await _shown(tx, [row]))[0].model_dump(mode="json")
        raise Refused("changed_meanwhile", 409, {"current": current})
    given = wish.model_dump(exclude_unset=True, exclude={"version"})
    for field in ("head_id", "reporter_id", "deputy_id"):
        if (person_id := given.get(field)) and person_id != getattr(row, field):
            if person_id == caller.person_id:
                raise Refused("own_roles", 409)
            if not await _is_here(tx, person_id):
                raise wrong(field, "unknown_id")
    if parent_id := given.get("parent_id"):
        above = await _ways_up(tx, department_id, parent_id)
        if _answers(caller, above[parent_id]) and not _answers(caller, above[department_id]):
            raise Refused("own_roles", 409)  # below one's own department its people would be one's own
    if "name" in given:
        if given["name"] is None:
            raise wrong("name", "required")
        row.sort_key = sort_key(given["name"])
    for field, value in given.items():
        setattr(row, field, value)
    row.version += 1
    await tx.flush()
    await tell_departments(tx, [row])
    return (await _shown(tx, [row]))[0]


async def _is_here(tx: AsyncSession, person_id: UUID) -> bool:
    async with as_system(tx):
        person = await tx.get(Person, person_id)
    return person is not None and (person.left_on is None or person.left_on > today())


async def _ways_up(tx: AsyncSession, department_id: UUID, parent_id: UUID) -> dict[UUID, list[Department]]:
    """Refused `below_itself`, `unknown_id`. Answers the way up from both: each with everything above it."""
    found = {row.id: row for row in await tx.scalars(select(Department))}
    if parent_id not in found:
        raise wrong("parent_id", "unknown_id")

    def way_up(step: UUID | None) -> list[Department]:
        way: list[Department] = []
        while step is not None:
            way.append(found[step])
            step = found[step].parent_id
        return way

    above = {one: way_up(one) for one in (parent_id, department_id)}
    if any(one.id == department_id for one in above[parent_id]):
        raise wrong("parent_id", "below_itself")
    return above


def _answers(caller: Caller, way_up: Sequence[Department]) -> bool:
    """Does the caller answer for the department that this way begins at? As it stands now: no token knows what was added since."""
    named = {person_id for one in way_up for person_id in (one.head_id, one.reporter_id, one.deputy_id) if person_id}
    return caller.person_id in named or any(one.id in caller.departments | caller.reported for one in way_up)
