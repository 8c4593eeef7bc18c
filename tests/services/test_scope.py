"""Every way to ask for rows is held to the caller's: joins, aliases, subqueries, exists, common table expressions, counts, updates."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import exists, func, select, update
from sqlalchemy.orm import aliased

from services.personnel.tables import Department, Person, Standing
from tests.doors import Door
from tests.people import HEAD, HEALTH, PEOPLE, STAFF, TEACHING
from tests.services.institution import settle

Other = aliased(Person)
ASKED: dict[str, Callable[[], Any]] = {
    "plain": lambda: select(Person.name),
    "a join": lambda: select(Department.name, Person.name).join(Person, Person.department_id == Department.id),
    "a join that no column is asked of": lambda: select(Department.id).join(Person, Person.department_id == Department.id),
    "an alias": lambda: select(Other.name),
    "a subquery": lambda: select(select(Person.name.label("name")).subquery().c.name),
    "a common table expression": lambda: select(select(Person.name.label("name")).cte("all_people").c.name),
    "exists": lambda: select(Standing.person_id).where(exists().where(Person.id == Standing.person_id)),
    "in": lambda: select(Standing.person_id).where(Standing.person_id.in_(select(Person.id))),
    "an outer join": lambda: select(Person.name).outerjoin(Standing, Standing.person_id == Person.id),
}


@pytest.mark.parametrize("how", list(ASKED))
async def test_however_it_is_asked_only_ones_own_rows_come(personnel: Door, how: str) -> None:
    await settle(personnel)

    async with personnel.database.reading(STAFF) as read:
        own = (await read.execute(ASKED[how]())).all()
    async with personnel.database.reading(HEALTH) as read:
        everything = (await read.execute(ASKED[how]())).all()

    assert len(everything) >= len(PEOPLE)
    assert len(own) == len(everything) // len(PEOPLE)


async def test_a_count_counts_what_one_may_see(personnel: Door) -> None:
    await settle(personnel)

    async with personnel.database.reading(HEAD) as read:
        found = await read.scalar(select(func.count()).select_from(Person))

    assert found == len([one for one in PEOPLE if one.department == TEACHING])


async def test_an_update_reaches_no_row_beyond(personnel: Door) -> None:
    await settle(personnel)

    async with personnel.database.transaction(STAFF) as tx:
        changed = await tx.execute(update(Person).values(employment="trainee").execution_options(synchronize_session=False))

    assert changed.rowcount == 1  # type: ignore[attr-defined]
