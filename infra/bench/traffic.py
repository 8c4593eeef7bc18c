"""How many events a second the relay sends and the inbox works off, each alone in this process."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import uuid4

from sqlalchemy import func, select

from infra.bench.measures import Result
from infra.nats import Nats
from infra.postgres import Postgres
from services.identity.app import app as identity_app
from services.identity.scope import SCOPE as IDENTITY_SCOPE
from services.personnel.app import app as personnel_app
from services.personnel.scope import SCOPE as PERSONNEL_SCOPE
from shared.auth import SYSTEM
from shared.clock import real_now
from shared.db import Database, engine_for
from shared.events import RecordLooked
from shared.house import Done, Outbox
from shared.messaging.inbox import Inbox
from shared.messaging.outbox import publish_all
from shared.messaging.relay import Relay
from shared.messaging.streams import connect_within
from shared.migrate import SERVICES, migrate
from shared.service import consumers_of

EVENTS = 10_000


def traffic(folder: Path, result: Result) -> None:
    """The relay, then one inbox with eight handlers side by side."""
    postgres, nats = Postgres(folder), Nats(folder, {app.state.name: consumers_of(app) for app in (identity_app, personnel_app)})
    postgres.start()
    try:
        asyncio.run(migrate(postgres.url(), {name: postgres.password(name) for name in SERVICES}))
        nats.start()
        asyncio.run(_measure(postgres, nats, result))
    finally:
        nats.stop()
        postgres.stop()


async def _measure(postgres: Postgres, nats: Nats, result: Result) -> None:
    personnel = Database(engine_for(postgres.url("personnel")), PERSONNEL_SCOPE)
    identity = Database(engine_for(postgres.url("identity"), pool_size=10), IDENTITY_SCOPE)
    said = [
        RecordLooked(
            account_id=None, client_id=None, looker_id=None, looker_name="bench", what="record", person_ids=[uuid4()],
            people_count=1, filter={}, purpose="bench", looked_at=real_now(),
        )
        for _ in range(EVENTS)
    ]  # fmt: skip
    async with personnel.transaction(SYSTEM) as tx:
        await publish_all(tx, [*said])

    async def unsent() -> int:
        async with personnel.reading(SYSTEM) as tx:
            return int(await tx.scalar(select(func.count()).select_from(Outbox).where(Outbox.sent_at.is_(None))) or 0)

    async def undone() -> int:
        async with identity.reading(SYSTEM) as tx:
            return EVENTS - int(await tx.scalar(select(func.count()).select_from(Done)) or 0)

    sender = await connect_within(nats.url("personnel"), "personnel")
    sent = await _rate(Relay(personnel, sender).run(), unsent)
    receiver = await connect_within(nats.url("identity"), "identity")
    handler = next(one for one in identity_app.state.handlers if one.event is RecordLooked)
    handled = await _rate(Inbox(identity, receiver, handler).run(), undone)
    result.add("relay", "relay", f"{sent:,.0f} events/s", "2,000/s", per_second=round(sent))
    result.add("inbox", "inbox, one consumer, 8 handlers side by side", f"{handled:,.0f} events/s", "1,000/s", per_second=round(handled))
    for nc in (sender, receiver):
        await nc.close()
    for database in (personnel, identity):
        await database.engine.dispose()


async def _rate(loop: Awaitable[None], left: Callable[[], Awaitable[int]]) -> float:
    began = time.monotonic()
    running = asyncio.ensure_future(loop)
    while await left() > 0:  # noqa: ASYNC110  # what is waited for is in a database
        await asyncio.sleep(0.1)
    seconds = time.monotonic() - began
    running.cancel()
    return EVENTS / seconds
