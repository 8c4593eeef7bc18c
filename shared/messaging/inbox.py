"""JetStream to handlers: one durable pull consumer a handler; done-row and effect in one transaction, acknowledged after the commit."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.errors import TimeoutError as NatsTimeout
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.client import JetStreamContext
from nats.js.errors import APIError, NotFoundError
from nats.js.errors import Error as JetStreamError
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from shared.auth import SYSTEM
from shared.clock import real_now
from shared.db import Database, is_away, must_repeat
from shared.events import Event
from shared.house import Parked
from shared.loops import goes_on
from shared.messaging.streams import ensure_stream
from shared.messaging.subjects import stream_of

log = structlog.get_logger()

Handle = Callable[[Event, AsyncSession], Awaitable[None]]
FAILURES_UNTIL_PARKED = 8
SIDE_BY_SIDE = 8
FETCH = 200
BACKOFF_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
_DONE = text("insert into done (handler, event_id, done_at) values (:handler, :event_id, :done_at) on conflict do nothing")


@dataclass(frozen=True, slots=True)
class Handler:
    """A handler and the consumer that feeds it; the name is durable, so renaming a handler starts it from the beginning."""

    service: str
    event: type[Event]
    handle: Handle

    @property
    def name(self) -> str:
        """The durable consumer's name: <service>_<module>_<function>, the same for all replicas."""
        module = self.handle.__module__.rsplit(".", 1)[-1]
        return f"{self.service}_{module}_{self.handle.__name__}"

    @property
    def subject(self) -> str:
        """What it hears."""
        return self.event.subject

    @property
    def stream(self) -> str:
        """Where it hears it."""
        return stream_of(self.event.subject)


class Inbox:
    """Feeds one handler."""

    def __init__(self, database: Database, nc: Client, handler: Handler) -> None:
        self.database, self.nc, self.handler = database, nc, handler
        self.js: JetStreamContext = nc.jetstream(timeout=5)

    def _config(self) -> ConsumerConfig:
        return ConsumerConfig(
            name=self.handler.name,
            durable_name=self.handler.name,
            filter_subject=self.handler.subject,
            ack_policy=AckPolicy.EXPLICIT,
            deliver_policy=DeliverPolicy.ALL,
            ack_wait=30,
            max_deliver=-1,
            max_ack_pending=500,
        )

    async def _bind(self) -> JetStreamContext.PullSubscription:
        await ensure_stream(self.js, self.handler.stream)
        await self.js.add_consumer(self.handler.stream, self._config())
        return await self.js.pull_subscribe_bind(consumer=self.handler.name, stream=self.handler.stream)

    async def run(self) -> None:
        """Fetch and handle without end; when the store was lost, stream and consumer are made anew."""
        subscription: JetStreamContext.PullSubscription | None = None
        room = asyncio.Semaphore(SIDE_BY_SIDE)
        while goes_on():
            try:
                if subscription is None:
                    subscription = await self._bind()
                messages = await subscription.fetch(FETCH, timeout=2)
            except (NatsTimeout, TimeoutError):
                if subscription is not None and not await self._consumer_is_there():
                    subscription = None
                continue
            except (NotFoundError, APIError, JetStreamError, NatsError, OSError) as away:
                log.info("inbox waits", handler=self.handler.name, reason=str(away) or type(away).__name__)
                subscription = None
                await asyncio.sleep(0.5)
                continue
            async with asyncio.TaskGroup() as tasks:
                for message in messages:
                    tasks.create_task(self._one(message, room))

    async def _consumer_is_there(self) -> bool:
        try:
            await self.js.consumer_info(self.handler.stream, self.handler.name)
        except NotFoundError:
            return False
        except (NatsError, OSError, TimeoutError):
            return True  # the server is away, which says nothing about the consumer
        return True

    async def _one(self, message: Msg, room: asyncio.Semaphore) -> None:
        async with room:
            try:
                await self._handle(message)
                await message.ack()
            except (NatsError, OSError) as away:
                log.info("not acknowledged, it will come again", handler=self.handler.name, reason=str(away) or type(away).__name__)
            except Exception as failed:  # whatever a handler meets is counted, and the loop goes on
                await self._failed(message, failed)

    async def _handle(self, message: Msg) -> None:
        for attempt in (1, 2):
            try:
                await handle_once(self.database, self.handler, message.data, again=message.metadata.num_delivered > 1)
                return
            except Exception as failed:
                if attempt == 2 or not must_repeat(failed):
                    raise

    async def _failed(self, message: Msg, failed: Exception) -> None:
        try:
            if is_away(failed):  # nobody's failure: again later, counting nothing
                await message.nak(delay=1)
                return
            tries = await self._count(message, failed)
            if tries >= FAILURES_UNTIL_PARKED:
                log.error("parked", handler=self.handler.name, subject=message.subject, error=f"{type(failed).__name__}: {failed}"[:300])
                await message.ack()
            else:
                await message.nak(delay=BACKOFF_SECONDS[min(tries, len(BACKOFF_SECONDS)) - 1])
        except Exception as again:  # the count itself failed: the message comes back after its wait
            log.warning("failure not counted", handler=self.handler.name, error=f"{type(again).__name__}: {again}"[:300])

    async def _count(self, message: Msg, failed: Exception) -> int:
        try:
            event_id = UUID(json.loads(message.data)["id"])
        except (ValueError, KeyError, TypeError):
            event_id = UUID(int=message.metadata.sequence.stream)  # not one of ours; parked under its place in the stream
        async with self.database.transaction(SYSTEM) as tx:
            row = insert(Parked).values(
                handler=self.handler.name,
                event_id=event_id,
                subject=message.subject,
                body=message.data,
                tries=1,
                error=f"{type(failed).__name__}: {failed}"[:500],
                parked_at=None,
            )
            counted = row.on_conflict_do_update(
                index_elements=["handler", "event_id"], set_={"tries": Parked.tries + 1, "error": row.excluded.error}
            ).returning(Parked.tries)
            tries = (await tx.execute(counted)).scalar_one()
            if tries >= FAILURES_UNTIL_PARKED:
                mine = (Parked.handler == self.handler.name) & (Parked.event_id == event_id)
                await tx.execute(update(Parked).where(mine).values(parked_at=real_now()))
        return int(tries)


