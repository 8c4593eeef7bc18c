"""Telling an event: a row in the transaction that makes it true."""

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from shared.clock import now, real_now
from shared.events import Event, fresh_id
from shared.house import Outbox


def publish(tx: AsyncSession, event: Event) -> None:
    """Tell an event: it is sent if, and only if, this transaction commits. Lock the row it speaks of before."""
    event_id = fresh_id()
    tx.add(Outbox(event_id=event_id, subject=event.subject, body=event.envelope(event_id, now()), created_at=real_now()))
    tx.info["told"] = True


async def publish_all(tx: AsyncSession, events: list[Event]) -> None:
    """Tell many events in one statement."""
    if not events:
        return
    rows = []
    for event in events:
        event_id = fresh_id()
        rows.append({"event_id": event_id, "subject": event.subject, "body": event.envelope(event_id, now()), "created_at": real_now()})
    await tx.execute(insert(Outbox), rows)
    tx.info["told"] = True
