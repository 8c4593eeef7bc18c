"""A person's time, the one calendar that duty and dispatch share: held, judged, booked and released in the caller's own transaction."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from uuid import UUID

from sqlalchemy import (
    Column,
    DateTime,
    Double,
    FetchedValue,
    MetaData,
    Table,
    Text,
    Uuid,
    any_,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, TSTZRANGE
from sqlalchemy.ext.asyncio import AsyncSession

from shared.refusals import Reason, Refused
from shared.rest import UNAVAILABLE, Limits, Span, what_forbids
from shared.settings import settings

__all__ = [
    "Span",
    "block",
    "book",
    "book_judged",
    "hold_time_if_free",
    "hold_time_of",
    "judge",
    "limits",
    "release",
    "release_all_of",
    "taken",
    "unblock",
]

booking = Table(
    "booking",
    MetaData(schema="calendar"),
    Column("owner", Text, primary_key=True, server_default=literal_column("current_user")),
    Column("ref", Uuid, primary_key=True),
    Column("person_id", Uuid, nullable=False),
    Column("during", TSTZRANGE, nullable=False),
    Column("kind", Text, nullable=False),
    Column("counted_hours", Double),
    Column("rest_hours", Double),
    Column("begins_at", DateTime(timezone=True), FetchedValue()),
    Column("ends_at", DateTime(timezone=True), FetchedValue()),
    Column("hours", Double, FetchedValue()),
)

LONGEST_WORK = timedelta(hours=25)
"""No duty and no shift is longer, so that what a person did by an instant had ended not much later."""
LONGEST_REST = timedelta(days=7)
"""How far around a wanted span the calendar is asked: no rest is longer."""
_HOLD_IF_FREE = "select bool_and(pg_try_advisory_xact_lock(hashtextextended('time:' || person_id, 0))) from unnest($1::text[]) as person_id"
_HOLD = "select count(pg_advisory_xact_lock(hashtextextended('time:' || person_id, 0))) from unnest($1::text[]) as person_id"


def limits() -> Limits:
    """The institution's limits, from the settings."""
    return Limits(settings().rest_hours, settings().most_hours_in_24)


async def hold_time_of(tx: AsyncSession, *person_ids: UUID) -> None:
    """Hold these people's time until the transaction ends: first of all locks, and sorted, so that nobody waits for each other in a ring.

    The constraint alone would see an overlap; rest and hours in 24 need that nobody else books meanwhile.
    """
    connection = await tx.connection()
    await connection.exec_driver_sql(_HOLD, (sorted({str(one) for one in person_ids}),))


async def hold_time_if_free(tx: AsyncSession, *person_ids: UUID) -> bool:
    """Hold these people's time if nobody else does, without waiting: for whoever already holds a row that others ask for after it."""
    connection = await tx.connection()
    found = await connection.exec_driver_sql(_HOLD_IF_FREE, (sorted({str(one) for one in person_ids}),))
    return bool(found.scalar())


async def taken(tx: AsyncSession, person_ids: Collection[UUID], starts_at: datetime, ends_at: datetime) -> list[Span]:
    """What is booked of these people between two instants, whoever booked it; by person and beginning."""
    if not person_ids:
        return []
    wanted = select(
        booking.c.ref,
        booking.c.person_id,
        booking.c.begins_at,
        func.least(booking.c.ends_at, literal_column("timestamptz '9999-01-01 00:00+00'")),
        booking.c.kind,
        booking.c.counted_hours,
        booking.c.rest_hours,
        booking.c.owner,
    ).where(
        booking.c.person_id == any_(bindparam("people", list(person_ids), ARRAY(Uuid))),
        booking.c.ends_at > starts_at,
        booking.c.begins_at < ends_at,
    )
    found = (await tx.execute(wanted.order_by(booking.c.person_id, booking.c.begins_at))).all()
    return [Span(*row) for row in found]


