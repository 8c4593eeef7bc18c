"""Retention: the record of one who left is removed at the end of its keep time; what was filed keeps its figures, without the person."""

from datetime import datetime, time
from uuid import UUID

from sqlalchemy import delete, or_, select

from services.personnel.acts import REMOVAL, keep_calendars, removal_on, tell_departments
from services.personnel.tables import Department, Dose, Exemption, Fitness, ImportRow, Person, Remark, Standing, Statement
from shared.bookings import hold_time_of
from shared.clock import today, zone
from shared.db import Tx, lock
from shared.due import later
from shared.events import PeopleRemoved
from shared.house import Due
from shared.messaging.outbox import publish
from shared.service import Slice

retention = Slice()

_OF_A_PERSON = (Dose, Exemption, Statement, Standing, Fitness, Remark)


@retention.due(REMOVAL)
async def remove_person(tx: Tx, row: Due) -> None:
    """Remove everything that is kept of a person, unless they came back, or are to be kept longer than was planned."""
    person_id = UUID(row.key)
    await lock(tx, "departments", "tree")  # as whoever sets a head does: first the tree, then the rows
    await hold_time_of(tx, person_id)
    person = await tx.get(Person, person_id, with_for_update=True)
    if person is None or (over_on := removal_on(person)) is None:
        return
    if over_on > today():
        await later(tx, REMOVAL, row.key, datetime.combine(over_on, time(), zone()))
        return
    await _take_out_of_departments(tx, person_id)
    for table in _OF_A_PERSON:
        await tx.execute(delete(table).where(table.person_id == person_id).execution_options(synchronize_session=False))
    naming = or_(ImportRow.person_id == person_id, ImportRow.number == person.number)
    await tx.execute(delete(ImportRow).where(naming).execution_options(synchronize_session=False))
    await keep_calendars(tx, {person_id: None})
    await tx.delete(person)
    publish(tx, PeopleRemoved(person_ids=[person_id]))


async def _take_out_of_departments(tx: Tx, person_id: UUID) -> None:
    answering = or_(Department.head_id == person_id, Department.reporter_id == person_id, Department.deputy_id == person_id)
    departments = list(await tx.scalars(select(Department).where(answering).with_for_update()))
    for one in departments:
        for place in ("head_id", "reporter_id", "deputy_id"):
            if getattr(one, place) == person_id:
                setattr(one, place, None)
        one.version += 1
    await tx.flush()
    await tell_departments(tx, departments)
