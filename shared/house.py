"""The tables that every service has in its own schema, from outbox to answer; the ground floor alone writes them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Identity, LargeBinary, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from shared.db import TYPES, metadata


class House(DeclarativeBase):
    """Base of the ground floor's tables; the schema is the search path of the service's role."""

    metadata = metadata()
    type_annotation_map = TYPES


class Outbox(House):
    """An event that was told in the transaction that made it true; sent when `sent_at` is set."""

    __tablename__ = "outbox"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    event_id: Mapped[UUID] = mapped_column(unique=True)
    subject: Mapped[str]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]


class StreamSeen(House):
    """The stream as the relay last saw it; another `created` or fewer messages mean that the store was lost or turned back."""

    __tablename__ = "stream_seen"
    stream: Mapped[str] = mapped_column(primary_key=True)
    created: Mapped[str]
    last_seq: Mapped[int] = mapped_column(BigInteger)


class Done(House):
    """What an event handler has done, so that a repeat does nothing."""

    __tablename__ = "done"
    handler: Mapped[str] = mapped_column(primary_key=True)
    event_id: Mapped[UUID] = mapped_column(primary_key=True)
    done_at: Mapped[datetime]


class Parked(House):
    """An event whose handler failed too often; `make parked` lists and replays."""

    __tablename__ = "parked"
    handler: Mapped[str] = mapped_column(primary_key=True)
    event_id: Mapped[UUID] = mapped_column(primary_key=True)
    subject: Mapped[str]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    tries: Mapped[int]
    error: Mapped[str]
    parked_at: Mapped[datetime | None]


class Due(House):
    """Work that is due at a business time; claimed with skip locked, done in one transaction with the row's removal."""

    __tablename__ = "due"
    kind: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    due_at: Mapped[datetime]
    payload: Mapped[dict[str, Any]]
    tries: Mapped[int] = mapped_column(default=0)
    retry_at: Mapped[datetime | None]
    parked_at: Mapped[datetime | None]
    error: Mapped[str | None]


class Job(House):
    """Long work: 202, progress, result; it survives a restart because its row does."""

    __tablename__ = "job"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    state: Mapped[str] = mapped_column(default="waiting")
    input: Mapped[dict[str, Any]]
    done_count: Mapped[int] = mapped_column(default=0)
    total_count: Mapped[int] = mapped_column(default=0)
    result: Mapped[dict[str, Any] | None]
    problem: Mapped[dict[str, Any] | None]
    tries: Mapped[int] = mapped_column(default=0)
    started_by: Mapped[UUID | None]
    person_id: Mapped[UUID | None]
    created_at: Mapped[datetime]
    claimed_until: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class Errand(House):
    """Something that leaves the house: it waits, was sent, or failed. Its id is the same at every try."""

    __tablename__ = "errand"
    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("uuidv7()"))
    kind: Mapped[str]
    key: Mapped[str]
    lane: Mapped[str]
    payload: Mapped[dict[str, Any]]
    state: Mapped[str]
    due_at: Mapped[datetime]
    tries: Mapped[int]
    claimed_until: Mapped[datetime | None]
    error: Mapped[str | None]
    made_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class Answer(House):
    """The answer given to an Idempotency-Key, kept in the transaction of what it answered."""

    __tablename__ = "answer"
    caller: Mapped[str] = mapped_column(primary_key=True)
    route: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    body_hash: Mapped[str]
    status: Mapped[int | None]
    body: Mapped[bytes | None] = mapped_column(LargeBinary)
    given_at: Mapped[datetime]
