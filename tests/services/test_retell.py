"""A service that lost what others told it learns it again when they retell, and what is told again is no news to anybody outside."""

from typing import Any

from sqlalchemy import delete, func, select, update

from services.dispatch.retell import retell as retell_dispatch
from services.dispatch.tables import Assignment
from services.identity.retell import retell as retell_identity
from services.identity.tables import Role
from services.notifications.tables import KnownAssignment, KnownHolder, KnownShift, KnownTeam, Webhook
from shared.clock import now
from shared.house import Errand
from tests.doors import Door, Doors
from tests.people import FU_XINGJIAN, HE_RUONING, ZHONG_YIFAN
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


async def known(notifications: Door) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    async with notifications.rows() as tx:
        for table in TOLD:
            columns = [column for column in table.__table__.columns if column.name not in ("heard_at", "telling")]
            rows = await tx.execute(select(*columns).order_by(*columns[:1]))
            found[table.__name__] = [dict(row._mapping) for row in rows]
    return found
