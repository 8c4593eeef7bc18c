"""What several slices write: an audience frozen in set statements, reminders by mail, alerts opened and closed."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, Integer, Uuid, func, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifications.reads import people_of
from services.notifications.rules import reminder_at
from services.notifications.shapes import AlertKind, Audience
from services.notifications.tables import Alert, AlertPerson, KnownAssignment, Notice, NoticeDepartment, Recipient, Webhook
from shared.clock import now
from shared.db import as_system
from shared.due import later, never
from shared.errand import Wish, send_later
from shared.events import PEOPLE_IN_ONE, AlertsChanged, AssignmentState
from shared.messaging.outbox import publish_all
from shared.settings import settings

REMINDER, DEADLINE, DONE_DEADLINE = "notice.reminder", "notice.deadline", "notice.done_deadline"
MAIL = "notice.mail"
WEBHOOK = "webhook"
_SAID = ("params", "notice_id", "department_id")  # what an alert that is there already is told anew


async def freeze_audience(tx: AsyncSession, notice_id: UUID, audience: Audience, at: datetime) -> int:
    """Write down who the audience is at this instant; answers the head-count. One statement, whatever the number."""
    people = people_of(audience).subquery()
    told = select(people.c.person_id, literal(notice_id, Uuid()), people.c.department_id, literal(at, DateTime(timezone=True)))
    written = insert(Recipient).from_select(
        ["person_id", "notice_id", "department_id", "told_at"], told.order_by(people.c.person_id), include_defaults=False
    )
    async with as_system(tx):
        count: int = (await tx.execute(written)).rowcount  # type: ignore[attr-defined]
    return count


async def count_audience(tx: AsyncSession, notice: Notice) -> None:
    """One row a department with how many of it were told; the database counts on from there."""
    none = literal(0, Integer())
    counted = (
        select(literal(notice.id, Uuid()), Recipient.department_id, func.count(), none, none, none, none, none, none)
        .where(Recipient.notice_id == notice.id)
        .group_by(Recipient.department_id)
    )
    columns = [column.name for column in NoticeDepartment.__table__.columns]
    async with as_system(tx):
        await tx.execute(insert(NoticeDepartment).from_select(columns, counted, include_defaults=False))


async def remind_later(tx: AsyncSession, notice: Notice) -> None:
    """Before each deadline and at it something is due. A deadline that is over before its reminder has no reminder."""
    for name, deadline_at, kind in (("before", notice.deadline_at, DEADLINE), ("done_before", notice.done_deadline_at, DONE_DEADLINE)):
        if deadline_at is not None:
            given = {"notice_id": str(notice.id), "kind": name}
            await later(tx, REMINDER, f"{notice.id}:{name}", reminder_at(notice.issued_at, deadline_at), given)
            await later(tx, kind, str(notice.id), deadline_at, given)


async def remind_never(tx: AsyncSession, notice: Notice) -> None:
    """Nobody is reminded of this notice any more."""
    for name, kind in (("before", DEADLINE), ("done_before", DONE_DEADLINE)):
        await never(tx, REMINDER, f"{notice.id}:{name}")
        await never(tx, kind, str(notice.id))


async def mail_later(tx: AsyncSession, notice: Notice, why: str) -> None:
    """Everybody concerned who has an address gets a mail, if the notice is to be mailed and there is a mail server."""
    if notice.mail and settings().smtp_url.get_secret_value():
        await later(tx, MAIL, f"{notice.id}:{why}", now(), {"notice_id": str(notice.id), "why": why, "after": None})


@dataclass(frozen=True, slots=True)
class AlertWish:
    """An alert to open, by `kind` and `ref` the only one: whom it is for, and what its sentence needs."""

    kind: AlertKind
    ref: str
    whom: Collection[UUID]
    params: Mapping[str, Any]
    notice_id: UUID | None = None
    department_id: UUID | None = None


async def open_alerts(tx: AsyncSession, *alerts: AlertWish) -> None:
    """Open alerts, each for some people; one that is there already, closed before it was heard of, only gets its words. Few statements."""
    if not alerts:
        return
    rows = [{"opened_at": now(), **{name: getattr(one, name) for name in ("kind", "ref", *_SAID)}} for one in alerts]
    row = insert(Alert)
    fresh = {name: row.excluded[name] for name in _SAID}
    written = row.on_conflict_do_update(index_elements=["kind", "ref"], set_=fresh).returning(Alert.id, Alert.kind, Alert.ref)
    async with as_system(tx):
        ids = {(one.kind, one.ref): one.id for one in await tx.execute(written, rows)}
        people = [{"alert_id": ids[one.kind, one.ref], "person_id": person_id} for one in alerts for person_id in set(one.whom)]
        if people:
            await tx.execute(insert(AlertPerson).on_conflict_do_nothing(), people)
    await tell_alerts(tx, {one["person_id"] for one in people})


async def close_alert(tx: AsyncSession, kind: AlertKind, ref: str, by: UUID | None) -> None:
    """It was seen to. Events come in any order: what closes may be heard before what opens."""
    row = insert(Alert).values(kind=kind, ref=ref, params={}, opened_at=now(), closed_at=now(), closed_by=by)
    fresh = {name: row.excluded[name] for name in ("closed_at", "closed_by")}
    closed = row.on_conflict_do_update(index_elements=["kind", "ref"], set_=fresh).returning(Alert.id)
    async with as_system(tx):
        alert_id = (await tx.execute(closed)).scalar_one()
        whom = (await tx.scalars(select(AlertPerson.person_id).where(AlertPerson.alert_id == alert_id))).all()
    await tell_alerts(tx, whom)


async def tell_alerts(tx: AsyncSession, person_ids: Collection[UUID]) -> None:
    """Tell whose alerts changed."""
    ids = sorted(person_ids)
    await publish_all(tx, [AlertsChanged(person_ids=ids[i : i + PEOPLE_IN_ONE]) for i in range(0, len(ids), PEOPLE_IN_ONE)])


async def call_webhooks(tx: AsyncSession, told: Sequence[AssignmentState]) -> None:
    """Whoever has just been confirmed is told to every webhook: those who were confirmed already, as we know it, are no news."""
    confirmed = {one.id: one for one in sorted(told, key=lambda one: one.version) if one.state == "confirmed"}
    if not confirmed:
        return
    hooks = (await tx.scalars(select(Webhook).where(Webhook.ended_at.is_(None), Webhook.kind == "assignment.confirmed"))).all()
    if not hooks:
        return
    known = {row.id: row for row in await tx.scalars(select(KnownAssignment).where(KnownAssignment.id.in_(confirmed)))}
    fresh = []
    for one in confirmed.values():
        before = known.get(one.id)
        if before is None or (before.version < one.version and before.state != "confirmed"):
            fresh.append(one)
    wishes = []
    for hook in hooks:
        for one in fresh:
            data = {"assignment_id": one.id, "shift_id": one.shift_id, "person_id": one.person_id, "role": one.role}
            times = {"starts_at": one.starts_at.isoformat(), "ends_at": one.ends_at.isoformat()}
            body = {"type": hook.kind, "timestamp": now().isoformat(), "data": {name: str(value) for name, value in data.items()} | times}
            wishes.append(Wish(WEBHOOK, f"{hook.id}:{one.id}:{one.version}", str(hook.id), {"webhook_id": str(hook.id), "body": body}))
    await send_later(tx, *wishes)
