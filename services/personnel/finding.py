"""Finding people: the filters and the orders of the list of people, the same for its pages and for its file."""

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from sqlalchemy import ColumnElement, false, or_

from services.personnel.rules.names import plain_name, wanted_pieces
from services.personnel.shapes import Employment
from services.personnel.tables import Department, Person

InDepartments = Annotated[list[UUID] | None, Query(max_length=50)]
AlsoLeft = Annotated[bool, Query(description="Also those who left")]
Order = Literal["name", "number", "department"]

KEYS: dict[Order, tuple[Any, ...]] = {  # and the id after them, so that nobody changes places between two pages
    "name": (Person.sort_key,),
    "number": (Person.number,),
    "department": (Department.sort_key, Person.sort_key),
}


def people_found(
    q: str | None, department_id: list[UUID] | None, employment: Employment | None, left: bool, on: date
) -> list[ColumnElement[bool]]:
    """Who fits, by what stands in their own row."""
    filters = _called(q)
    if department_id:
        filters.append(Person.department_id.in_(department_id))
    if employment:
        filters.append(Person.employment == employment)
    if not left:
        filters.append(or_(Person.left_on.is_(None), Person.left_on > on))
    return filters


def _called(q: str | None) -> list[ColumnElement[bool]]:
    if not q or not q.strip():
        return []
    if not (wanted := wanted_pieces(q)):
        return [false()]  # nothing but signs: nobody is called so
    return [Person.pieces.contains(wanted), Person.findable.contains(plain_name(q), autoescape=True)]