async def handle_once(database: Database, handler: Handler, body: bytes, *, again: bool = False) -> bool:
    """Done-row and effect in one transaction; False when it was done before. `again`: it came before, so a failure may be on record."""
    event_id, event = handler.event.from_envelope(body)
    async with database.transaction(SYSTEM) as tx:
        fresh = await (await tx.connection()).execute(_DONE, {"handler": handler.name, "event_id": event_id, "done_at": real_now()})
        if not fresh.rowcount:
            return False
        await handler.handle(event, tx)
        if again:
            await tx.execute(delete(Parked).where(Parked.handler == handler.name, Parked.event_id == event_id))
    return True


async def parked(database: Database) -> list[Parked]:
    """What is parked, the oldest first."""
    async with database.reading(SYSTEM) as tx:
        found = await tx.scalars(select(Parked).where(Parked.parked_at.is_not(None)).order_by(Parked.parked_at))
        return list(found)


async def parked_count(tx: AsyncSession) -> int:
    """How many events are parked."""
    return int((await tx.scalar(select(func.count()).select_from(Parked).where(Parked.parked_at.is_not(None)))) or 0)


async def replay(database: Database, handlers: list[Handler]) -> tuple[int, list[str]]:
    """Handle again what is parked: how many went through, and what still fails and why."""
    by_name = {handler.name: handler for handler in handlers}
    done, failed = 0, []
    for row in await parked(database):
        handler = by_name.get(row.handler)
        if handler is None:
            failed.append(f"{row.handler} {row.event_id}: no such handler any more")
            continue
        try:
            await handle_once(database, handler, row.body)
            async with database.transaction(SYSTEM) as tx:
                await tx.execute(delete(Parked).where(Parked.handler == row.handler, Parked.event_id == row.event_id))
            done += 1
        except Exception as odd:  # each parked event fails for itself
            failed.append(f"{row.handler} {row.event_id}: {type(odd).__name__}: {odd}"[:300])
    return done, failed
