"""The small institution of the tests, in personnel's database."""

from sqlalchemy import insert

from services.personnel.acts import name_person, span_row
from services.personnel.rules.names import sort_key
from services.personnel.rules.programmes import COVID19
from services.personnel.rules.standing import timeline
from services.personnel.tables import Department, Person, Standing
from shared.clock import now
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
                email=f"{one.number}@mail.example.org",
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
        spans = timeline(COVID19, born_on=PEOPLE[0].born_on, given=[], exempt=[], statements=[])  # nobody has a dose yet
        assert len({one.born_on for one in PEOPLE}) == 1
        await tx.execute(insert(Standing), [span_row(one.id, "covid19", span) for one in people for span in spans])
