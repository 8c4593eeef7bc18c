"""Every way to ask for rows is held to the caller's: joins, aliases, subqueries, exists, common table expressions, counts, updates."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import exists, func, select, update
from sqlalchemy.orm import aliased

from services.personnel.tables import Department, Person, Standing
from tests.doors import Door
from tests.people import HEAD, HEALTH, LOGISTICS, OFFICE, OTHER_HEAD, PEOPLE, STAFF, TEACHING
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


NESTED = (TEACHING, LOGISTICS, OFFICE)  # each below the one before


@pytest.mark.parametrize("how", list(ASKED))
async def test_a_head_reaches_everything_below_however_it_is_asked(personnel: Door, how: str) -> None:
    await settle(personnel)
    async with personnel.rows() as tx:
        for above, below in pairwise(NESTED):
            (await tx.get_one(Department, below.id)).parent_id = above.id
    middle = replace(OTHER_HEAD, person_id=None)  # nobody's own row beside those of the departments
    reached = [one.name for one in PEOPLE if one.department in NESTED[1:]]

    async with personnel.database.reading(middle) as read:
        found = (await read.execute(ASKED[how]())).all()
    async with personnel.database.reading(HEALTH) as read:
        everything = (await read.execute(ASKED[how]())).all()

    assert 0 < len(reached) < len(PEOPLE)
    assert len(found) == len(everything) * len(reached) // len(PEOPLE)


async def test_a_circle_of_departments_ends(personnel: Door) -> None:
    await settle(personnel)
    async with personnel.rows() as tx:
        for above, below in pairwise((*NESTED, TEACHING)):
            (await tx.get_one(Department, below.id)).parent_id = above.id

    async with personnel.database.reading(OTHER_HEAD) as read:
        found = await read.scalar(select(func.count()).select_from(Person))

    assert found == len([one for one in PEOPLE if one.department in NESTED])
