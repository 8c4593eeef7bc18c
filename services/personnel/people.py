"""People: found by name, pinyin or number; added, changed, read."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field
from sqlalchemy import CTE, Select, func, literal, select, true

from services.personnel.acts import (
    compute_standing,
    contact_state,
    keep_calendars,
    looked,
    name_person,
    plan_removal,
    tell_contacts,
    tell_person,
)
from services.personnel.finding import KEYS, AlsoLeft, InDepartments, Order, people_found
from services.personnel.reads import person_of, person_shown, standing_shown, stands
from services.personnel.rules.cells import read_email, read_phone
from services.personnel.rules.programmes import OF_EVERYBODY
from services.personnel.rules.standing import CODES
from services.personnel.shapes import DepartmentBrief, Employment, Name, Number, PersonId, PersonRow, PersonShown, StandingCode
from services.personnel.tables import Department, Person, Standing
from shared.auth import Caller, require
from shared.bookings import hold_time_of
from shared.clock import now, today
from shared.db import Read, Tx
from shared.refusals import Refused, wrong
from shared.service import Slice
from shared.story import example_id
from shared.web import Body, Line, Listed, PageNo, PageSize, Search, Version

people = Slice(prefix="/people", tags=["people"])


class PeopleListed(Listed[PersonRow]):
    """A page of people; `counts` says how the found ones stand, for those who may see it."""

    counts: dict[str, int] | None = Field(None, examples=[{"complete": 1}])


class NewPerson(Body):
    """A person to add."""

    number: Number
    name: Name
    department_id: UUID
    employment: Employment
    phone: Line | None = None
    email: Line | None = None
    born_on: date | None = None
    joined_on: date | None = None

    model_config = Body.model_config | {
        "json_schema_extra": {
            "example": {"number": "20210801", "name": "江采薇", "department_id": example_id("department"), "employment": "permanent"}
        }
    }


class PersonWish(Body):
    """What to change; a field that is not sent stays as it is, null empties it."""

    number: Number | None = None
    name: Name | None = None
    department_id: UUID | None = None
    employment: Employment | None = None
    phone: Line | None = None
    email: Line | None = None
    born_on: date | None = None
    joined_on: date | None = None
    left_on: date | None = None
    version: Version

    model_config = Body.model_config | {"json_schema_extra": {"example": {"employment": "agency", "version": 1}}}


@people.get("")
async def list_people(
    caller: Annotated[Caller, require("person.search")],
    tx: Tx,
    q: Search = None,
    department_id: InDepartments = None,
    employment: Employment | None = None,
    standing: StandingCode | None = None,
    left: AlsoLeft = False,
    sort: Order = "name",
    page: PageNo = 1,
    page_size: PageSize = 50,
) -> PeopleListed:
    """People by name, pinyin or number, department, kind of employment and standing. Shown with standings it is a look, and recorded."""
    on = today()
    sees_standing = caller.reach("standing.read").everything
    if standing and not sees_standing:
        raise Refused("not_allowed", 403, {"action": "standing.read"})
    filters = people_found(q, department_id, employment, left, on)
    code: Any = Standing.code if sees_standing else literal("")
    keys = KEYS[sort]
    found = select(Person.id, code.label("code"), *(key.label(f"key_{place}") for place, key in enumerate(keys))).where(*filters)
    if sees_standing:
        found = found.join(Standing, stands(on))
    if sort == "department":
        found = found.join(Department, Department.id == Person.department_id)
    one_page = _counted_page(found.cte("found"), standing, page_size, (page - 1) * page_size)
    if sees_standing:
        one_page = one_page.add_columns(*_STANDING).outerjoin(Standing, stands(on))
    rows = (await tx.execute(one_page)).all()
    by_code: dict[str, int] = rows[0].counts or {}
    total = by_code.get(standing, 0) if standing else sum(by_code.values())
    items = [_row(row, on if sees_standing else None) for row in rows if row.id]
    if sees_standing and items:
        asked = {"q": q, "department_id": department_id, "employment": employment, "standing": standing, "left": left, "page": page}
        looked(tx, "list", [one.id for one in items], {name: value for name, value in asked.items() if value})
    counts: dict[str, int] | None = {each: by_code.get(each, 0) for each in CODES} if sees_standing else None
    return PeopleListed(items=items, total=total, page=page, page_size=page_size, counts=counts)


_STANDING = (
    Standing.programme,
    Standing.code,
    Standing.valid_count,
    Standing.needed_count,
    Standing.next_from_on,
    Standing.next_until_on,
    Standing.exempt_until_on,
    Standing.notes,
)


def _counted_page(found: CTE, standing: str | None, limit: int, offset: int) -> Select[Any]:
    """How the found ones stand, and one page of them, in one pass: a row for each, or one without a person when the page is empty."""
    keys = [column for column in found.c if column.name.startswith("key_")] + [found.c.id]
    by_code = select(found.c.code, func.count().label("count")).group_by(found.c.code).subquery()
    counted = select(func.jsonb_object_agg(by_code.c.code, by_code.c.count).label("counts")).subquery()
    shown = select(found.c.id, func.row_number().over(order_by=keys).label("place")).order_by(*keys).limit(limit).offset(offset)
    if standing:
        shown = shown.where(found.c.code == standing)
    one = shown.subquery()
    return (
        select(counted.c.counts, Person.id, Person.number, Person.name, Person.employment, Person.left_on)
        .add_columns(Person.department_id, Department.name.label("department_name"))
        .select_from(counted)
        .outerjoin(one, true())
        .outerjoin(Person, Person.id == one.c.id)
        .outerjoin(Department, Department.id == Person.department_id)
        .order_by(one.c.place)
    )


def _row(row: Any, standing_on: date | None) -> PersonRow:
    return PersonRow(
        id=row.id,
        number=row.number,
        name=row.name,
        department=DepartmentBrief(id=row.department_id, name=row.department_name),
        employment=row.employment,
        left_on=row.left_on,
        standing=standing_shown(row, row.programme, standing_on) if standing_on else None,
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
    """Add a person. Refused: `number_taken`; 422 for a department that is not there, a phone number or an e-mail address that is
    none, a date that cannot be."""
    given = wish.model_dump()
    _check_dates(wish.born_on, wish.joined_on, None)
    given["phone"], given["email"] = _phone(wish.phone), _email(wish.email)
    department = await tx.get(Department, wish.department_id)
    if department is None:
        raise wrong("department_id", "unknown_id")
    person = Person(**given, version=1, created_at=now(), changed_at=now())
    name_person(person)
    tx.add(person)
    await tx.flush()
    for programme in OF_EVERYBODY:
        await compute_standing(tx, person, programme)
    tell_person(tx, person)
    if person.phone or person.email:
        await tell_contacts(tx, [contact_state(person)])
    return person_shown(person, department, caller)


@people.patch("/{person_id}")
async def change_person(person_id: PersonId, wish: PersonWish, caller: Annotated[Caller, require("person.change")], tx: Tx) -> PersonShown:
    """Change who somebody is here. Refused: `changed_meanwhile` with what it is now, `number_taken`, `not_found`."""
    if "left_on" in wish.model_fields_set:
        await hold_time_of(tx, person_id)  # before the row, as everywhere
    person, department = await person_of(tx, person_id, hold=True)
    if person.version != wish.version:
        raise Refused("changed_meanwhile", 409, {"current": person_shown(person, department, caller).model_dump(mode="json")})
    given = wish.model_dump(exclude_unset=True, exclude={"version"})
    for field in ("number", "name", "department_id", "employment"):
        if field in given and given[field] is None:
            raise wrong(field, "required")
    if "phone" in given:
        given["phone"] = _phone(given["phone"])
    if "email" in given:
        given["email"] = _email(given["email"])
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
        await keep_calendars(tx, {person.id: person.left_on})
    if "born_on" in changed:
        for programme in OF_EVERYBODY:
            await compute_standing(tx, person, programme)
    tell_person(tx, person)
    if {"phone", "email"} & changed.keys():
        await tell_contacts(tx, [contact_state(person)])
    return person_shown(person, department, caller)


def _phone(text: str | None) -> str | None:
    if text is None:
        return None
    number = read_phone(text)
    if number is None:
        raise wrong("phone", "phone_wrong", text=text)
    return number


def _email(text: str | None) -> str | None:
    if text is None:
        return None
    address = read_email(text)
    if address is None:
        raise wrong("email", "email_wrong", text=text)
    return address


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
