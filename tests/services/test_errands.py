"""What leaves the house arrives at least once, and one broken receiver never holds up another's."""

import asyncio
from datetime import timedelta

from sqlalchemy import select, update

from shared.clock import real_now
from shared.db import Database
from shared.errand import OF_ONE_LANE, WAITS, CannotSend, ErrandLoop, Run, Wish, send_later
from shared.house import Errand
from tests.doors import Door
from tests.people import ZHONG_YIFAN, caller

COUNTS = ("waiting_count", "again_count", "failed_count")


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


async def test_the_operator_is_told_what_waits_what_is_tried_again_and_what_was_given_up(notifications: Door) -> None:
    async def send(database: Database, errand: Errand) -> None:
        raise CannotSend("the mail server does not answer", permanent=errand.key in ("nobody", "long ago"))

    await wish(notifications, "nobody", "long ago", "again")
    await ErrandLoop(notifications.database, {"mail": Run(send)}).drain()
    await wish(notifications, "waits")
    async with notifications.rows() as tx:
        await tx.execute(update(Errand).where(Errand.key == "long ago").values(ended_at=real_now() - timedelta(days=2)))
        await tx.execute(update(Errand).where(Errand.key == "again").values(made_at=real_now() - timedelta(hours=1)))

    told = {one["kind"]: one for one in (await notifications.get("/status", caller(ZHONG_YIFAN, "administrator"))).json()["errands"]}

    mail, figures = told["mail"], (await notifications.get("/metrics")).text
    assert (mail["waiting_count"], mail["again_count"], mail["failed_count"]) == (2, 1, 1)
    assert mail["error"] == "the mail server does not answer"
    assert 3600 <= mail["oldest_waiting_seconds"] < 3700
    assert told["webhook"] == {"kind": "webhook", "error": None, "oldest_waiting_seconds": 0.0} | dict.fromkeys(COUNTS, 0)
    assert 'muster_late{service="notifications",what="errands_mail_failed_count"} 1.0' in figures
    assert 'muster_late{service="notifications",what="errands_webhook_waiting_count"} 0.0' in figures


async def test_a_figure_that_cannot_be_known_now_is_no_number_any_more(notifications: Door) -> None:
    figures = (await notifications.get("/metrics")).text

    assert 'muster_late{service="notifications",what="nats_connected"} 0.0' in figures
    assert 'muster_late{service="notifications",what="pending_notifications_known_remember_people"} NaN' in figures
