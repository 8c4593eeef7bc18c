"""The small institution of the tests, in personnel's database."""

from sqlalchemy import delete

from services.personnel.acts import compute_standing, name_person
from services.personnel.rules.names import sort_key
from services.personnel.tables import Department, Person
from shared.clock import now
from shared.house import Outbox
from tests.doors import Door
from tests.people import DEPARTMENTS, LOGISTICS, PEOPLE, SHEN_ZHIXING, TANG_YINAN, TEACHING


async def settle(personnel: Door) -> None:
    """Departments and people of the cast are there, with their heads."""
    async with personnel.rows() as tx:
        tx.add_all(Department(id=one.id, name=one.name, sort_key=sort_key(one.name), version=1) for one in DEPARTMENTS)
        await tx.flush()
        people = []
        for one in PEOPLE:
            person = Person(
                id=one.id,
                number=one.number,
                name=one.name,
                department_id=one.department.id,
                employment=one.employment,
                phone=f"+86{one.phone}",
                born_on=one.born_on,
                joined_on=one.joined_on,
                version=1,
                created_at=now(),
                changed_at=now(),
            )
            name_person(person)
            people.append(person)
        tx.add_all(people)
        await tx.flush()
        for department, head in ((TEACHING, SHEN_ZHIXING), (LOGISTICS, TANG_YINAN)):
            row = await tx.get_one(Department, department.id)
            row.head_id = head.id
        for person in people:
            await compute_standing(tx, person, "covid19")
    async with personnel.rows() as tx:
        await tx.execute(delete(Outbox))  # what was told before a test begins is not its business
