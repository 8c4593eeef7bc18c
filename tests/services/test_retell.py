"""A service that lost what others told it learns it again when they retell, and what is told again is no news to anybody outside."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import delete, func, select, update

from services.dispatch.retell import retell as retell_dispatch
from services.dispatch.tables import Assignment, KnownFitness
from services.identity.retell import retell as retell_identity
from services.identity.tables import Account, KnownProof, Role
from services.identity.tables import KnownPerson as KnownProfile
from services.notifications.tables import KnownAssignment, KnownContact, KnownHolder, KnownPerson, KnownShift, KnownTeam, Webhook
from services.personnel.retell import retell as retell_personnel
from services.personnel.tables import Fitness
from shared import clock
from shared.clock import now
from shared.house import Errand
from tests.doors import Door, Doors
from tests.people import FU_XINGJIAN, HE_RUONING, PEOPLE, TEACHING, ZHONG_YIFAN
from tests.services.deployment import seed_dispatch
from tests.services.institution import settle

TOLD = (KnownTeam, KnownShift, KnownAssignment, KnownHolder)


async def test_notifications_learns_teams_shifts_people_on_them_and_who_holds_roles(
    doors: Doors, personnel: Door, identity: Door, dispatch: Door, notifications: Door
) -> None:
    await settle(personnel)
    await seed_dispatch(dispatch)
    async with dispatch.rows() as tx:
        await tx.execute(update(Assignment).where(Assignment.state == "proposed").values(state="confirmed"))
    async with identity.rows() as tx:
        for person, role, state in ((HE_RUONING, "health", "given"), (FU_XINGJIAN, "leader", "given"), (ZHONG_YIFAN, "leader", "ended")):
            tx.add(Role(person_id=person.id, role=role, state=state, asked_at=now()))
    hook = Webhook(url="https://hooks.example.org/", kind="assignment.confirmed", secret="x", made_by_name="", made_at=now())
    await notifications.has(hook)
    assert await known(notifications) == {table.__name__: [] for table in TOLD}

    teams, shifts, assignments = await retell_dispatch(dispatch.database)
    people = await retell_identity(identity.database)
    await doors.pass_events()

    found = await known(notifications)
    assert (len(found["KnownTeam"]), len(found["KnownShift"]), len(found["KnownAssignment"])) == (teams, shifts, assignments)
    assert (teams > 0, shifts > 0, assignments > shifts) == (True, True, True)
    assert {row["person_id"]: row["roles"] for row in found["KnownHolder"]} == {
        HE_RUONING.id: ["health"],
        FU_XINGJIAN.id: ["leader"],
        ZHONG_YIFAN.id: [],
    }
    assert people == 3
    async with notifications.rows() as tx:
        for table in TOLD:
            await tx.execute(delete(table))
    await retell_dispatch(dispatch.database)
    await retell_identity(identity.database)
    await doors.pass_events()
    assert await known(notifications) == found
    async with notifications.rows() as tx:
        assert await tx.scalar(select(func.count()).select_from(Errand)) == 0


async def test_whoever_is_gone_when_personnel_tells_again_is_gone_everywhere_and_so_is_a_fitness_that_nobody_tells(
    doors: Doors, personnel: Door, identity: Door, dispatch: Door, notifications: Door
) -> None:
    await settle(personnel)
    async with personnel.rows() as tx:
        tx.add(Fitness(person_id=HE_RUONING.id, rule="testing_point", fit_from=now(), fit_until=None, version=1))
    await retell_personnel(personnel.database)
    await doors.pass_events()
    gone, heard = uuid4(), {"version": 1, "telling": None, "heard_at": now()}
    await identity.has(KnownProfile(**_person(gone), **heard))
    await identity.has(KnownProof(person_id=gone, phone_last4="0199", **heard))
    await identity.has(Account(person_id=gone, name="甘棠", created_at=now()))
    await notifications.has(KnownContact(person_id=gone, phone="13900000199", email=None, **heard))
    await notifications.has(KnownHolder(person_id=gone, roles=["leader"], version=1, heard_at=now()))
    await notifications.has(KnownPerson(**_person(gone), **heard))
    for person_id, rule in ((gone, "testing_point"), (HE_RUONING.id, "flood_rescue")):
        await dispatch.has(KnownFitness(person_id=person_id, rule=rule, fit_from=now(), fit_until=None, **heard))

    clock.set_now(now() + timedelta(seconds=1))
    await retell_personnel(personnel.database)
    await doors.pass_events()
    clock.set_now(now() + timedelta(seconds=5))
    for door in (identity, dispatch, notifications):
        await door.dues()

    assert await count(identity, Account) == 0
    assert await count(identity, KnownProof) == len(PEOPLE)
    assert await count(notifications, KnownHolder) == 0
    assert await count(notifications, KnownContact) == await count(notifications, KnownPerson) == len(PEOPLE)
    async with dispatch.rows() as tx:
        fit = (await tx.execute(select(KnownFitness.person_id, KnownFitness.rule))).all()
    assert fit == [(HE_RUONING.id, "testing_point")]


def _person(person_id: UUID) -> dict[str, Any]:
    """Who somebody was of whom personnel does not know any more."""
    rest = {"department_id": TEACHING.id, "employment": "permanent", "left_on": None}
    return {"id": person_id, "number": "gone", "name": "甘棠", "sort_key": "gan", **rest}


async def count(door: Door, table: Any) -> int:
    async with door.rows() as tx:
        return await tx.scalar(select(func.count()).select_from(table)) or 0


async def known(notifications: Door) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    async with notifications.rows() as tx:
        for table in TOLD:
            columns = [column for column in table.__table__.columns if column.name not in ("heard_at", "telling")]
            rows = await tx.execute(select(*columns).order_by(*columns[:1]))
            found[table.__name__] = [dict(row._mapping) for row in rows]
    return found
