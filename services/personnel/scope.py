"""Which rows a caller may see, a line a table; the session adds it to every statement."""

from collections.abc import Callable
from uuid import UUID

from sqlalchemy import ColumnElement, false, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from services.personnel.tables import (
    Department,
    Dose,
    Exemption,
    Fitness,
    Import,
    ImportRow,
    ImportSheet,
    Institution,
    Person,
    Remark,
    Standing,
    Statement,
)
from shared.auth import Caller, Reach
from shared.below import with_everything_below
from shared.db import Scope

Limit = ColumnElement[bool] | None


def _people(reach: Reach) -> Limit:
    if reach.everything:
        return None
    own = Person.id == reach.own if reach.own else false()
    return or_(own, Person.department_id.in_(with_everything_below(Department, reach.departments))) if reach.departments else own


def _of_people(person_id: InstrumentedAttribute[UUID], *reaches: Reach) -> Limit:
    if any(reach.everything for reach in reaches):
        return None
    departments = frozenset[UUID]().union(*(reach.departments for reach in reaches))
    own = next((reach.own for reach in reaches if reach.own), None)
    if departments:  # a core select: the limit is itself not limited again
        table = Person.__table__
        inside = select(table.c.id).where(table.c.department_id.in_(with_everything_below(Department, departments)))
        return or_(person_id == own, person_id.in_(inside)) if own else person_id.in_(inside)
    return person_id == own if own else false()


def _only(*actions: str) -> Callable[[Caller], Limit]:
    return lambda caller: None if any(caller.reach(action).everything for action in actions) else false()


SCOPE: Scope = {
    Institution: lambda caller: None,
    Department: lambda caller: None,
    Person: lambda caller: _people(caller.reach("person.read")),
    Dose: lambda caller: _of_people(Dose.person_id, caller.reach("health.read"), caller.reach("dose.record")),
    Exemption: lambda caller: _of_people(Exemption.person_id, caller.reach("health.read"), caller.reach("exemption.decide")),
    Statement: lambda caller: _of_people(Statement.person_id, caller.reach("health.read")),
    Standing: lambda caller: _of_people(Standing.person_id, caller.reach("standing.read"), caller.reach("urge.read")),
    Fitness: lambda caller: _of_people(Fitness.person_id, caller.reach("health.read")),
    Import: _only("import.run"),
    ImportSheet: _only("import.run"),
    ImportRow: _only("import.run"),
    Remark: lambda caller: _of_people(Remark.person_id, caller.reach("remark.read")),
}
