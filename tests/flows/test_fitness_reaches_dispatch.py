"""Who is fit reaches dispatch, how people are reached reaches notifications, and both learn everything again from nothing."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select

from services.dispatch.tables import KnownFitness
from services.notifications.tables import KnownContact
from services.personnel.retell import retell
from tests.doors import Door
from tests.flows.conftest import Traffic, until
from tests.people import HEALTH, JIANG_CAIWEI, PEOPLE
from tests.services.institution import settle

Known = dict[tuple[UUID, str], tuple[str | None, str | None, int]]


async def fitness(dispatch: Door) -> Known:
    def plain(at: datetime | None) -> str | None:
        return at.isoformat() if at else None

    async with dispatch.rows() as tx:
        rows = await tx.scalars(select(KnownFitness))
        return {(row.person_id, row.rule): (plain(row.fit_from), plain(row.fit_until), row.version) for row in rows}


async def contacts(notifications: Door) -> Known:
    async with notifications.rows() as tx:
        return {(row.person_id, ""): (row.phone, row.email, row.version) for row in await tx.scalars(select(KnownContact))}


async def dose(personnel: Door, given_on: str, **more: Any) -> dict[str, Any]:
    wish = {"person_id": str(JIANG_CAIWEI.id), "product": "北京生物", "given_on": given_on, **more}
    answer = await personnel.post("/doses", wish, HEALTH)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_who_is_fit_is_known_to_dispatch_and_so_is_who_is_not_any_more(personnel: Door, dispatch: Door, traffic: Traffic) -> None:
    await settle(personnel)
    await dose(personnel, "2021-03-12")
    second = (await dose(personnel, "2021-04-12"))["dose"]["id"]
    await dose(personnel, "2015-06-01", product="破伤风", programme="tetanus")
    fit: Known = {
        (JIANG_CAIWEI.id, "testing_point"): ("2021-04-11T16:00:00+00:00", None, 1),
        (JIANG_CAIWEI.id, "flood_rescue"): ("2015-05-31T16:00:00+00:00", "2025-06-01T16:00:00+00:00", 1),
    }

    async def known() -> bool:
        return await fitness(dispatch) == fit

    await until(known)

    await personnel.post(f"/doses/{second}/corrections", {"withdrawn": True, "note": "记错了人"}, HEALTH)
    fit[JIANG_CAIWEI.id, "testing_point"] = (None, None, 2)
    await until(known)


async def test_what_was_lost_of_fitness_and_contacts_is_learned_again(
    personnel: Door, dispatch: Door, notifications: Door, traffic: Traffic
) -> None:
    await settle(personnel)
    await dose(personnel, "2021-03-12")
    await dose(personnel, "2021-04-12")
    await retell(personnel.database)

    async def arrived() -> bool:
        return len(await fitness(dispatch)) == 1 and len(await contacts(notifications)) == len(PEOPLE)

    await until(arrived)
    before = await fitness(dispatch), await contacts(notifications)
    async with dispatch.rows() as tx:
        await tx.execute(delete(KnownFitness))
    async with notifications.rows() as tx:
        await tx.execute(delete(KnownContact))

    await retell(personnel.database)

    await until(arrived)
    assert (await fitness(dispatch), await contacts(notifications)) == before
