"""People: found by name, pinyin or number; added, changed, read."""

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from sqlalchemy import ColumnElement, false, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.personnel.acts import compute_standing, looked, name_person, plan_removal, tell_person
from services.personnel.reads import person_of, person_shown, standing_shown, stands
from services.personnel.rules.cells import read_phone
from services.personnel.rules.names import plain_name, wanted_pieces
from services.personnel.rules.programmes import PROGRAMMES
from services.personnel.rules.standing import CODES
from services.personnel.shapes import EXAMPLE_ID, DepartmentBrief, Employment, PersonId, PersonRow, PersonShown, StandingCode
from services.personnel.tables import Department, Person, Standing
from shared.auth import Caller, require
from shared.clock import now, today
from shared.db import Read, Tx
from shared.refusals import Refused, wrong
from shared.service import Slice
from shared.web import Body, Code, Line, Listed, PageNo, PageSize, Search, Version

people = Slice(prefix="/people", tags=["people"])


class PeopleListed(Listed[PersonRow]):
    """A page of people; `counts` says how the found ones stand, for those who may see it."""

    counts: dict[str, int] | None = None


class NewPerson(Body):
    """A person to add."""

    number: Code
    name: Line
    department_id: UUID
    employment: Employment
    phone: Line | None = None
    born_on: date | None = None
    joined_on: date | None = None

    model_config = Body.model_config | {
        "json_schema_extra": {"example": {"number": "20210801", "name": "江采薇", "department_id": EXAMPLE_ID, "employment": "permanent"}}
    }


class PersonWish(Body):
    """What to change; a field that is not sent stays as it is, null empties it."""

    number: Code | None = None
    name: Line | None = None
    department_id: UUID | None = None
    employment: Employment | None = None
    phone: Line | None = None
    born_on: date | None = None
    joined_on: date | None = None
    left_on: date | None = None
    version: Version

    model_config = Body.model_config | {"json_schema_extra": {"example": {"employment": "agency", "version": 1}}}


def _found(q: str | None) -> list[ColumnElement[bool]]:
    if not q or not q.strip():
        return []
    if not (wanted := wanted_pieces(q)):
        return [false()]  # nothing but signs: nobody is called so
    return [Person.pieces.contains(wanted), Person.findable.contains(plain_name(q), autoescape=True)]


@people.get("")
async def list_people(
    caller: Annotated[Caller, require("person.search")],
    tx: Tx,
    q: Search = None,
    department_id: Annotated[list[UUID] | None, Query(max_length=50)] = None,
    employment: Employment | None = None,
    standing: StandingCode | None = None,
    left: Annotated[bool, Query(description="Also those who left")] = False,
    sort: Literal["name", "number", "department"] = "name",
    page: PageNo = 1,
    page_size: PageSize = 50,
) -> PeopleListed:
    """People by name, pinyin or number, department, kind of employment and standing. Shown with standings it is a look, and recorded."""
    on = today()
    sees_standing = caller.reach("standing.read").everything
    if standing and not sees_standing:
        raise Refused("not_allowed", 403, {"action": "standing.read"})
    filters: list[ColumnElement[bool]] = _found(q)
    if department_id:
        filters.append(Person.department_id.in_(department_id))
    if employment:
        filters.append(Person.employment == employment)
    if not left:
        filters.append(or_(Person.left_on.is_(None), Person.left_on > on))
    counts = await _count(tx, filters, stands(on) if sees_standing else None)
    total = counts[standing] if standing else sum(counts.values())
    keys = {
        "name": (Person.sort_key, Person.id),
        "number": (Person.number,),
        "department": (Department.sort_key, Person.sort_key, Person.id),
    }
    wanted: Any = select(Person, Department).join(Department, Department.id == Person.department_id).where(*filters)
    if sees_standing:
        wanted = wanted.add_columns(Standing).join(Standing, stands(on))
        if standing:
            wanted = wanted.where(Standing.code == standing)
    found = await tx.execute(wanted.order_by(*keys[sort]).limit(page_size).offset((page - 1) * page_size))
    items = [_row(*row, on=on) for row in found]
    if sees_standing and items:
        asked = {"q": q, "department_id": department_id, "employment": employment, "standing": standing, "left": left, "page": page}
        looked(tx, "list", [one.id for one in items], {name: value for name, value in asked.items() if value})
    return PeopleListed(items=items, total=total, page=page, page_size=page_size, counts=counts if sees_standing else None)


