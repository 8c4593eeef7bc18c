"""What personnel says of people reaches identity once, whatever dies on the way."""

import asyncio
import shutil

from sqlalchemy import delete, func, select

from infra.nats import Nats
from services.identity.tables import KnownDepartment, KnownPerson, Look
from services.personnel.retell import retell
from shared.house import Outbox
from tests.doors import Door
from tests.flows.conftest import Traffic, until
from tests.people import HEALTH, JIANG_CAIWEI, PEOPLE, TEACHING
from tests.services.institution import settle


async def known_count(identity: Door) -> int:
    async with identity.rows() as tx:
        return int(await tx.scalar(select(func.count()).select_from(KnownPerson)) or 0)


async def look_count(identity: Door) -> int:
    async with identity.rows() as tx:
        return int(await tx.scalar(select(func.count()).select_from(Look)) or 0)


async def unsent_count(door: Door) -> int:
    async with door.rows() as tx:
        return int(await tx.scalar(select(func.count()).select_from(Outbox).where(Outbox.sent_at.is_(None))) or 0)


async def add(personnel: Door, number: str) -> None:
    body = {"number": number, "name": "江采薇", "department_id": str(TEACHING.id), "employment": "trainee"}
    answer = await personnel.post("/people", body, HEALTH)
    assert answer.status_code == 201, answer.text


async def test_a_new_person_is_known_to_identity(personnel: Door, identity: Door, traffic: Traffic) -> None:
    await settle(personnel)

    await add(personnel, "20210901")

    async def arrived() -> bool:
        return await known_count(identity) == 1

    await until(arrived)


async def test_nothing_is_lost_or_doubled_when_the_store_is_deleted_and_everything_dies(
    personnel: Door, identity: Door, traffic: Traffic, nats: Nats
) -> None:
    await settle(personnel)
    for round_no in range(4):
        await asyncio.gather(*(personnel.get(f"/people/{JIANG_CAIWEI.id}/health", HEALTH) for _ in range(10)))
        await traffic.kill("personnel" if round_no % 2 else "identity")
        await asyncio.gather(*(personnel.get(f"/people/{JIANG_CAIWEI.id}/health", HEALTH) for _ in range(10)))
        if round_no == 1:
            nats.stop()
            shutil.rmtree(nats.home / "store")
            nats.start()
        await traffic.begin("personnel" if round_no % 2 else "identity")

    async def arrived() -> bool:
        return await unsent_count(personnel) == 0 and await look_count(identity) >= 80

    await until(arrived, 40)
    assert await look_count(identity) == 80


async def test_an_emptied_table_learns_everything_again(personnel: Door, identity: Door, traffic: Traffic) -> None:
    await settle(personnel)
    async with identity.rows() as tx:
        await tx.execute(delete(KnownPerson))
        await tx.execute(delete(KnownDepartment))

    told = await retell(personnel.database)

    async def arrived() -> bool:
        return await known_count(identity) == len(PEOPLE)

    await until(arrived)
    assert len(PEOPLE) in told
