"""What leaves the house arrives at least once, and one broken receiver never holds up another's."""

import asyncio
from datetime import timedelta

from sqlalchemy import select, update

from shared.clock import real_now
from shared.db import Database
from shared.errand import OF_ONE_LANE, WAITS, CannotSend, ErrandLoop, Run, Wish, send_later
from shared.house import Errand
from tests.doors import Door


async def states(door: Door) -> dict[str, tuple[str, int]]:
    async with door.rows() as tx:
        return {one.key: (one.state, one.tries) for one in await tx.scalars(select(Errand))}


async def wish(door: Door, *keys: str, lane: str = "mail.example.org") -> None:
    async with door.rows() as tx:
        await send_later(tx, *(Wish("mail", key, lane, {"to": key}) for key in keys))


async def test_an_errand_is_sent_once_and_the_same_wish_again_sends_nothing(notifications: Door) -> None:
    sent: list[str] = []

    async def send(database: Database, errand: Errand) -> None:
        sent.append(errand.key)

    loop = ErrandLoop(notifications.database, {"mail": Run(send)})
    for _ in range(2):
        await wish(notifications, "a", "b")
        await loop.drain()

    assert sorted(sent) == ["a", "b"]
    assert await states(notifications) == {"a": ("sent", 1), "b": ("sent", 1)}


async def test_a_receiver_that_hangs_holds_up_its_own_lane_alone(notifications: Door) -> None:
    arrived: list[str] = []
    hanging, all_there = asyncio.Event(), asyncio.Event()

    async def send(database: Database, errand: Errand) -> None:
        if errand.lane == "hangs":
            await hanging.wait()
        arrived.append(errand.key)
        if len(arrived) == 49:
            all_there.set()

    await wish(notifications, *(f"slow{number}" for number in range(20)), lane="hangs")
    await wish(notifications, *(f"quick{number}" for number in range(49)), lane="answers")
    loop = ErrandLoop(notifications.database, {"mail": Run(send)})
    running = asyncio.create_task(loop.run())
    async with asyncio.timeout(20):
        await all_there.wait()

    assert loop.lanes["hangs"] == OF_ONE_LANE
    hanging.set()
    running.cancel()
    await asyncio.wait([running])


async def test_what_may_pass_is_tried_again_later_and_what_may_not_has_failed_at_once(notifications: Door) -> None:
    ended: list[tuple[str, str | None]] = []

    async def send(database: Database, errand: Errand) -> None:
        raise CannotSend("no such mailbox" if errand.key == "nobody" else "busy", permanent=errand.key == "nobody")

    async def record(tx: object, errand: Errand, failed: str | None) -> None:
        ended.append((errand.key, failed))

    await wish(notifications, "nobody", "busy")
    await ErrandLoop(notifications.database, {"mail": Run(send, record)}).drain()

    assert await states(notifications) == {"nobody": ("failed", 1), "busy": ("waiting", 1)}
    assert ended == [("nobody", "no such mailbox")]


async def test_an_errand_fails_after_its_last_try(notifications: Door) -> None:
    async def send(database: Database, errand: Errand) -> None:
        raise ConnectionRefusedError("nobody there")

    await wish(notifications, "a")
    for _ in range(len(WAITS) + 1):
        await ErrandLoop(notifications.database, {"mail": Run(send)}).drain()
        async with notifications.rows() as tx:
            await tx.execute(update(Errand).values(due_at=real_now() - timedelta(seconds=1)))

    assert await states(notifications) == {"a": ("failed", len(WAITS) + 1)}


async def test_whoever_died_while_sending_is_followed_by_another(notifications: Door) -> None:
    sent: list[str] = []

    async def send(database: Database, errand: Errand) -> None:
        sent.append(errand.key)

    await wish(notifications, "a")
    async with notifications.rows() as tx:
        await tx.execute(update(Errand).values(claimed_until=real_now() + timedelta(seconds=30), tries=1))
    loop = ErrandLoop(notifications.database, {"mail": Run(send)})
    await loop.drain()
    assert sent == []

    async with notifications.rows() as tx:
        await tx.execute(update(Errand).values(claimed_until=real_now() - timedelta(seconds=1)))
    await loop.drain()

    assert sent == ["a"]