async def _count(tx: AsyncSession, filters: list[ColumnElement[bool]], stands: ColumnElement[bool] | None) -> dict[str, int]:
    if stands is None:
        return {"": int(await tx.scalar(select(func.count()).select_from(Person).where(*filters)) or 0)}
    by_code = select(Standing.code, func.count()).select_from(Person).join(Standing, stands).where(*filters).group_by(Standing.code)
    found = {row[0]: row[1] for row in await tx.execute(by_code)}
    return {code: found.get(code, 0) for code in CODES}


def _row(person: Person, department: Department, standing: Standing | None = None, *, on: date) -> PersonRow:
    return PersonRow(
        id=person.id,
        number=person.number,
        name=person.name,
        department=DepartmentBrief.model_validate(department),
        employment=person.employment,  # type: ignore[arg-type]
        left_on=person.left_on,
        standing=standing_shown(standing, standing.programme, on) if standing else None,
    )


@people.get("/me")
async def show_me(caller: Annotated[Caller, require("person.read")], read: Read) -> PersonShown:
    """The caller's own person. Refused: `not_found` for an API client or an account without a person."""
    if caller.person_id is None:
        raise Refused("not_found", 404)
    return person_shown(*await person_of(read, caller.person_id), caller)


@people.get("/{person_id}")
async def show_person(person_id: PersonId, caller: Annotated[Caller, require("person.read")], read: Read) -> PersonShown:
    """Who somebody is here, without their health record. Refused: `not_found` (also: not within your reach)."""
    return person_shown(*await person_of(read, person_id), caller)


@people.post("", status_code=201)
async def add_person(wish: NewPerson, caller: Annotated[Caller, require("person.create")], tx: Tx) -> PersonShown:
    """Add a person. Refused: `number_taken`; 422 for a department that is not there, a phone number that is none, a date that cannot be."""
    given = wish.model_dump()
    _check_dates(wish.born_on, wish.joined_on, None)
    given["phone"] = _phone(wish.phone)
    department = await tx.get(Department, wish.department_id)
    if department is None:
        raise wrong("department_id", "unknown_id")
    person = Person(**given, version=1, created_at=now(), changed_at=now())
    name_person(person)
    tx.add(person)
    await tx.flush()
    for programme in PROGRAMMES:
        await compute_standing(tx, person, programme)
    tell_person(tx, person)
    return person_shown(person, department, caller)


@people.patch("/{person_id}")
async def change_person(person_id: PersonId, wish: PersonWish, caller: Annotated[Caller, require("person.change")], tx: Tx) -> PersonShown:
    """Change who somebody is here. Refused: `changed_meanwhile` with what it is now, `number_taken`, `not_found`."""
    person, department = await person_of(tx, person_id, hold=True)
    if person.version != wish.version:
        raise Refused("changed_meanwhile", 409, {"current": person_shown(person, department, caller).model_dump(mode="json")})
    given = wish.model_dump(exclude_unset=True, exclude={"version"})
    for field in ("number", "name", "department_id", "employment"):
        if field in given and given[field] is None:
            raise wrong(field, "required")
    if "phone" in given:
        given["phone"] = _phone(given["phone"])
    if "department_id" in given:
        found = await tx.get(Department, given["department_id"])
        if found is None:
            raise wrong("department_id", "unknown_id")
        department = found
    changed = {field: value for field, value in given.items() if value != getattr(person, field)}
    if not changed:
        return person_shown(person, department, caller)
    for field, value in changed.items():
        setattr(person, field, value)
    _check_dates(person.born_on, person.joined_on, person.left_on)
    if {"name", "number"} & changed.keys():
        name_person(person)
    person.version, person.changed_at = person.version + 1, now()
    await tx.flush()
    if "left_on" in changed:
        await plan_removal(tx, person)
    if "born_on" in changed:
        for programme in PROGRAMMES:
            await compute_standing(tx, person, programme)
    tell_person(tx, person)
    return person_shown(person, department, caller)


def _phone(text: str | None) -> str | None:
    if text is None:
        return None
    number = read_phone(text)
    if number is None:
        raise wrong("phone", "phone_wrong", text=text)
    return number


def _check_dates(born_on: date | None, joined_on: date | None, left_on: date | None) -> None:
    if born_on and born_on > today():
        raise wrong("born_on", "in_future")
    for field, on in (("born_on", born_on), ("joined_on", joined_on), ("left_on", left_on)):
        if on and on.year < 1900:
            raise wrong(field, "too_long_ago")
    if born_on and joined_on and joined_on < born_on:
        raise wrong("joined_on", "before_birth")
    if joined_on and left_on and left_on < joined_on:
        raise wrong("left_on", "left_before_joined")
