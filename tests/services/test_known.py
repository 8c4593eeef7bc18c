"""What personnel told identity: the newer version wins, a telling removes what it left out, and 50,000 people are known within seconds."""

from datetime import timedelta
from uuid import uuid4

from sqlalchemy import func, select

from services.identity.tables import Account, KnownDepartment, KnownPerson
from shared import clock
from shared.clock import now
from shared.events import DepartmentsChanged, PeopleChanged, PeopleRemoved, ProofsChanged, StateTold
from tests.doors import Door
from tests.people import DEPARTMENTS, GU_CHANGTING, LIANG_YUAN, PAN_XIANGYE, PEOPLE
from tests.services.let_in import departments, has_account, proof_of, state_of, tell


async def names(identity: Door) -> dict[str, str]:
    async with identity.rows() as tx:
        return dict((await tx.execute(select(KnownPerson.number, KnownPerson.name))).all())


async def test_the_newer_version_wins_in_any_order(identity: Door) -> None:
    for version in (2, 3, 1):
        await identity.hears(PeopleChanged(people=[state_of(LIANG_YUAN, name=f"version {version}", version=version)]))

    assert await names(identity) == {LIANG_YUAN.number: "version 3"}


async def test_one_event_may_tell_of_a_person_twice(identity: Door) -> None:
    told = [state_of(LIANG_YUAN, name=f"version {version}", version=version) for version in (2, 1)]

    await identity.hears(PeopleChanged(people=told))

    assert await names(identity) == {LIANG_YUAN.number: "version 2"}


async def test_many_people_cost_one_statement(identity: Door) -> None:
    people = [state_of(LIANG_YUAN, id=uuid4(), number=str(n)) for n in range(200)]
    identity.statements.clear()

    await identity.hears(PeopleChanged(people=people))

    assert len([one for one in identity.statements if "known_person" in one]) == 1
    assert len(await names(identity)) == 200


async def test_what_a_telling_left_out_is_removed_once_all_of_it_is_here(identity: Door) -> None:
    await tell(identity)
    telling, began_at = uuid4(), now() + timedelta(seconds=1)
    clock.set_now(began_at)
    kept = [person for person in PEOPLE if person not in (PAN_XIANGYE, GU_CHANGTING)]
    told = StateTold(telling=telling, counts={"people": len(kept), "departments": len(DEPARTMENTS), "proofs": len(kept)}, began_at=began_at)

    await identity.hears(told)  # the end arrives first
    await identity.dues()
    before = await names(identity)
    await identity.hears(DepartmentsChanged(departments=departments(), telling=telling))
    await identity.hears(PeopleChanged(people=[state_of(person) for person in kept], telling=telling))
    await identity.hears(ProofsChanged(proofs=[proof_of(person) for person in kept], telling=telling))
    newcomer = uuid4()
    await identity.hears(PeopleChanged(people=[state_of(LIANG_YUAN, id=newcomer, number="new")]))
    clock.set_now(now() + timedelta(seconds=5))
    await identity.dues()

    assert len(before) == len(PEOPLE)
    assert set(await names(identity)) == {person.number for person in kept} | {"new"}


async def test_an_emptied_table_learns_everything_again(identity: Door) -> None:
    await tell(identity)
    before = await names(identity)
    async with identity.rows() as tx:
        for row in (await tx.scalars(select(KnownPerson))).all():
            await tx.delete(row)

    await identity.hears(PeopleChanged(people=[state_of(person) for person in PEOPLE], telling=uuid4()))

    assert await names(identity) == before


async def test_a_person_whose_record_was_removed_has_no_account_any_more(identity: Door) -> None:
    await tell(identity)
    await has_account(identity, LIANG_YUAN, "leader")

    await identity.hears(PeopleRemoved(person_ids=[LIANG_YUAN.id]))

    async with identity.rows() as tx:
        assert await tx.scalar(select(func.count()).select_from(Account)) == 0
        assert await tx.scalar(select(func.count()).select_from(KnownDepartment)) == len(DEPARTMENTS)
    assert LIANG_YUAN.number not in await names(identity)
