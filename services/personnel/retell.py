"""Retell: personnel tells again who is here, how they are reached, for what they are fit. `python -m services.personnel.retell`."""

from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.personnel.acts import contact_state, fitness_state, state_of, tell_contacts, tell_departments, tell_fitness, tell_people
from services.personnel.scope import SCOPE
from services.personnel.tables import Department, Fitness, Person
from shared.auth import SYSTEM
from shared.clock import now
from shared.db import Database
from shared.events import StateTold
from shared.messaging.outbox import publish
from shared.retell import tell_again

AT_ONCE = 5000


async def retell(database: Database) -> tuple[int, int]:
    """Tell everything anew as one consistent moment, with its end; answers how many people and how many departments.

    Whoever is added while this runs is not part of the telling: receivers keep what they heard after `began_at`."""
    began_at, telling = now(), uuid4()
    async with database.transaction(SYSTEM) as tx:
        await tx.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        departments = list(await tx.scalars(select(Department).order_by(Department.id)))
        await tell_departments(tx, departments, telling)
        people_count, fitness_count = await _tell_all_people(tx, telling)
        counts = dict.fromkeys(("people", "contacts", "proofs"), people_count)
        counts |= {"departments": len(departments), "fitness": fitness_count}
        publish(tx, StateTold(telling=telling, counts=counts, began_at=began_at))
    return people_count, len(departments)


async def _tell_all_people(tx: AsyncSession, telling: UUID) -> tuple[int, int]:
    count, fitness_count, after = 0, 0, UUID(int=0)
    while found := list(await tx.scalars(select(Person).where(Person.id > after).order_by(Person.id).limit(AT_ONCE))):
        await tell_people(tx, [state_of(person) for person in found], telling)
        await tell_contacts(tx, [contact_state(person) for person in found], telling)
        theirs = select(Fitness).where(Fitness.person_id > after, Fitness.person_id <= found[-1].id)
        fitness = [fitness_state(row) for row in await tx.scalars(theirs.order_by(Fitness.person_id, Fitness.rule))]
        await tell_fitness(tx, fitness, telling)
        count, fitness_count, after = count + len(found), fitness_count + len(fitness), found[-1].id
        tx.expunge_all()
    return count, fitness_count


if __name__ == "__main__":
    tell_again(SCOPE, retell, lambda told: f"told {told[0]} people and {told[1]} departments again")