async def judge(tx: AsyncSession, wanted: Sequence[Span], *, without: Collection[UUID] = ()) -> list[list[Reason]]:
    """What forbids each of these spans, in their order: held against the calendar and against each other. `without`: bookings that
    would be released first."""
    if not wanted:
        return []
    around = (min(span.starts_at for span in wanted) - LONGEST_REST, max(span.ends_at for span in wanted) + LONGEST_REST)
    booked = await taken(tx, {span.person_id for span in wanted}, *around)
    gone, bounds = set(without), limits()
    stays = (span for span in booked if span.ref not in gone)
    of_person = {person: list(spans) for person, spans in groupby(stays, key=lambda span: span.person_id)}
    verdicts = []
    for span in wanted:
        theirs = of_person.setdefault(span.person_id, [])
        verdicts.append(what_forbids(span, theirs, bounds))
        theirs.append(span)
    return verdicts


async def book(tx: AsyncSession, *wanted: Span, despite: Collection[str] = ()) -> None:
    """Book these spans; the people's time is held by the caller. Refused (409) with the first reason that forbids one, save those codes
    that `despite` names: a leader's override of rest, never of being in two places."""
    for span, reasons in zip(wanted, await judge(tx, wanted), strict=True):
        if standing := [reason for reason in reasons if reason.code not in despite or reason.code == "overlap"]:
            raise Refused(standing[0].code, 409, {**standing[0].params, "person_id": str(span.person_id)})
    await _insert(tx, wanted)


async def book_judged(tx: AsyncSession, *wanted: Span) -> None:
    """Book spans that were judged in this transaction, by a caller who holds the people's time ever since: nothing can have come between,
    and nobody is in two places whatever was judged."""
    await _insert(tx, wanted)


async def block(tx: AsyncSession, *spans: Span) -> None:
    """A person cannot be had for a time: always accepted, whatever is booked, which whoever booked it then frees."""
    await _insert(tx, [span for span in spans if span.kind == UNAVAILABLE])


async def unblock(tx: AsyncSession, *refs: UUID) -> None:
    """Whoever could not be had can be had again; where nothing was blocked there is nothing to do."""
    if refs:
        mine = booking.c.owner == literal_column("current_user")
        blocked = booking.c.ref == any_(bindparam("refs", list(set(refs)), ARRAY(Uuid)))
        await tx.execute(delete(booking).where(mine, blocked, booking.c.kind == UNAVAILABLE))


async def _insert(tx: AsyncSession, spans: Iterable[Span]) -> None:
    rows = [
        {
            "ref": span.ref,
            "person_id": span.person_id,
            "since": span.starts_at,
            "until": span.ends_at,
            "kind": span.kind,
            "counted_hours": span.counted_hours,
            "rest_hours": span.rest_hours,
        }
        for span in spans
    ]
    if rows:
        during = func.tstzrange(bindparam("since"), bindparam("until"), "[)")
        await tx.execute(insert(booking).values(during=during), rows)


async def release_all_of(tx: AsyncSession, person_ids: Collection[UUID]) -> None:
    """Give back all the time that one's own bookings take of these people; it is held by the caller."""
    mine = select(booking.c.ref).where(booking.c.owner == literal_column("current_user"), booking.c.person_id.in_(person_ids))
    await release(tx, *await tx.scalars(mine))


async def release(tx: AsyncSession, *refs: UUID) -> None:
    """Give these bookings' time back. Only one's own can be; one that is not there is our own mistake and raises."""
    if not refs:
        return
    gone = delete(booking).where(
        booking.c.owner == literal_column("current_user"), booking.c.ref == any_(bindparam("refs", list(set(refs)), ARRAY(Uuid)))
    )
    count = len((await tx.execute(gone.returning(booking.c.ref))).all())
    if count != len(set(refs)):
        raise RuntimeError(f"{len(set(refs)) - count} of {len(set(refs))} bookings were not there to release")
