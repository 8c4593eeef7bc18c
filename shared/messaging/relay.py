"""Outbox to a stream of JetStream: one round is one transaction, so no replica is leader and a dead one holds nothing."""

import asyncio
import contextlib
from dataclasses import dataclass

import structlog
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.errors import Error as JetStreamError
from nats.js.errors import NotFoundError
from sqlalchemy import text

from shared.clock import real_now
from shared.db import Database
from shared.loops import goes_on
from shared.messaging.streams import EVENTS, ensure_stream
from shared.messaging.subjects import STREAMS

log = structlog.get_logger()

BATCH = 500
POLL_SECONDS = 1.0
BUSY_SECONDS = 0.02
_TRY_LOCK = text(
    "select pg_try_advisory_xact_lock(hashtextextended(concat(current_schema(), ' relay ', cast(:stream as text)), 0)),"
    " set_config('statement_timeout', '30s', true), set_config('idle_in_transaction_session_timeout', '30s', true)"
)
_UNSENT = text(
    "select id, event_id, subject, body from outbox where sent_at is null and starts_with(subject, :word) order by id limit :batch"
)
_SEEN = text("select created, last_seq from stream_seen where stream = :stream")
_AGAIN = text("update outbox set sent_at = null where sent_at is not null and starts_with(subject, :word)")
_MARK = text("update outbox set sent_at = :at where id = any(:ids)")
_SEE = text(
    "insert into stream_seen (stream, created, last_seq) values (:stream, :created, :last_seq)"
    " on conflict (stream) do update set created = excluded.created, last_seq = excluded.last_seq"
)


@dataclass(frozen=True, slots=True)
class Round:
    """What one round did: how many were sent, and whether more wait."""

    sent_count: int = 0
    busy: bool = False
    more: bool = False


class Relay:
    """Sends the rows that are not yet sent, never `id > last`: ids are taken before the commit."""

    def __init__(self, database: Database, nc: Client, stream: str = EVENTS) -> None:
        self.stream, self.word = stream, next(f"{word}." for word, name in STREAMS.items() if name == stream)
        self.database, self.nc, self.js = database, nc, nc.jetstream(timeout=5, publish_async_max_pending=BATCH * 2)

    async def run(self) -> None:
        """Rounds without end. A store or network that is down is nobody's failure: wait, count nothing."""
        published = self.database.published
        while goes_on():
            published.clear()
            try:
                done = await self.round()
            except (OSError, TimeoutError, NatsError, JetStreamError) as away:
                log.info("relay waits", reason=str(away) or type(away).__name__)
                await asyncio.sleep(POLL_SECONDS / 2)
                continue
            except Exception as odd:  # the loop must outlive whatever a round meets; it is logged and tried again
                log.warning("relay round failed", error=f"{type(odd).__name__}: {odd}"[:300])
                await asyncio.sleep(POLL_SECONDS)
                continue
            if done.more:
                continue
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(published.wait(), BUSY_SECONDS if done.busy else POLL_SECONDS)

    async def round(self) -> Round:
        """One transaction: lock, take, look at the stream, send all at once, mark what was acknowledged."""
        async with self.database.engine.begin() as connection:
            if not (await connection.execute(_TRY_LOCK, {"stream": self.stream})).one()[0]:
                return Round(busy=True)
            rows = (await connection.execute(_UNSENT, {"batch": BATCH, "word": self.word})).all()
            try:
                info = await self.js.stream_info(self.stream)
            except NotFoundError:
                await ensure_stream(self.js, self.stream)
                info = await self.js.stream_info(self.stream)
            created, last_seq = str(info.created), int(info.state.last_seq)
            seen = (await connection.execute(_SEEN, {"stream": self.stream})).one_or_none()
            if seen is not None and (seen.created != created or last_seq < seen.last_seq):
                kept = await connection.execute(_AGAIN, {"word": self.word})
                await connection.execute(_SEE, {"stream": self.stream, "created": created, "last_seq": last_seq})
                log.warning("the stream is new or was turned back: what the outbox holds is sent again", events=kept.rowcount)
                return Round(more=True)
            sent: list[int] = []
            if rows:
                acks = await asyncio.gather(*(self._send(row) for row in rows), return_exceptions=True)
                sent = [row.id for row, ack in zip(rows, acks, strict=True) if not isinstance(ack, BaseException)]
                last_seq = max([last_seq, *(ack for ack in acks if isinstance(ack, int))])
                if sent:
                    await connection.execute(_MARK, {"at": real_now(), "ids": sent})
            if seen is None or seen.last_seq != last_seq:
                await connection.execute(_SEE, {"stream": self.stream, "created": created, "last_seq": last_seq})
            if len(sent) < len(rows):
                failed = next(ack for ack in acks if isinstance(ack, BaseException))
                log.info("not all events were acknowledged", sent=len(sent), of=len(rows), reason=str(failed) or type(failed).__name__)
        return Round(sent_count=len(sent), more=len(rows) == BATCH and len(sent) == len(rows))

    async def _send(self, row: object) -> int:
        ack = await self.js.publish(row.subject, row.body, headers={"Nats-Msg-Id": str(row.event_id)})  # type: ignore[attr-defined]
        return int(ack.seq)
