"""Telling an event: a row in the transaction that makes it true."""

from sqlalchemy import event as happening
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from shared.clock import now, real_now
from shared.events import Event, fresh_id

_TELL = text("insert into outbox (event_id, subject, body, created_at) values (:event_id, :subject, :body, :created_at)")


def publish(tx: AsyncSession, event: Event) -> None:
    """Tell an event: it is sent if, and only if, this transaction commits. Lock the row it speaks of before."""
    event_id = fresh_id()
    row = {"event_id": event_id, "subject": event.subject, "body": event.envelope(event_id, now()), "created_at": real_now()}
    tx.info.setdefault("telling", []).append(row)
    tx.info["told"] = True


async def publish_all(tx: AsyncSession, events: list[Event]) -> None:
    """Tell many events in one statement."""
    for event in events:
        publish(tx, event)


@happening.listens_for(Session, "before_commit")
def _write_down(session: Session) -> None:
    """All that was told, in the transaction's last statement: of rows that nobody reads back, no objects are kept."""
    if rows := session.info.pop("telling", None):
        session.connection().execute(_TELL, rows)
